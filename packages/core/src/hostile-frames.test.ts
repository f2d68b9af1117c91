import type { ReceiveHalf } from "@sluice/streams";
import { describe, expect, it } from "vitest";
import { helloOf, Scripted } from "./scripted.ts";
import { TestStream } from "./testing.ts";

const BODY = { $stream: 1, of: "bytes", by: "sender" };
const ITEMS = { $stream: 1, of: "items", by: "sender" };
const SINK = { $stream: 1, of: "bytes", by: "receiver" };

/** F1 by hand: length, type, flags, reserved, id. */
function header(length: number, type: number, flags = 0, reserved = 0, id = 0): Uint8Array {
  const view = new DataView(new ArrayBuffer(12 + Math.min(length, 16)));
  view.setUint32(0, length);
  view.setUint8(4, type);
  view.setUint8(5, flags);
  view.setUint16(6, reserved);
  view.setUint32(8, id);
  return new Uint8Array(view.buffer);
}

type Breach = (script: Scripted) => void;
const withStream =
  (mention: object, then: Breach): Breach =>
  (script) => {
    script.call("m", { s: mention });
    expect(script.endedBy).toBe(undefined);
    then(script);
  };

const breaches: readonly [rule: string, what: string, breach: Breach][] = [
  ["F1", "a stream frame with id 0", (s) => s.raw(header(8, 5))],
  ["F1", "a session frame with an id", (s) => s.raw(header(8, 6, 0, 0, 1))],
  ["F1", "unknown flags", (s) => s.raw(header(1, 1, 8, 0, 1))],
  ["F1", "reserved bits", (s) => s.raw(header(1, 1, 0, 1, 1))],
  ["F1", "a stream id above 2^31-1", (s) => s.raw(header(1, 1, 0, 0, 2 ** 31))],
  ["F2", "more than 64 KiB of data in a frame", (s) => s.raw(header(65_537, 1, 0, 0, 1))],
  ["F2a", "data with nothing in it", withStream(BODY, (s) => s.data(1, ""))],
  ["F2a", "more parts of what is no item", withStream(BODY, (s) => s.data(1, "x", { more: true }))],
  ["F2a", "an item on a byte stream", withStream(BODY, (s) => s.data(1, "1", { item: true }))],
  ["F2a", "bytes on an object stream", withStream(ITEMS, (s) => s.data(1, "1"))],
  [
    "F2a",
    "an end inside an item",
    withStream(ITEMS, (s) => {
      s.data(1, "[1", { item: true, more: true });
      s.frame({ type: "end", id: 1, offset: 34 });
    }),
  ],
  ["F3", "an unknown frame", (s) => s.raw(header(0, 9))],
  ["F4", "a message above the limit, by its length alone", (s) => s.raw(header(2 ** 31, 0))],
  ["F4", "a control frame above 4 KiB", (s) => s.raw(header(4097, 3, 0, 0, 1))],
  ["S1", "a malformed mention", (s) => s.call("m", [{ $stream: 1, of: "bytes" }])],
  ["S1", "a mention that is no number", (s) => s.call("m", [{ ...BODY, $stream: "1" }])],
  ["S1", "an escape of nothing", (s) => s.call("m", [{ $escape: 1 }])],
  ["S2", "an id of our parity", (s) => s.call("m", [{ ...BODY, $stream: 2 }])],
  ["S2", "id 0", (s) => s.call("m", [{ ...BODY, $stream: 0 }])],
  ["S2", "an id above 2^31-1", (s) => s.call("m", [{ ...BODY, $stream: 2 ** 31 + 1 }])],
  ["S2", "one id twice in a message", (s) => s.call("m", [BODY, BODY])],
  ["S2", "an id that is open", withStream(BODY, (s) => s.call("m", [BODY]))],
  [
    "S2",
    "an id below the last",
    withStream({ ...BODY, $stream: 5 }, (s) => s.call("m", [{ ...BODY, $stream: 3 }])),
  ],
  [
    "S2",
    "an id that has been used",
    withStream(BODY, (s) => {
      s.frame({ type: "end", id: 1, offset: 0 });
      s.call("m", [BODY]);
    }),
  ],
  [
    "S4",
    "a byte past the credit",
    withStream(BODY, (s) => {
      for (let i = 0; i < 4; i++) s.data(1, new Uint8Array(65_536));
      expect(s.endedBy).toBe(undefined);
      s.data(1, "x");
    }),
  ],
  [
    "S4",
    "a byte past the credit of a stream that is stopping",
    withStream(BODY, (s) => {
      s.end.seen.calls[0]!.succeed(null);
      s.end.seen.received[0]!.taken = true;
      (s.end.seen.received[0] as ReceiveHalf).stop(0, "");
      for (let i = 0; i < 5; i++) s.data(1, new Uint8Array(65_536));
    }),
  ],
  [
    "S5",
    "a grant past 2^53-1",
    withStream(SINK, (s) =>
      s.raw(Uint8Array.of(...header(8, 5, 0, 0, 1).subarray(0, 12), 0, 32, 0, 0, 0, 0, 0, 0)),
    ),
  ],
  ["S13", "data for a stream that never was", (s) => s.data(1, "x")],
  ["S13", "a grant for a stream of ours that never was", (s) => s.frame({ type: "grant", id: 4, offset: 1 })],
  ["L3", "data from the reader", withStream(SINK, (s) => s.data(1, "x"))],
  ["L3", "an end from the reader", withStream(SINK, (s) => s.frame({ type: "end", id: 1, offset: 0 }))],
  [
    "L3",
    "a reset from the reader",
    withStream(SINK, (s) => s.frame({ type: "reset", id: 1, code: 0, message: "" })),
  ],
  [
    "L3",
    "a stop from the writer",
    withStream(BODY, (s) => s.frame({ type: "stop", id: 1, code: 0, message: "" })),
  ],
  ["L3", "a grant from the writer", withStream(BODY, (s) => s.frame({ type: "grant", id: 1, offset: 1 }))],
  ["C4", "a repeated call id", (s) => (s.message({ id: 2, method: "m" }), s.message({ id: 2, method: "m" }))],
  ["C4", "a lower call id", (s) => (s.message({ id: 9, method: "m" }), s.message({ id: 8, method: "m" }))],
  ["C4", "a call id of letters", (s) => s.message({ id: "a", method: "m" })],
];

