const lanes = [
  { number: 1, for: 'slow swimmers' },
  { number: 2, for: 'fast swimmers' },
  { number: 3, for: 'the club' }
]

exports.all = () => lanes
exports.find = number => lanes.find(lane => lane.number === number)
