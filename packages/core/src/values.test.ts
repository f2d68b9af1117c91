import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Scripted } from "./scripted.ts";
import { Pair, TestStream } from "./testing.ts";

const circle: Record<string, unknown> = {};
circle["self"] = circle;
const deep = (n: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < n; i++) value = [value];
  return value;
};
class Loop {
  toJSON(): object {
    return new Loop();
  }
}
const bad: readonly [what: string, value: unknown][] = [
  ["a BigInt", { n: 1n }],
  ["a circle", circle],
  [
    "a getter that throws",
    {
      get x() {
        throw new Error("from the getter");
      },
    },
  ],
  [
    "a deep getter that throws",
    [
      {
        get x() {
          throw new Error("from the getter");
        },
      },
    ],
  ],
  [
    "a toJSON that throws",
    {
      toJSON() {
        throw new Error("from toJSON");
      },
    },
  ],
  ["a toJSON without end", new Loop()],
  ["nesting without end", deep(20_000)],
];

describe("a value JSON cannot write", () => {
  it.each(bad)("C2: %s in a result is answered -32603, and the session is unharmed", (_, value) => {
    for (const script of [Scripted.greeted(), new Scripted()]) {
      script.end.onCall = (call) => void call.succeed(value);
      script.message({ id: 5, method: "m" });
      expect(script.answers()).toMatchObject([{ id: 5, error: { code: -32603 } }]);
      expect(script.end.seen.faults.length).toBe(1);
      expect(script.core.stats()).toMatchObject({ handlers: 0, faults: 0 });
    }
  });

  it.each(bad)("%s in params is refused here before anything is sent", (_, value) => {
    const script = Scripted.greeted();
    expect(script.end.call("m", value).outcomes).toMatchObject([
      { error: { _tag: "RefusedError", mayHaveRun: false } },
    ]);
    expect(() => script.core.notify("m", value)).toThrow(expect.objectContaining({ _tag: "RefusedError" }));
    expect([script.heard(), script.core.stats().calls]).toEqual([[], 0]);
    expect(script.isWell).toBe(true);
  });

  it("C2: neither a function nor a symbol is a result; undefined is null", () => {
    const script = Scripted.greeted();
    const results: unknown[] = [() => 1, Symbol("x"), undefined, { f: () => 1, u: undefined }];
    script.end.onCall = (call) => void call.succeed(results.shift());
    for (let i = 0; i < 4; i++) script.call("m");
    expect(script.answers()).toMatchObject([
      { error: { code: -32603 } },
      { error: { code: -32603 } },
      { result: null },
      { result: {} },
    ]);
  });

  it("a message larger than the peer takes is refused here; as a result it is answered -32603", () => {
    const pair = Pair.greeted({
      acceptor: { limits: { message: 5000 } },
      initiator: { limits: { message: 5000 } },
    });
    const big = ["é".repeat(3000)];
    expect(pair.a.call("m", big).outcomes).toMatchObject([
      { error: { rule: "limits.message", mayHaveRun: false } },
    ]);
    expect(() => pair.a.core.notify("m", big)).toThrow("limits.message");
    pair.b.onCall = (call) => void call.succeed(big);
    const call = pair.a.call("m");
    pair.settle();
    expect(call.outcomes).toMatchObject([{ error: { code: -32603 } }]);
    const fits = pair.a.call("m", ["x".repeat(4900)]);
    pair.settle();
    expect(fits.outcomes.length).toBe(1);
    expect([pair.a.core.error, pair.b.core.error]).toEqual([undefined, undefined]);
  });
});