describe("a hostile peer", () => {
  it.each(breaches)("%s: %s closes the session, and the peer is told the rule", (rule, _what, breach) => {
    const script = Scripted.greeted();
    const pending = script.end.call("ours", { s: new TestStream("bytes", "sender") });
    script.heard();
    breach(script);
    expect(script.endedBy).toBe(rule);
    expect(script.core.error).toMatchObject({ by: "peer", code: rule === "F4" ? "limit" : "protocol" });
    expect(pending.outcomes).toEqual([{ error: script.core.error }]);
    const last = script.heard().at(-1)!;
    expect(last["type"]).toBe("drain");
    expect(last["reason"]).toContain(`(${rule})`);
    expect(script.core.stats()).toMatchObject({ calls: 0, handlers: 0, streams: 0, stopping: 0, unread: 0 });
    script.data(1, "x");
    script.call("m");
    expect(script.heard()).toEqual([]);
  });

  it("F2a: a reader whose stream broke the rule hears of the session's end", () => {
    const script = Scripted.greeted();
    script.call("m", [ITEMS]);
    script.data(1, "[1", { item: true, more: true });
    const half = script.end.seen.received[0] as ReceiveHalf;
    let said = 0;
    half.onReadable = () => void said++;
    script.frame({ type: "end", id: 1, offset: 34 });
    expect([said, half.isOver, half.error?.cause]).toEqual([1, true, script.core.error]);
  });

  it("F4: nothing is allocated for what a length only announces", () => {
    const script = Scripted.greeted();
    script.raw(header(script.limits.message, 0).subarray(0, 12));
    expect(script.endedBy).toBe(undefined);
    script.core.inputEnded(0);
    expect(script.core.error).toMatchObject({ rule: "L2", by: "transport" });
  });

  it("F3: an unknown frame that may be ignored is, and the next call is answered", () => {
    const script = Scripted.greeted();
    script.raw(header(16, 0x80, 0xff, 0xffff, 7));
    expect(script.isWell).toBe(true);
    expect(script.end.seen.faults).toEqual([]);
  });

  it("F2a: in JSON a whole item cannot stand inside another", () => {
    const script = Scripted.greeted({ encoding: "json" });
    script.call("m", [ITEMS]);
    const data = (params: object): void =>
      script.message({ method: "$/stream/data", params: { id: 1, ...params } });
    data({ part: "[1", more: true });
    data({ item: 1, size: 1 });
    expect(script.endedBy).toBe("F2a");
  });

  it("S5: in JSON an item much larger than it says closes the session, however deep it nests", () => {
    for (const item of ["x".repeat(2000), JSON.parse("[".repeat(1000) + "]".repeat(1000)) as unknown]) {
      const script = Scripted.greeted({ encoding: "json" });
      script.call("m", [ITEMS]);
      script.message({ method: "$/stream/data", params: { id: 1, item, size: 10 } });
      expect(script.endedBy).toBe("S5");
    }
  });

  it("F1: in JSON a malformed frame closes the session", () => {
    for (const [method, params] of [
      ["$/stream/end", { id: 1 }],
      ["$/stream/reset", { id: 1, code: "x", message: "" }],
      ["$/stream/stop", [1]],
      ["$/stream/data", { id: 1, bytes: "a-_=" }],
      ["$/stream/data", { id: 1 }],
      ["$/ping", { token: "xyz" }],
      ["$/drain", {}],
    ] as const) {
      const script = Scripted.greeted({ encoding: "json" });
      script.message({ method, params });
      expect(script.core.error?.code).toBe("protocol");
    }
  });

  it("H3: text after the switch to frames closes the session", () => {
    const script = new Scripted({ unit: "messages" });
    script.core.receive(
      JSON.stringify({ jsonrpc: "2.0", id: 1, method: "$/hello", params: helloOf(["frames"]) }),
      0,
    );
    script.core.flush();
    script.core.receive("{}", 0);
    expect(script.endedBy).toBe("H3");
  });

  it("F5: on a message transport a frame that spans two messages closes the session", () => {
    const script = new Scripted({ unit: "messages", framesFromStart: true });
    script.core.receive(header(100, 0).subarray(0, 12), 0);
    expect(script.endedBy).toBe("F5");
  });
});
