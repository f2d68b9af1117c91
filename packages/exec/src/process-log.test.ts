import { describe, expect, it } from "vitest";
import { ProcessLog } from "./process-log.ts";

const log = (retainedBytes = 1000, retainedChunks = 100): ProcessLog =>
  new ProcessLog({ retainedBytes, retainedChunks });
const text = (bytes: string): Uint8Array => new TextEncoder().encode(bytes);
const seqs = (of: ProcessLog, after: number, max?: number): number[] =>
  of.read(after, max).chunks.map(({ seq }) => seq);

/** One that wrote twice, exited with 3 and closed. */
function over(): ProcessLog {
  const all = log();
  all.add("stdout", text("hi\ngot yo\n"));
  all.add("stderr", text("err\n"));
  all.exit(3);
  all.close();
  return all;
}

describe("the log of a process", () => {
  it("numbers output, exit and end in one sequence, from 1", () => {
    const all = log();
    expect(all.add("stdout", text("a")).seq).toBe(1);
    expect(all.exit(0)).toBe(2);
    expect(all.add("stderr", text("b")).seq).toBe(3);
    expect(all.close()).toBe(4);
  });

  it("tells everything, with the next number behind the exit and the end", () => {
    expect(over().read(0, undefined)).toEqual({
      chunks: [
        { seq: 1, stream: "stdout", chunk: "aGkKZ290IHlvCg==" },
        { seq: 2, stream: "stderr", chunk: "ZXJyCg==" },
      ],
      nextSeq: 5,
      exited: true,
      exitCode: 3,
      closed: true,
      failure: null,
      sandboxDenied: false,
    });
  });

  it("gives the first chunk however large it is, and then as many as fit", () => {
    const all = log();
    for (const part of ["aaaa", "bb", "cc", "d"]) all.add("stdout", text(part));
    expect(seqs(all, 0, 0)).toEqual([1]);
    expect(seqs(all, 0, 5)).toEqual([1]);
    expect(seqs(all, 0, 6)).toEqual([1, 2]);
    expect(seqs(all, 1, 4)).toEqual([2, 3]);
  });

  it("with a bound on bytes the next number is behind the last chunk, or behind everything where there is none", () => {
    expect(over().read(0, 1).nextSeq).toBe(2);
    expect(over().read(1, 1).nextSeq).toBe(3);
    expect(over().read(2, 1).nextSeq).toBe(5);
  });

  it("forgets the oldest beyond the bound of bytes, and the numbers show it", () => {
    const all = log(10);
    for (let n = 0; n < 200; n++) all.add("stdout", text("abcd"));
    expect(seqs(all, 0)).toEqual([199, 200]);
    expect(seqs(all, 199)).toEqual([200]);
    expect(all.read(0, undefined).nextSeq).toBe(201);
  });

  it("forgets the oldest beyond the bound of chunks", () => {
    const all = log(1000, 3);
    for (let n = 0; n < 500; n++) all.add("pty", text("x"));
    expect(seqs(all, 0)).toEqual([498, 499, 500]);
  });

  it("has news where something came that a reader has not seen, and always once it is closed", () => {
    const all = log();
    expect(all.hasNews(0)).toBe(false);
    all.add("stdout", text("a"));
    expect([all.hasNews(0), all.hasNews(1)]).toEqual([true, false]);
    all.exit(0);
    expect([all.hasNews(1), all.hasNews(2)]).toEqual([true, false]);
    all.close();
    expect(all.hasNews(99)).toBe(true);
  });

  it("says why it was ended here, the first reason", () => {
    const all = log();
    all.fail("one");
    all.fail("two");
    expect(all.read(0, undefined).failure).toBe("one");
    expect(all.hasNews(5)).toBe(true);
  });

  it("calls those who watch until they leave", () => {
    const all = log();
    let calls = 0;
    const leave = all.watch(() => calls++);
    all.add("stdout", text("a"));
    all.exit(0);
    leave();
    all.close();
    expect(calls).toBe(2);
  });
});
