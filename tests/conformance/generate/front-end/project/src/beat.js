export const period = (beats) => Math.round(60000 / beats)
