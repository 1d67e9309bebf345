const markdown = require('markdown-it')()
const { rooms } = require('@museum/catalog')

console.log(markdown.render(Object.keys(rooms()).map(room => `- room ${room}`).join('\n')))
