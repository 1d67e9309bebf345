const minutes = { rye: 55, roll: 18, brioche: 35 }

export const kinds = () => Object.keys(minutes)
export const bake = kind => (kind in minutes ? { kind, minutes: minutes[kind] } : undefined)
