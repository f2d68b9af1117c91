import { diagram } from "@sluice/streams";
import { expect, it } from "vitest";
import { ExecError } from "./client-error.ts";
import { rejection, text } from "./client-fake.testing.ts";
import type { ProcessRead } from "./client-wire.ts";
import { OUTPUT, ProcessOutput } from "./remote-process-output.ts";

/** An output with room for two pieces of ten bytes, and an executor that keeps what it is told to keep. */
class Bench {
  readonly kept: { seq: number; stream: "stdout" | "stderr"; chunk: Uint8Array }[] = [];
  readonly reads: number[] = [];
  answer: (afterSeq: number) => Promise<ProcessRead> = async (afterSeq) => this.read(afterSeq);
  readonly output: ProcessOutput = new ProcessOutput({
    stream: "stdout",
    limit: 2 * (128 + 10),
    read: (afterSeq) => {
      this.reads.push(afterSeq);
      return this.answer(afterSeq);
    },
  });
  #seq = 0;

  /** The process writes ten bytes to one of its outputs. */
  write(letter: string, stream: "stdout" | "stderr" = "stdout"): void {
    const piece = { seq: ++this.#seq, stream, chunk: new TextEncoder().encode(letter.repeat(10)) };
    this.kept.push(piece);
    if (stream === "stdout") this.output.push(piece.seq, piece.chunk);
  }

  read(afterSeq: number): ProcessRead {
    const chunks = this.kept.filter(({ seq }) => seq > afterSeq);
    return { chunks, nextSeq: this.#seq + 1, exited: false, closed: false };
  }
}

async function rest(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  let seen = "";
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read())
    seen += new TextDecoder().decode(value);
  return seen;
}

const all = (letters: string): string =>
  letters
    .split("")
    .map((letter) => letter.repeat(10))
    .join("");

it("moves by its table", () => {
  expect(diagram(OUTPUT)).toContain("fetching --> skipping: behind");
});

it("hands on pieces as they come, and ends", async () => {
  const bench = new Bench();
  const reader = bench.output.readable.getReader();
  const first = reader.read();
  bench.write("a");
  expect(new TextDecoder().decode((await first).value)).toBe(all("a"));
  const last = reader.read();
  bench.output.close();
  expect((await last).done).toBe(true);
});

it("keeps no more than its bound, and fetches the rest once it is read", async () => {
  const bench = new Bench();
  for (const letter of "abcdefgh") bench.write(letter);
  bench.output.close();
  expect(bench.reads).toEqual([]);
  expect(await text(bench.output.readable)).toBe(all("abcdefgh"));
  expect(bench.reads).toEqual([2]);
});

it("fetches when half is read, and goes on with what comes meanwhile", async () => {
  const bench = new Bench();
  for (const letter of "abc") bench.write(letter);
  const answered = Promise.withResolvers<void>();
  bench.answer = async (afterSeq) => {
    const answer = bench.read(afterSeq);
    await answered.promise;
    return answer;
  };
  const reader = bench.output.readable.getReader();
  await reader.read();
  expect(bench.reads).toEqual([]);
  await reader.read();
  expect(bench.reads).toEqual([2]);
  // The answer is older than this one.
  bench.write("d");
  answered.resolve();
  bench.output.close();
  bench.answer = async (afterSeq) => bench.read(afterSeq);
  expect(await rest(reader)).toBe(all("cd"));
  expect(bench.reads).toEqual([2, 3]);
});

it("has each piece once where the answer is newer than the notifications", async () => {
  const bench = new Bench();
  for (const letter of "abc") bench.write(letter);
  const early = { seq: 4, stream: "stdout" as const, chunk: new TextEncoder().encode(all("d")) };
  bench.answer = async () => ({ ...bench.read(2), chunks: [bench.kept[2]!, early], nextSeq: 5 });
  const reader = bench.output.readable.getReader();
  await reader.read();
  await reader.read();
  await reader.read();
  bench.write("d");
  bench.write("e");
  bench.output.close();
  expect(await rest(reader)).toBe(all("de"));
});

it("takes only its own pieces from a read", async () => {
  const bench = new Bench();
  for (const letter of "abcd") {
    bench.write(letter);
    bench.write("-", "stderr");
  }
  bench.output.close();
  expect(await text(bench.output.readable)).toBe(all("abcd"));
});

it("ends with an error where the executor has let go of what was skipped", async () => {
  const bench = new Bench();
  for (const letter of "abcde") bench.write(letter);
  bench.kept.splice(0, 3);
  bench.output.close();
  const reader = bench.output.readable.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe(all("a"));
  expect(new TextDecoder().decode((await reader.read()).value)).toBe(all("b"));
  const error = await rejection<ExecError>(reader.read());
  expect([error.kind, error.message]).toEqual([
    "output lost",
    "output of the process is lost: its reader was too far behind (limits.unread)",
  ]);
});

it("ends with an error where the executor tells less than it did, instead of asking for ever", async () => {
  const bench = new Bench();
  for (const letter of "abc") bench.write(letter);
  bench.answer = async () => ({ chunks: [], nextSeq: 1, exited: false, closed: false });
  expect((await rejection<ExecError>(text(bench.output.readable))).kind).toBe("output lost");
  expect(bench.reads.length).toBe(1);
});

it("ends with what a read failed with, behind what has arrived", async () => {
  const bench = new Bench();
  for (const letter of "abc") bench.write(letter);
  const gone = new ExecError("answered", "process/read: unknown process id p", { code: -32600 });
  bench.answer = () => Promise.reject(gone);
  const reader = bench.output.readable.getReader();
  await reader.read();
  await reader.read();
  const error = await rejection<ExecError>(reader.read());
  expect([error.kind, error.cause, error.code]).toEqual(["output lost", gone, -32600]);
});

it("gives up on a reader so far behind that even the numbers are too many", async () => {
  const bench = new Bench();
  for (let n = 0; n < 65_540; n++) bench.write("x");
  expect((await rejection<ExecError>(text(bench.output.readable))).kind).toBe("output lost");
  expect(bench.reads).toEqual([]);
});

it("keeps one piece that is larger than its bound", async () => {
  const bench = new Bench();
  bench.output.push(1, new Uint8Array(1000));
  bench.output.close();
  expect((await text(bench.output.readable)).length).toBe(1000);
});

it("keeps nothing once it is cancelled", async () => {
  const bench = new Bench();
  for (const letter of "abc") bench.write(letter);
  await bench.output.readable.cancel();
  for (const letter of "defgh") bench.write(letter);
  bench.output.close();
  expect(bench.reads).toEqual([]);
});

it("wakes the reader that waits when it is let go of", async () => {
  const bench = new Bench();
  const reader = bench.output.readable.getReader();
  const waiting = rejection<ExecError>(reader.read());
  await bench.output.letGo();
  expect((await waiting).kind).toBe("closed");
});

it("gives the first reason for its end", async () => {
  const bench = new Bench();
  const first = new Error("first");
  bench.output.fail(first);
  bench.output.fail(new Error("second"));
  bench.output.close();
  expect(await rejection(text(bench.output.readable))).toBe(first);
});
