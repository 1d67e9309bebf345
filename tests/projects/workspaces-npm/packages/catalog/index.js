const _ = require('lodash')

const pictures = [
  { name: 'harvest', room: 2 },
  { name: 'storm', room: 1 },
  { name: 'bridge', room: 2 }
]

exports.rooms = () => _.countBy(pictures, 'room')
exports.find = name => _.find(pictures, { name })
