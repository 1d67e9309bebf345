import { total, type Line } from "./orders";

const lines: Line[] = [
  { name: "pen", price: 2.5, count: 4 },
  { name: "book", price: 12, count: 1 },
];

export function main(): void {
  console.log(`total: ${total(lines)}`);
}

main();
