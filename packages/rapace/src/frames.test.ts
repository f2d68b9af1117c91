// The byte vectors of published peers, and frames that come as no peer sends them.
import { expect, it, describe } from "vitest";
import { cancelPayload, grantPayload, VERB } from "./control.ts";
import { writeError } from "./error.ts";
import { FLAG } from "./frame.ts";
import { FrameError, FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { methodId } from "./method-id.ts";
import { frameBytes, framesIn, hex, join, toHex, utf8 } from "./frames.testing.ts";

const NO_DEADLINE = "ffffffffffffffff";
const ZEROS = (bytes: number): string => "00".repeat(bytes);

interface Vector {
  readonly name: string;
  readonly bytes: string;
  readonly head: Parameters<FrameWriter["frame"]>[0];
  readonly payload: Uint8Array;
}

const VECTORS: readonly Vector[] = [
  {
    name: "request Adder.add(2, 3)",
    bytes: `42000000 010000000000000001000000b146afafffffffff00000000000000000200000005000000
      00000000${NO_DEADLINE}0406${ZEROS(14)} 0406`,
    head: { message: 1, channel: 1, method: methodId("Adder.add"), flags: 0x05 },
    payload: hex("0406"),
  },
  {
    name: "reply i32 5",
    bytes: `41000000 00000000000000000100000000000000ffffffff00000000000000000100000005000000
      00000000${NO_DEADLINE}0a${ZEROS(15)} 0a`,
    head: { channel: 1, method: 0, flags: 0x05 },
    payload: hex("0a"),
  },
  {
    name: "error reply Unimplemented",
    bytes: `5c000000 00000000000000000200000000000000000000000000000000000000 1c00000014000000
      00000000${NO_DEADLINE}${ZEROS(16)} 0b00000014000000756e6b6e6f776e206d6574686f645f69643a2031`,
    head: { channel: 2, method: 0, flags: 0x14 },
    payload: writeError({ code: 11, message: "unknown method_id: 1" }),
  },
  {
    name: "ping, the raw form",
    bytes: `48000000 00000000000000000000000005000000ffffffff00000000000000000800000002000000
      00000000${NO_DEADLINE}0102030405060708${ZEROS(8)} 0102030405060708`,
    head: { channel: 0, method: VERB.ping, flags: 0x02 },
    payload: hex("0102030405060708"),
  },
  {
    name: 'tunnel chunk "hello"',
    bytes: `45000000 02000000000000000700000000000000ffffffff00000000000000000500000001000000
      00000000${NO_DEADLINE}68656c6c6f${ZEROS(11)} 68656c6c6f`,
    head: { message: 2, channel: 7, method: 0, flags: 0x01 },
    payload: utf8("hello"),
  },
  {
    name: "tunnel chunk of 17 bytes, not inline",
    bytes: `51000000 0400000000000000070000000000000000000000 0000000000000000110000000100000000000000
      ${NO_DEADLINE}${ZEROS(16)} ${"aa".repeat(17)}`,
    head: { message: 4, channel: 7, method: 0, flags: 0x01 },
    payload: new Uint8Array(17).fill(0xaa),
  },
  {
    name: "tunnel end",
    bytes: `40000000 03000000000000000700000000000000ffffffff00000000000000000000000005000000
      00000000${NO_DEADLINE}${ZEROS(16)}`,
    head: { message: 3, channel: 7, method: 0, flags: 0x05 },
    payload: new Uint8Array(0),
  },
  {
    name: "streaming request RangeService.range(3)",
    bytes: `41000000 0100000000000000010000005d56eb86ffffffff00000000000000000100000005010000
      00000000${NO_DEADLINE}03${ZEROS(15)} 03`,
    head: { message: 1, channel: 1, method: methodId("RangeService.range"), flags: 0x105 },
    payload: hex("03"),
  },
  {
    name: "end of a server stream",
    bytes: `40000000 00000000000000000100000000000000ffffffff00000000000000000000000004000000
      00000000${NO_DEADLINE}${ZEROS(16)}`,
    head: { channel: 1, method: 0, flags: 0x04 },
    payload: new Uint8Array(0),
  },
  {
    name: "CancelChannel(1, ClientCancel)",
    bytes: `43000000 09000000000000000000000003000000ffffffff00000000000000000300000006000000
      00000000${NO_DEADLINE}020100${ZEROS(13)} 020100`,
    head: { message: 9, channel: 0, method: VERB.cancelChannel, flags: 0x06 },
    payload: cancelPayload(1, "client"),
  },
  {
    name: "GrantCredits(1, 1024)",
    bytes: `44000000 0a000000000000000000000004000000ffffffff00000000000000000400000046000000
      00040000${NO_DEADLINE}03018008${ZEROS(12)} 03018008`,
    head: { message: 10, channel: 0, method: VERB.grantCredits, flags: 0x46, credit: 1024 },
    payload: grantPayload(1, 1024),
  },
];

describe("byte vectors of published peers", () => {
  it.each(VECTORS)("R1, R3: $name is written as they write it", ({ bytes, head, payload }) => {
    expect(toHex(frameBytes(head, payload))).toBe(toHex(hex(bytes)));
  });

  it.each(VECTORS)("R1, R3: $name is read, whole and cut at every byte", ({ bytes, head, payload }) => {
    const wire = hex(bytes);
    const expected = { message: 0, credit: 0, deadline: undefined, ...head, payload };
    expect(framesIn(wire)).toEqual([expected]);
    for (let cut = 0; cut <= wire.length; cut++) {
      const reader = new FrameReader("bytes", 1024);
      reader.push(wire.subarray(0, cut));
      const early = reader.next();
      expect(reader.partial).toBe(cut > 0 && cut < wire.length);
      reader.push(wire.subarray(cut));
      expect(early ?? reader.next()).toEqual(expected);
      expect(reader.partial).toBe(false);
    }
  });

  it.each(VECTORS)(
    "R1: $name is one message without a length on a transport of messages",
    ({ bytes, head, payload }) => {
      expect(toHex(frameBytes(head, payload, "messages"))).toBe(toHex(hex(bytes).subarray(4)));
      const reader = new FrameReader("messages", 1024);
      reader.push(hex(bytes).subarray(4));
      expect(reader.next()).toMatchObject({ channel: head.channel, flags: head.flags, payload });
    },
  );
});

describe("method numbers (R6)", () => {
  it.each([
    ["Adder.add", 0xafaf46b1],
    ["Calculator.add", 0x193fa158],
    ["RangeService.range", 0x86eb565d],
    ["Echo.echo", 0x3e895c50],
    ["LargeBlobService.echo", 0xd38914ef],
    ["Testbed.echo", 0xc1a39d79],
    ["Vfs.read", 0xc8c061c2],
  ])("R6: of %s", (name, id) => {
    expect(methodId(name)).toBe(id);
  });

  it("R6: differ for names that are not ASCII", () => {
    expect(methodId("Écho.echo")).not.toBe(methodId("Echo.echo"));
  });
});

describe("reading frames", () => {
  const chunk = (n: number): Uint8Array =>
    frameBytes({ channel: 7, flags: FLAG.data, message: n }, Uint8Array.of(n));

  it("R1: the prefix may come in four reads", () => {
    const reader = new FrameReader("bytes", 1024);
    for (const byte of chunk(1)) {
      expect(reader.next()).toBe(undefined);
      reader.push(Uint8Array.of(byte));
    }
    expect(reader.next()).toMatchObject({ channel: 7, payload: Uint8Array.of(1) });
  });

  it("R1: many frames may come in one read", () => {
    const frames = framesIn(join(Array.from({ length: 200 }, (_, n) => chunk(n))));
    expect(frames.map(({ message }) => message)).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });

  it("R2: a length above the limit is refused before anything is waited for", () => {
    const reader = new FrameReader("bytes", 1024);
    reader.push(hex("ffffffff"));
    expect(reader.next()).toMatchObject({ _tag: "FrameError", rule: "R2", code: "limit" });
    expect(reader.held).toBe(4);
  });

  it("R2: a payload of the limit is taken, one more byte is not", () => {
    const fits = new FrameReader("bytes", 100);
    fits.push(frameBytes({}, new Uint8Array(100)));
    expect(fits.next()).toMatchObject({ payload: new Uint8Array(100) });
    fits.push(frameBytes({}, new Uint8Array(101)));
    expect(fits.next()).toBeInstanceOf(FrameError);
  });

  it.each(["bytes", "messages"] as const)("R2: a frame shorter than its descriptor is none (%s)", (unit) => {
    const reader = new FrameReader(unit, 1024);
    reader.push(unit === "bytes" ? hex("3f000000") : new Uint8Array(63));
    expect(reader.next()).toMatchObject({ rule: "R2", code: "protocol" });
  });

  it("R1: text messages are skipped", () => {
    const reader = new FrameReader("messages", 1024);
    reader.push("hello");
    expect(reader.next()).toBe(undefined);
  });

  it("R3: an inline payload that is not repeated reads as empty", () => {
    const bytes = hex(VECTORS[0]!.bytes).subarray(0, 68);
    bytes[0] = 0x40;
    expect(framesIn(bytes)[0]!.payload.length).toBe(0);
  });

  it("R3: what the descriptor says of the payload's length and place is not looked at", () => {
    const bytes = frameBytes({ channel: 7, flags: FLAG.data }, new Uint8Array(40).fill(3));
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (const at of [16, 20, 24, 28]) view.setUint32(4 + at, 0x7fff_ffff, true);
    expect(framesIn(bytes)[0]!.payload).toEqual(new Uint8Array(40).fill(3));
  });

  it("R3: a short payload that is not said to be inline is read all the same", () => {
    const bytes = frameBytes({ channel: 7, flags: 0x14 }, writeError({ code: 3, message: "no" }));
    expect(framesIn(bytes)[0]!.payload.length).toBe(10);
  });

  it("reads a message number and a deadline of 64 bits", () => {
    const head = {
      message: 2 ** 40 + 5,
      channel: 1,
      method: 2,
      flags: 5,
      deadline: 2n ** 63n + 7n,
      credit: 9,
    };
    expect(framesIn(frameBytes(head, utf8("x")))).toEqual([{ ...head, payload: utf8("x") }]);
  });

  it("keeps flags that are not known, which mean nothing", () => {
    expect(framesIn(frameBytes({ flags: 0xffff_ffff }, utf8("")))[0]!.flags).toBe(0xffff_ffff);
  });
});

describe("writing frames", () => {
  it("gathers small frames into one chunk, and passes a large payload on as it is", () => {
    const writer = new FrameWriter("bytes");
    const large = new Uint8Array(10_000);
    for (let i = 0; i < 10; i++) writer.frame({ channel: 1, method: 2, flags: 5 }, utf8("hello"));
    writer.frame({ channel: 1, method: 2, flags: 5 }, large);
    expect([writer.frames, writer.length]).toEqual([11, 10 * 73 + 68 + 10_000]);
    const chunks = writer.take();
    expect(chunks.length).toBe(2);
    expect(chunks[1]).toBe(large);
    expect([writer.frames, writer.length, writer.take()]).toEqual([0, 0, []]);
    expect(framesIn(join(chunks)).length).toBe(11);
  });

  it("makes one chunk of each frame on a transport of messages, in memory it is given", () => {
    const given: number[] = [];
    const writer = new FrameWriter("messages", (bytes) => {
      given.push(bytes);
      return new Uint8Array(bytes).fill(0xee);
    });
    for (const size of [0, 5, 3000, 100_000])
      writer.frame({ channel: 1, method: 0, flags: 1 }, new Uint8Array(size).fill(1));
    const chunks = writer.take();
    expect(chunks.map(({ length }) => length)).toEqual([64, 69, 3064, 100_064]);
    expect(given).toEqual([3064, 100_064]);
    for (const chunk of chunks) {
      const reader = new FrameReader("messages", 2 ** 20);
      reader.push(chunk);
      expect(reader.next()).toMatchObject({
        message: 0,
        channel: 1,
        flags: 1,
        credit: 0,
        deadline: undefined,
      });
    }
  });

  it("never writes a slab twice", () => {
    const writer = new FrameWriter("bytes");
    writer.frame({ channel: 1, method: 2, flags: 5 }, utf8("one"));
    const [first] = writer.take();
    const before = toHex(first!);
    for (let i = 0; i < 1000; i++) writer.frame({ channel: 3, method: 2, flags: 5 }, utf8("two"));
    expect(framesIn(join(writer.take())).length).toBe(1000);
    expect(toHex(first!)).toBe(before);
  });
});
