const limits = [0.5, 1.5, 3.3, 5.5, 7.9, 10.7, 13.8, 17.1, 20.7, 24.4, 28.4, 32.6]

export const beaufort = (metresPerSecond: number): number => limits.filter((limit) => metresPerSecond >= limit).length
