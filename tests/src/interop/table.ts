import { paint } from "../style.ts";
import type { Cell } from "./bench.ts";
import type { Result } from "./run.ts";

/** Rows: the cases. Columns: the cells. */
export function table(results: readonly Result[], cells: readonly Cell[]): string {
  const heads = cells.map(({ listen, wire }) => `${listen} ${wire}`);
  const rows = Map.groupBy(results, ({ name }) => name);
  const width = Math.max(...[...rows.keys()].map((name) => name.length));
  const lines = [`${" ".repeat(width)}  ${heads.map((head) => head.padEnd(WIDTH)).join("")}`.trimEnd()];
  for (const [name, row] of rows) {
    const entries = cells.map(({ listen, wire }) =>
      entry(row.find(({ cell }) => cell.listen === listen && cell.wire === wire)),
    );
    lines.push(`${name.padEnd(width)}  ${entries.join("")}`.trimEnd());
  }
  return lines.join("\n");
}

/** Every failure, with its reason. */
export function failures(results: readonly Result[]): readonly string[] {
  return results
    .filter(({ status }) => status === "failed")
    .map(({ name, cell, reason }) => `${cell.listen}, wire ${cell.wire}: ${name}\n  ${reason}`);
}

const WIDTH = 13;
const COLOURS = { passed: "green", failed: "red", skipped: "dim" } as const;

function entry(result: Result | undefined): string {
  if (result === undefined) return "".padEnd(WIDTH);
  const word = result.status === "passed" ? `${result.ms} ms` : result.status;
  return paint(COLOURS[result.status], word.padEnd(WIDTH));
}
