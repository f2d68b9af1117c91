import { paint } from "../style.ts";

/** What came of a case in one of the columns. */
export interface Entry {
  readonly name: string;
  readonly column: string;
  readonly status: "passed" | "failed" | "skipped";
  /** Why it failed or was skipped. */
  readonly reason?: string;
  readonly ms: number;
}

/** Rows: the cases. */
export function table(entries: readonly Entry[], columns: readonly string[]): string {
  const rows = Map.groupBy(entries, ({ name }) => name);
  const width = Math.max(...[...rows.keys()].map((name) => name.length));
  const wide = Math.max(...columns.map((column) => column.length), NARROW) + 2;
  const lines = [`${" ".repeat(width)}  ${columns.map((column) => column.padEnd(wide)).join("")}`.trimEnd()];
  for (const [name, row] of rows) {
    const words = columns.map((column) =>
      word(
        row.find((entry) => entry.column === column),
        wide,
      ),
    );
    lines.push(`${name.padEnd(width)}  ${words.join("")}`.trimEnd());
  }
  return lines.join("\n");
}

/** Every failure, with its reason. */
export function failures(entries: readonly Entry[]): readonly string[] {
  return entries
    .filter(({ status }) => status === "failed")
    .map(({ name, column, reason }) => `${column}: ${name}\n  ${reason}`);
}

const NARROW = 11;
const COLOURS = { passed: "green", failed: "red", skipped: "dim" } as const;

function word(entry: Entry | undefined, wide: number): string {
  if (entry === undefined) return "".padEnd(wide);
  const text = entry.status === "passed" ? `${entry.ms} ms` : entry.status;
  return paint(COLOURS[entry.status], text.padEnd(wide));
}
