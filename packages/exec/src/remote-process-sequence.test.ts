import { expect, it } from "vitest";
import type { ProcessRead } from "./client-wire.ts";
import { ProcessSequence, type ProcessEvent } from "./remote-process-sequence.ts";

const out = (seq: number, text: string = `${seq}`): ProcessEvent => ({
  kind: "output",
  seq,
  stream: "stdout",
  chunk: new TextEncoder().encode(text),
});
const exited = (seq: number): ProcessEvent => ({ kind: "exited", seq, exitCode: 0, sandboxDenied: false });
const closed = (seq: number): ProcessEvent => ({ kind: "closed", seq });

function sequence(early = 256, earlyBytes = 1024): ProcessSequence {
  return new ProcessSequence({ early, earlyBytes });
}

function read(seqs: readonly number[], nextSeq: number, facts: Partial<ProcessRead> = {}): ProcessRead {
  const chunks = seqs.map((seq) => ({ seq, stream: "stdout" as const, chunk: new Uint8Array(1) }));
  return { chunks, nextSeq, exited: false, closed: false, ...facts };
}

/** What came of it: the numbers, with `x` for the exit and `c` for the close; or the fault. */
function names(events: readonly ProcessEvent[] | string): string {
  if (typeof events === "string") return events;
  const letter = { output: "", exited: "x", closed: "c" };
  return events.map(({ seq, kind }) => `${seq}${letter[kind]}`).join(" ");
}

it("hands on what comes in order at once", () => {
  const events = sequence();
  expect([out(1), out(2), exited(3), closed(4)].map((event) => names(events.push(event)))).toEqual([
    "1",
    "2",
    "3x",
    "4c",
  ]);
  expect(events.last).toBe(4);
});

it("puts in order what comes in any order", () => {
  const all = [out(1), out(2), exited(3), out(4), closed(5)];
  for (let n = 0; n < 120; n++) {
    const left = [...all];
    const events = sequence();
    let seen = "";
    for (let rest = n; left.length > 0; rest = Math.floor(rest / (left.length + 1))) {
      const [event] = left.splice(rest % left.length, 1);
      seen += ` ${names(events.push(event!))}`;
    }
    expect(seen.trim().split(/ +/).join(" ")).toBe("1 2 3x 4 5c");
  }
});

it("has no use for what it knows", () => {
  const events = sequence();
  events.push(out(1));
  events.push(out(3));
  expect([out(1), out(3), out(2), out(2)].map((event) => names(events.push(event)))).toEqual([
    "",
    "",
    "2 3",
    "",
  ]);
});

it.each([
  ["the number 0", [], out(0)],
  ["output at the number of the close", [closed(3)], out(3)],
  ["output behind the close", [closed(3)], out(4)],
  ["an exit behind the close", [closed(3)], exited(4)],
  ["a second exit", [exited(3)], exited(4)],
  ["a second close", [closed(3)], closed(4)],
  ["a close before what has come", [out(5)], closed(4)],
])("takes %s for a contradiction", (_name, before, event) => {
  const events = sequence();
  for (const one of before) events.push(one);
  expect(events.push(event)).toBe("conflict");
});

it("merges a read with what came early", () => {
  const events = sequence();
  events.push(out(1));
  events.push(out(4));
  expect(names(events.merge(read([2, 3, 4, 5], 6)))).toBe("2 3 4 5");
  expect(events.needsRead).toBe(false);
});

it.each([
  ["exit and close at the end", [1, 2], 5, { exited: true, closed: true }, "1 2 3x 4c"],
  ["output between exit and close", [1, 3], 5, { exited: true, closed: true }, "1 2x 3 4c"],
  ["an exit first", [2], 4, { exited: true, closed: true }, "1x 2 3c"],
  ["an exit without a close", [1], 3, { exited: true }, "1 2x"],
  ["nothing yet", [], 1, {}, ""],
])("tells from a read's numbers where the facts stand: %s", (_name, seqs, nextSeq, facts, expected) => {
  expect(names(sequence().merge(read(seqs, nextSeq, facts)))).toBe(expected);
});

it("knows the facts it has heard of when it merges", () => {
  const events = sequence();
  events.push(exited(3));
  events.push(closed(4));
  expect(events.needsRead).toBe(true);
  expect(names(events.merge(read([1, 2], 5, { exited: true, closed: true })))).toBe("1 2 3x 4c");
  expect(names(events.merge(read([1, 2], 5, { exited: true, closed: true })))).toBe("");
});

it.each([
  ["output at the start is gone", [3, 4], 5, {}],
  ["output in the middle is gone", [1, 3], 4, {}],
  ["more is missing than the facts explain", [4], 7, { exited: true, closed: true }],
  ["far more is missing", [1_000_000], 1_000_001, {}],
])("finds a gap: %s", (_name, seqs, nextSeq, facts) => {
  expect(sequence().merge(read(seqs, nextSeq, facts))).toBe("gap");
});

it.each([
  ["output at the closed seq", [1, 2, 3], 4, { exited: true, closed: true }],
  ["output behind its own end", [1, 9], 3, {}],
  ["a close whose number is output's, after the exit", [2, 3], 4, { exited: true, closed: true }],
])("rejects a read that contradicts itself: %s", (_name, seqs, nextSeq, facts) => {
  expect(sequence().merge(read(seqs, nextSeq, facts))).toBe("conflict");
});

it("is not disturbed by a read that is older than what has come since", () => {
  const events = sequence();
  for (const seq of [1, 2, 3]) events.push(out(seq));
  events.push(exited(4));
  expect(names(events.merge(read([1, 2], 3)))).toBe("");
  expect(events.last).toBe(4);
});

it.each([
  ["events", sequence(2), [2, 3, 4]],
  ["bytes", sequence(256, 3), [2, 3, 4, 5]],
])("keeps early events up to its bound of %s, and asks for a read beyond", (_name, events, seqs) => {
  for (const seq of seqs.slice(0, -1)) events.push(out(seq));
  expect(events.needsRead).toBe(false);
  events.push(out(seqs.at(-1)!));
  expect(events.needsRead).toBe(true);
  const all = [1, ...seqs];
  expect(names(events.merge(read(all, all.length + 1)))).toBe(all.join(" "));
  expect(events.needsRead).toBe(false);
});

it("asks again where a read does not reach what it has let go of", () => {
  const events = sequence(1);
  for (const seq of [2, 3, 4]) events.push(out(seq));
  expect(names(events.merge(read([1], 2)))).toBe("1 2");
  expect(events.needsRead).toBe(true);
  expect(names(events.merge(read([3, 4], 5)))).toBe("3 4");
  expect(events.needsRead).toBe(false);
});

it("keeps exit and close, however much is early", () => {
  const events = sequence(1);
  for (const seq of [2, 3]) events.push(out(seq));
  events.push(exited(4));
  events.push(closed(5));
  expect(names(events.merge(read([1, 2, 3], 6, { exited: true, closed: true })))).toBe("1 2 3 4x 5c");
});

it("recovers a dense tail: a thousand events in one read", () => {
  const events = sequence();
  events.push(out(1));
  const seqs = Array.from({ length: 1000 }, (_, n) => n + 2);
  const merged = events.merge(read(seqs, 1004, { exited: true, closed: true }));
  expect(names(merged)).toBe([...seqs, "1002x", "1003c"].join(" ").replace("1001 1002x", "1001 1002x"));
});
