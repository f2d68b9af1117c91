import { IllegalMove, may, move, type Table } from "@sluice/streams";
import { describe, expect, it } from "vitest";
import { INCOMING_CALL } from "./incoming.ts";
import { OUTGOING_CALL } from "./outgoing.ts";
import { PHASE } from "./phase.ts";

const tables: Record<string, Table<string, string>> = { PHASE, OUTGOING_CALL, INCOMING_CALL };

for (const [name, table] of Object.entries(tables))
  describe(name, () => {
    const states = Object.keys(table);
    const events = [...new Set(states.flatMap((state) => Object.keys(table[state]!)))];
    for (const state of states)
      for (const event of events) {
        const next = table[state]![event];
        it(`${next === undefined ? "has no" : "has a"} "${event}" in "${state}"`, () => {
          expect(may(table, state, event)).toBe(next !== undefined);
          if (next === undefined) expect(() => move(table, state, event)).toThrow(IllegalMove);
          else expect(states).toContain(move(table, state, event));
        });
      }

    it("reaches every state from the first", () => {
      const reached = new Set([states[0]!]);
      for (const state of reached) for (const next of Object.values(table[state]!)) reached.add(next!);
      expect(reached).toEqual(new Set(states));
    });
  });
