import type { Cell, CellCase } from "./cell.ts";
import { paint } from "../style.ts";

/** A cell that ran, or the reason why it did not. */
export interface CellResult {
  readonly cell: Cell;
  readonly cases: readonly CellCase[];
  readonly skipped?: string;
}

/** Rows: transport and the server's runtime. Columns: the client's runtime. */
export function table(results: readonly CellResult[]): string {
  const clients = [...new Set(results.map(({ cell }) => cell.client))];
  const rows = Map.groupBy(results, ({ cell }) => `${cell.kind}, ${cell.server} server`);
  const width = Math.max(...[...rows.keys()].map((name) => name.length));
  const lines = [
    `${" ".repeat(width)}  ${clients.map((client) => `${client} client`.padStart(12)).join("")}`,
  ];
  for (const [name, row] of rows) {
    const cells = clients.map((client) => entry(row.find(({ cell }) => cell.client === client)));
    lines.push(`${name.padEnd(width)}  ${cells.join("")}`);
  }
  return lines.join("\n");
}

/** Every failure, by name, with its reason. */
export function failures(results: readonly CellResult[]): readonly string[] {
  return results.flatMap(({ cell, cases }) =>
    cases
      .filter(({ status }) => status === "failed")
      .map(
        ({ name, near, reason }) =>
          `${cell.kind}, ${cell.server} server, ${cell.client} client, seen by the ${near}: ${name}\n  ${reason}`,
      ),
  );
}

/** Why something was left out, with how much it was. */
export function omissions(results: readonly CellResult[]): readonly string[] {
  const reasons = results.flatMap(({ cell, cases, skipped }) =>
    skipped === undefined
      ? cases.filter(({ status }) => status === "skipped").map(({ reason }) => `${cell.kind}: ${reason}`)
      : [skipped],
  );
  return [...Map.groupBy(reasons, (reason) => reason)].map(([reason, all]) => `${all.length} × ${reason}`);
}

function entry(result: CellResult | undefined): string {
  if (result === undefined) return "".padStart(12);
  if (result.skipped !== undefined) return paint("dim", "skipped".padStart(12));
  const ran = result.cases.filter(({ status }) => status !== "skipped");
  const failed = ran.filter(({ status }) => status === "failed").length;
  if (failed > 0) return paint("red", `${failed} failed`.padStart(12));
  return paint("green", `${ran.length}/${ran.length}`.padStart(12));
}
