import { describe, expect, it } from "vitest";
import { FOREIGN_HALF } from "./foreign.ts";
import { RECEIVE_HALF } from "./receive-half.ts";
import { SEND_HALF } from "./send-half.ts";
import { diagram, IllegalMove, may, move, type Table } from "./table.ts";

const tables: Record<string, Table<string, string>> = { SEND_HALF, RECEIVE_HALF, FOREIGN_HALF };

for (const [name, table] of Object.entries(tables))
  describe(name, () => {
    const states = Object.keys(table);
    const events = [...new Set(states.flatMap((state) => Object.keys(table[state]!)))];
    for (const state of states)
      for (const event of events) {
        const next = table[state]![event];
        if (next === undefined)
          it(`has no "${event}" in "${state}"`, () => {
            expect(may(table, state, event)).toBe(false);
            expect(() => move(table, state, event)).toThrow(IllegalMove);
          });
        else
          it(`moves from "${state}" by "${event}" to "${next}", which it knows`, () => {
            expect(may(table, state, event)).toBe(true);
            expect(move(table, state, event)).toBe(next);
            expect(states).toContain(next);
          });
      }

    it("reaches every state from the first", () => {
      const reached = new Set([states[0]!]);
      for (const state of reached) for (const next of Object.values(table[state]!)) reached.add(next!);
      expect([...reached].sort()).toEqual([...states].sort());
    });
  });

it("a diagram names every state and move, and writes spaces as Mermaid takes them", () => {
  const table: Table<"open" | "given up", "give up"> = { open: { "give up": "given up" }, "given up": {} };
  expect(diagram(table).split("\n")).toEqual([
    "stateDiagram-v2",
    '  state "given up" as given_up',
    "  [*] --> open",
    "  open --> given_up: give up",
    "  given_up --> [*]",
  ]);
});
