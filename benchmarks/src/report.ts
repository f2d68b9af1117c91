// What a benchmark says, for people and for machines.
import { styleText } from "node:util";

/** One figure beside its limit, the bare loop measured in the same run. */
export interface Row {
  readonly id: string;
  readonly unit: string;
  readonly value: number;
  readonly limit: number;
  /** Higher is better: throughput over the limit's, or the limit's time over ours. */
  readonly ratio: number;
  /** Of latencies, in the row's unit. */
  readonly p50?: number;
  readonly p99?: number;
}

export interface Section {
  readonly section: string;
  readonly runtime: string;
  readonly rows: readonly Row[];
}

export function faster(id: string, unit: string, value: number, limit: number): Row {
  return { id, unit, value, limit, ratio: value / limit };
}

export function shorter(id: string, unit: string, value: number, limit: number): Row {
  return { id, unit, value, limit, ratio: limit / value };
}

export function runtime(): string {
  if ("Deno" in globalThis) return "deno";
  return "Bun" in globalThis ? "bun" : "node";
}

export function print({ section, runtime: on, rows }: Section): void {
  console.log(styleText("bold", `${section} on ${on}`));
  const cells = rows.map((row) => [
    row.id,
    number(row.value),
    number(row.limit),
    row.unit,
    `${row.ratio.toFixed(2)}×`,
    row.p50 === undefined ? "" : `p50 ${row.p50.toFixed(3)}, p99 ${(row.p99 ?? 0).toFixed(3)}`,
  ]);
  const head = ["", "Sluice", "bare loop", "", "ratio", ""];
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)));
  for (const row of [head, ...cells])
    console.log(
      `  ${row.map((cell, i) => (i === 0 || i > 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ")}`,
    );
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))] ?? Number.NaN;
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(3);
}
