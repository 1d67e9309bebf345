const expat = require('node-expat')

exports.read = xml => {
  const parser = new expat.Parser('UTF-8')
  const names = []
  parser.on('startElement', (tag, attributes) => tag === 'station' && names.push(attributes.name))
  return parser.parse(xml, true) ? { names } : { error: parser.getError() }
}
