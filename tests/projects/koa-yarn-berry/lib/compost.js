const things = { peel: true, leaves: true, glass: false }

exports.goes = (thing) => things[thing]
