// A line on a terminal that tells how far a run has come; elsewhere nothing. On the standard error: the standard output
// belongs to the result.
import process from "node:process";

const WIDTH = 30;

export class Progress {
  readonly #total: number;
  readonly #unit: string;
  #done = 0;
  #failed = 0;

  constructor(total: number, unit: string) {
    this.#total = total;
    this.#unit = unit;
    this.#draw();
  }

  step(steps = 1): void {
    this.#done += steps;
    this.#draw();
  }

  fail(): void {
    this.#failed++;
    this.#draw();
  }

  /** Takes the line away. */
  clear(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  }

  #draw(): void {
    if (!process.stderr.isTTY) return;
    const full = Math.round((WIDTH * this.#done) / Math.max(1, this.#total));
    const bar = "█".repeat(full) + "░".repeat(WIDTH - full);
    const failed = this.#failed === 0 ? "" : `, ${this.#failed} failed`;
    process.stderr.write(`\r\u001b[K${bar} ${this.#done} of ${this.#total} ${this.#unit}${failed}`);
  }
}
