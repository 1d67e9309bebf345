export const hour = date => `${date.getHours()} o'clock`
