// Minutes after midnight of the first high water; one tide takes 745 minutes.
const harbours = { hamburg: 190, cuxhaven: 55, husum: 120 }
const TIDE = 745

function next (harbour, minute) {
  const first = harbours[harbour]
  if (first === undefined) return undefined
  return first + Math.max(0, Math.ceil((minute - first) / TIDE)) * TIDE
}

module.exports = { harbours, next }
