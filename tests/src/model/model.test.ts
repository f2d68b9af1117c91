import { describe, expect, test } from "vitest";
import { explore } from "./explore.ts";
import type { Program, Stream } from "./rules.ts";
import { SHORT, STREAMS } from "./programs.ts";

const { sent, asked, given, taken } = STREAMS;

function program(stream: Stream, more: Partial<Program> = {}): Program {
  return { streams: [stream], cancel: true, window: 2, writes: 2, ...more };
}

describe("whatever the order, no honest run breaks a rule, gets stuck or leaves anything behind", () => {
  test.each(Object.entries(SHORT))("%s", (_, short) => {
    const { complete, broken, stuck, lost } = explore(short);
    expect({ complete, broken, stuck, lost }).toEqual({ complete: true });
  });

  test("two streams of one call", () => {
    for (const streams of [
      [sent, given],
      [asked, taken],
    ]) {
      const { complete, broken, stuck, lost, late } = explore({
        streams,
        cancel: true,
        window: 1,
        writes: 1,
      });
      expect({ complete, broken, stuck, lost }).toEqual({ complete: true });
      expect(late).toBeLessThanOrEqual(6);
    }
  });

  test("S6a: a window that grows", () => {
    const { complete, broken, stuck, lost, late } = explore(program(sent, { writes: 5, growth: true }));
    expect({ complete, broken, stuck, lost }).toEqual({ complete: true });
    expect(late).toBe(3);
  });
});

describe("S13: after an end or reset, grants and stops that crossed it still come", () => {
  test.each(Object.entries(SHORT))("exactly three at most: %s", (_, short) => {
    expect(explore(short).late).toBe(3);
  });

  test("no more where the window or what is written is larger", () => {
    expect(explore(program(given, { window: 4, writes: 8 })).late).toBe(3);
    expect(explore(program(sent, { writes: 4 })).late).toBe(3);
  });
});

test("S2a: streams of an answer that nobody waits for must be registered, or their first frame names a stream nobody knows", () => {
  for (const stream of [given, taken]) {
    const { broken } = explore(program(stream), { registersUnwanted: false });
    expect(broken?.what).toMatch(/^S13/);
    expect(broken?.how).toContain("A cancels");
  }
});

test("S8: a reset after the end would reach a reader that has had the end", () => {
  for (const stream of [sent, asked, given, taken])
    expect(explore(program(stream), { endIsLast: false }).broken?.what).toMatch(/^S8/);
});

test("S9: a stop while the end waits to be sent is answered by reset, or the reader's record waits for ever", () => {
  for (const stream of [sent, asked, given, taken]) {
    const { stuck, broken } = explore(program(stream), { resetsWhileEnding: false });
    expect(broken).toBeUndefined();
    expect(stuck?.how.join()).toMatch(/ends.*gets stop/);
  }
});

test("S10: that the caller drops its halves as well is needed by nobody; it saves the way there and back", () => {
  for (const stream of [sent, asked]) {
    const { broken, stuck, lost } = explore(program(stream), { bothDropOnError: false });
    expect({ broken, stuck, lost }).toEqual({});
  }
});

test("S11: to stop what the handler left unread is not enough: of what it left unwritten, the reader waits for ever", () => {
  const patient = program(asked, { cancel: false, patient: true });
  const { stuck } = explore(patient, { dropsUntakenWriters: false });
  expect(stuck?.how).toEqual(["A calls", "B gets request ", "B answers", "A gets result "]);
  expect(explore(patient).stuck).toBeUndefined();
});

test("S12: a stopped stream forgotten at once makes faults of all that was on its way", () => {
  expect(explore(program(sent, { window: 4, writes: 6 }), { remembersStopped: false }).late).toBeGreaterThan(
    3,
  );
});

test("S12: a stopped stream not forgotten at its end stays for ever", () => {
  for (const stream of [sent, asked, given, taken])
    expect(explore(program(stream), { forgetsStopped: false }).stuck).toBeDefined();
});
