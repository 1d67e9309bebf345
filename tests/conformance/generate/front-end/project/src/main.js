import { period } from './beat.js'
import './style.css'

const beats = 96
document.querySelector('#app').textContent = `${beats} beats a minute, one every ${period(beats)} ms`
