// Compiles the templates once, when the packages are installed.
const { mkdirSync, readFileSync, writeFileSync } = require('node:fs')
const ejs = require('ejs')

const compiled = ejs.compile(readFileSync('templates/birds.ejs', 'utf8'), { client: true })
mkdirSync('generated', { recursive: true })
writeFileSync('generated/birds.js', `module.exports = ${compiled.toString()}\n`)
