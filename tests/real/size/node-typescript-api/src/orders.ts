export interface Line {
  name: string;
  price: number;
  count: number;
}

/** What an order costs, rounded to cents. */
export function total(lines: Line[]): number {
  const sum = lines.reduce((before, line) => before + line.price * line.count, 0);
  return Math.round(sum * 100) / 100;
}
