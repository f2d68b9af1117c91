import { afterAll, describe, expect, it } from "vitest";
import { ABSENT, findCodex } from "./find-codex.ts";
import { cells, runCell } from "./run.ts";
import { codexTarget } from "./target.ts";

const command = findCodex();

describe.skipIf(command === undefined)(
  command === undefined ? `a codex exec-server (${ABSENT})` : "a codex exec-server",
  () => {
    const target = command && codexTarget(command);
    afterAll(() => target?.close());

    it.each(cells)(
      "does all that our client asks of it, over $listen, wire $wire",
      async (cell) => {
        const results = await runCell(target!, cell);
        expect(results.filter(({ status }) => status === "failed")).toEqual([]);
        expect(results.filter(({ status }) => status === "passed").length).toBeGreaterThan(20);
      },
      600_000,
    );
  },
);