describe("mentions", () => {
  it("S2: one stream mentioned twice is refused here, and none of the message's streams is opened", () => {
    const pair = Pair.greeted();
    const [twice, once] = [new TestStream("bytes", "sender"), new TestStream("items", "sender")];
    const call = pair.a.call("m", [once, { a: twice, b: [twice] }]);
    expect(call.outcomes).toMatchObject([{ error: { _tag: "RefusedError", rule: "S2" } }]);
    expect([pair.a.core.stats().streams, once.half, twice.half]).toEqual([0, undefined, undefined]);
    pair.b.onCall = (call) => void call.succeed([once]);
    const next = pair.a.call("m", [twice]);
    pair.settle();
    expect(next.outcomes.length).toBe(1);
    expect(pair.b.core.error).toBe(undefined);
  });

  it("S3: in a notification a stream is refused here, and what looks like a mention is data", () => {
    const pair = Pair.greeted();
    expect(() => pair.a.core.notify("m", [new TestStream("bytes", "sender")])).toThrow("H2");
    const params = { $stream: 1, of: "bytes", by: "sender", x: { $escape: { $stream: 2 } } };
    pair.a.core.notify("m", params);
    pair.settle();
    expect(pair.b.seen.notifications[0]!.params).toEqual(params);
    expect(pair.b.core.stats().streams).toBe(0);
  });

  it("S1: in error data nothing is a mention or escaped", () => {
    const data = { $stream: 1, of: "bytes", by: "sender" };
    const script = Scripted.greeted();
    const call = script.end.call("m");
    script.message({ id: call.call!.id, error: { code: 1, message: "", data } });
    expect(call.outcomes).toMatchObject([{ error: { data } }]);
    expect(script.core.stats().streams).toBe(0);
  });

  it("S1: the walk sees what toJSON returns", () => {
    const pair = Pair.greeted();
    const stream = new TestStream("bytes", "sender");
    pair.a.call("m", { a: { toJSON: () => ({ stream, s: { $stream: "user's" } }) }, date: new Date(0) });
    pair.settle();
    expect(pair.b.seen.calls[0]!.params).toEqual({
      a: { stream: pair.b.seen.received[0], s: { $stream: "user's" } },
      date: "1970-01-01T00:00:00.000Z",
    });
  });

  it("S1: whatever keys a user's value has, the peer gets the value", () => {
    const key = fc.oneof(
      fc.constantFrom("$stream", "$escape", "of", "by", "a", "__proto__", "toString"),
      fc.string(),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom(null, true, 0, -1.5, "", "$stream", "bytes"),
        fc.string({ unit: "binary" }),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    const pairs = (["frames", "json"] as const).map((e) => Pair.greeted({ initiator: { encodings: [e] } }));
    for (const pair of pairs) pair.b.onCall = (call) => void call.succeed((call.params as unknown[])[0]);
    fc.assert(
      fc.property(value, (value) => {
        for (const pair of pairs) {
          const before = JSON.stringify(value);
          const call = pair.a.call("echo", [value]);
          pair.settle();
          const json = JSON.parse(before) as unknown;
          expect(call.outcomes).toEqual([{ result: json }]);
          expect(pair.b.seen.calls.pop()!.params).toEqual([json]);
          expect(JSON.stringify(value)).toBe(before); // and it is not changed
        }
      }),
    );
    for (const pair of pairs)
      expect([pair.a.core.stats().streams, pair.b.core.stats().streams]).toEqual([0, 0]);
  });

  it("S1: streams stand where they stood, beside and inside what is escaped", () => {
    const pair = Pair.greeted();
    const streams = Array.from({ length: 3 }, () => new TestStream("bytes", "sender"));
    pair.a.call("m", { $stream: { at: streams[0] }, list: [streams[1], { $escape: [streams[2]] }] });
    pair.settle();
    const [x, y, z] = pair.b.seen.received;
    expect(pair.b.seen.calls[0]!.params).toEqual({ $stream: { at: x }, list: [y, { $escape: [z] }] });
    expect(new Set(streams.map(({ half }) => half!.id))).toEqual(new Set([1, 3, 5]));
  });

  it("S1: the keys count only as they are written: escaped by `\\u` they are data", () => {
    const script = Scripted.greeted();
    script.message('{"jsonrpc":"2.0","id":2,"method":"m","params":{"\\u0024stream":1}}');
    expect(script.end.seen.calls[0]!.params).toEqual({ $stream: 1 });
  });
});
