import * as fc from "fast-check";
import { expect, it } from "vitest";
import { MAX_STREAM, type ControlFrame, type DataFrame } from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";
import { Headers } from "./headers.ts";
import { CONTROL_LIMIT, DATA_LIMIT, DECODE_LIMITS } from "./limits.ts";
import { Lines } from "./lines.ts";
import { Output } from "./output.ts";
import { bytes, cut, feed, join, readAll } from "./testing.ts";

type Sent = string | ControlFrame;

function write(output: Output, sent: Sent): void {
  if (typeof sent === "string") output.message(sent);
  else if (sent.type === "data") output.data(sent.id, sent.payload as Uint8Array, sent);
  else output.control(sent);
}

const filled = (size: number, from: number = 1): Uint8Array =>
  new Uint8Array(size).map((_, i) => (i + from) % 251);
const data = (payload: Uint8Array, flags: Partial<DataFrame> = {}): DataFrame => {
  const plain = { type: "data", id: 5, item: false, more: false, end: false } as const;
  return { ...plain, size: payload.length, payload, ...flags };
};

/** Data of a byte stream comes in other pieces than it was sent in: those that touch are made one. */
function joined(frames: readonly unknown[]): unknown[] {
  const all: unknown[] = [];
  for (const next of frames as readonly Sent[]) {
    const last = all.at(-1) as Sent | undefined;
    const touch =
      isBytes(last) && isBytes(next) && last.id === next.id && !last.end
        ? join([last.payload as Uint8Array, next.payload as Uint8Array])
        : undefined;
    if (touch === undefined) all.push(next);
    else all[all.length - 1] = { ...(next as DataFrame), size: touch.length, payload: touch };
  }
  return all;
}
function isBytes(frame: Sent | undefined): frame is DataFrame {
  return typeof frame === "object" && frame.type === "data" && !frame.item;
}

const id = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: MAX_STREAM }));
const offset = fc.maxSafeNat();
const text = fc.string({ unit: "binary", maxLength: 60 });
const code = fc.oneof(fc.nat(7), fc.maxSafeNat());
const size = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 50 }) },
  fc.constantFrom(2047, 2048, 2049, 65_523, 65_524, 65_525, DATA_LIMIT),
);
const flags = fc.constantFrom(
  {},
  { end: true },
  { item: true },
  { item: true, end: true },
  { item: true, more: true },
);
const longText = fc
  .tuple(fc.constantFrom("a", "é", "€", "𝄞"), fc.constantFrom(1, 700, 2048, 7000, 21_842, 33_000, 65_530))
  .map(([letter, times]) => letter.repeat(times));
const sent: fc.Arbitrary<Sent> = fc.oneof(
  fc.json(),
  text,
  longText,
  fc.record({ type: fc.constantFrom("end" as const, "grant" as const), id, offset }),
  fc.record({ type: fc.constant("stop" as const), id, code, message: text }),
  fc.record({ type: fc.constant("reset" as const), id, code, message: text }),
  fc.record({
    type: fc.constant("reset" as const),
    id,
    code,
    message: text,
    data: fc.constantFrom(null, 0, [], { a: ["é"] }),
  }),
  fc.record({
    type: fc.constantFrom("ping" as const, "pong" as const),
    token: fc.string({
      unit: fc.constantFrom(..."0123456789abcdef".split("")),
      minLength: 16,
      maxLength: 16,
    }),
  }),
  fc.record({ type: fc.constant("drain" as const), call: fc.maxSafeNat(), reason: text }),
  fc
    .tuple(id, size, flags)
    .map(([stream, length, flag]) => data(filled(length, stream), { id: stream, ...flag })),
  id.map((stream) => data(filled(0), { id: stream, end: true })),
);

// Data may end up in megabytes, where toEqual by elements is slow.
const plain = (frames: readonly unknown[]): unknown[] =>
  (frames as readonly Sent[]).map((frame) =>
    typeof frame === "object" && frame.type === "data"
      ? {
          ...frame,
          payload: Array.from(frame.payload as Uint8Array, (byte) => String.fromCharCode(byte)).join(""),
        }
      : frame,
  );

