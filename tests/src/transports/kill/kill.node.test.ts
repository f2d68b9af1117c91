import { describe, expect, it } from "vitest";
import { KINDS } from "../kinds.ts";
import { own } from "../runtimes.ts";
import { runKills } from "./kills.ts";

describe("one end is killed in the middle of calls and streams, and the other lets go of everything", () => {
  // The bound tells a hang from a busy machine, for all twelve.
  it.each(KINDS)("over %s, twelve times", { timeout: 300_000 }, async (kind) => {
    const kills = await runKills({ kind, runtime: own, times: 12, seed: 1 });
    expect(kills.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
    expect(kills).toHaveLength(12);
  });
});
