import { h, render } from 'preact'
import { hour } from './shadow.js'
import './style.css'

render(h('p', null, `The shadow stands at ${hour(new Date())}`), document.getElementById('app'))