it.each([true, false])("frames are read as they were written, however cut (gathers: %s)", (gathers) => {
  const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1000, max: 70_000 })));
  fc.assert(
    fc.property(fc.array(fc.array(sent, { maxLength: 8 }), { maxLength: 4 }), cuts, (turns, sizes) => {
      const output = new Output(gathers);
      const written: Uint8Array[] = [];
      for (const turn of turns) {
        for (const frame of turn) write(output, frame);
        const length = output.length;
        const chunks = output.take();
        expect(join(chunks).length).toBe(length);
        expect(output.length).toBe(0);
        written.push(...chunks);
        // F5: where chunk borders mean something, each chunk is whole frames.
        if (!gathers)
          for (const chunk of chunks) {
            const reader = new FrameReader(DECODE_LIMITS);
            const { held } = feed(reader, [chunk]);
            expect([held, reader.partial, chunk.length > 0]).toEqual([0, false, true]);
          }
      }
      const { read } = feed(new FrameReader(DECODE_LIMITS), cut(join(written), sizes));
      expect(plain(joined(read))).toEqual(plain(joined(turns.flat())));
    }),
    { numRuns: 60 },
  );
});

it.each([true, false])("a message of 1 MiB and data of 64 KiB go out whole (gathers: %s)", (gathers) => {
  const large = ["a", "€", "𝄞"].map((letter) => `"${letter.repeat(2 ** 20 / bytes(letter).length)}"`);
  const around = [65_523, 65_524, 65_525, 65_535, 65_536].map((length) => data(filled(length)));
  const turn: Sent[] = [...large, ...around.flatMap((frame) => ["{}", frame]), large[0]!];
  const output = new Output(gathers);
  for (const frame of turn) write(output, frame);
  const chunks = output.take();
  const alone = chunks.map((chunk) => feed(new FrameReader(DECODE_LIMITS), [chunk]));
  if (!gathers) {
    expect(alone.every(({ held }) => held === 0)).toBe(true);
    expect(plain(alone.flatMap(({ read }) => read))).toEqual(plain(turn));
  }
  expect(plain(feed(new FrameReader(DECODE_LIMITS), chunks).read)).toEqual(plain(turn));
});

it("a turn of small frames is one chunk; a large payload is passed on and not copied", () => {
  const output = new Output(true);
  for (let i = 0; i < 100; i++) output.message('{"a":1}');
  expect(output.take().length).toBe(1);
  const payload = filled(DATA_LIMIT);
  output.data(5, payload, { item: false, more: false, end: false });
  output.control({ type: "grant", id: 5, offset: 1 });
  const chunks = output.take();
  expect(chunks.length).toBe(3);
  expect(chunks[1]).toBe(payload);
});

it("never writes again to what it has handed out", () => {
  const output = new Output(false);
  const handed: [Uint8Array, Uint8Array][] = [];
  for (let turn = 0; turn < 300; turn++) {
    output.message(`${turn}`.repeat(turn * 3));
    output.data(5, filled(turn + 1, turn), { item: false, more: false, end: false });
    for (const chunk of output.take()) handed.push([chunk, chunk.slice()]);
  }
  for (const [chunk, was] of handed) expect(chunk).toEqual(was);
});

it("lone surrogates in a message's text go out as U+FFFD, and its length is right", () => {
  const output = new Output(true);
  output.message('"\ud800"');
  output.message("{}");
  expect(readAll(new FrameReader(DECODE_LIMITS), output.take())).toEqual(['"\ufffd"', "{}"]);
});

it("what a framing writes it reads, for messages of any size and whatever chunk borders mean", () => {
  const texts = ["{}", "é".repeat(100), "a".repeat(21_844), "a".repeat(21_845), "€".repeat(60_000), "[]"];
  for (const gathers of [true, false])
    for (const framing of [() => new Lines(DECODE_LIMITS), () => new Headers(DECODE_LIMITS)])
      for (const turn of [texts, texts.toReversed(), ...texts.map((one) => [one])]) {
        const output = new Output(gathers);
        for (const one of turn) output.framed(one, framing());
        const length = output.length;
        const chunks = output.take();
        expect(join(chunks).length).toBe(length);
        expect(readAll(framing(), chunks)).toEqual(turn);
      }
});

it("F1: a control frame of the limit is written as one the reader takes", () => {
  const room = CONTROL_LIMIT - bytes(JSON.stringify({ code: 1, message: "" })).length;
  const stop = { type: "stop", id: 5, code: 1, message: "m".repeat(room) } as const;
  const output = new Output(false);
  output.control(stop);
  expect(readAll(new FrameReader(DECODE_LIMITS), output.take())).toEqual([stop]);
});
