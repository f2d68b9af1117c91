import { expect, it, vi } from "vitest";
import type { Cell, CellCase } from "./cell.ts";
import { failures, omissions, table, type CellResult } from "./table.ts";

const cell = (server: Cell["server"], client: Cell["client"]): Cell => ({ kind: "http mcp", server, client });
const passed: CellCase = { name: "order", status: "passed", near: "client" };
const failed: CellCase = { name: "order", status: "failed", near: "server", reason: "a wrong byte at 7" };
const left: CellCase = { name: "many", status: "skipped", near: "server", reason: "too slow" };

const results: readonly CellResult[] = [
  { cell: cell("node", "node"), cases: [passed, passed] },
  { cell: cell("node", "deno"), cases: [passed, failed, left] },
  { cell: cell("deno", "node"), cases: [passed, left] },
  { cell: cell("deno", "deno"), cases: [], skipped: "deno is not installed" },
];

it("a row is a transport and the server's runtime, a column the client's, a cell what passed or how many failed", () => {
  vi.stubEnv("NO_COLOR", "1");
  expect(table(results).split("\n")).toEqual([
    "                        node client deno client",
    "http mcp, node server           2/2    1 failed",
    "http mcp, deno server           1/1     skipped",
  ]);
});

it("a failure is told by its name, both runtimes, the end that saw it, and the reason", () => {
  expect(failures(results)).toEqual([
    "http mcp, node server, deno client, seen by the server: order\n  a wrong byte at 7",
  ]);
});

it("what was left out is counted by its reason", () => {
  expect(omissions(results)).toEqual(["2 × http mcp: too slow", "1 × deno is not installed"]);
});
