// Far ends that break the rules of WebSocket itself. What they are told is the runtime's own affair; what counts here is
// that their connection ends, with an error, and that the server goes on.
import process from "node:process";
import { constants, deflateRawSync } from "node:zlib";
import { dial } from "@sluice/ws";
import { describe, expect, it } from "vitest";
import { own, type Runtime } from "./fixtures/runtimes.ts";
import { served, type Served } from "./pairs.testing.ts";
import { closeOf, frameOf, OPCODE, Raw, type FrameOptions } from "./raw.testing.ts";
import { upgrading } from "./tcp.testing.ts";
import { bytes, watch } from "./watch.testing.ts";

const { more, text, binary, close, ping } = OPCODE;
const MESSAGE = 100_000;

interface Breach {
  readonly name: string;
  /** Made by the side that is hostile: a client masks its frames, a server does not. */
  frames(as: FrameOptions): readonly Uint8Array[];
  /** The code of the Close it is told where the runtime tells one. */
  readonly code?: number;
  /** Servers that do not look. */
  readonly lenient?: readonly Runtime[];
  /** Clients that do not. */
  readonly lenientClients?: readonly Runtime[];
}

const part: FrameOptions = { fin: false };
const fragments = (content: string): Breach["frames"] => {
  return (as) => [
    frameOf(text, "a", { ...as, ...part }),
    ...Array.from({ length: 2000 }, () => frameOf(more, content, { ...as, ...part })),
    frameOf(more, "z", as),
  ];
};
/** The head of a frame of so many bytes, without them. */
const headOf = (length: bigint, { mask = true }: FrameOptions): Buffer => {
  const head = Buffer.from([0x82, mask ? 0xff : 0x7f, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
  head.writeBigUInt64BE(length, 2);
  return head;
};

const breaches: readonly Breach[] = [
  {
    name: "a frame that is masked where it must not be, or the reverse",
    frames: (as) => [frameOf(text, "hi", { mask: as.mask === false })],
    code: 1002,
    lenient: ["deno"],
  },
  { name: "reserved bit 1", frames: (as) => [frameOf(text, "hi", { ...as, reserved: 0x40 })], code: 1002 },
  { name: "reserved bit 3", frames: (as) => [frameOf(text, "hi", { ...as, reserved: 0x10 })], code: 1002 },
  { name: "a reserved opcode", frames: (as) => [frameOf(3, "hi", as)], code: 1002 },
  { name: "a reserved opcode of control", frames: (as) => [frameOf(11, "hi", as)], code: 1002 },
  { name: "a continuation of nothing", frames: (as) => [frameOf(more, "x", as)], code: 1002 },
  {
    name: "a message within a message",
    frames: (as) => [frameOf(text, "a", { ...as, ...part }), frameOf(text, "b", as)],
    code: 1002,
  },
  { name: "a ping in parts", frames: (as) => [frameOf(ping, "a", { ...as, ...part })], code: 1002 },
  { name: "a long ping", frames: (as) => [frameOf(ping, "x".repeat(126), as)], code: 1002 },
  { name: "text that is no UTF-8", frames: (as) => [frameOf(text, Buffer.of(0xc3, 0x28), as)], code: 1007 },
  { name: "half a character", frames: (as) => [frameOf(text, Buffer.of(97, 0xe2, 0x82), as)], code: 1007 },
  { name: "a length beyond all limits", frames: (as) => [headOf(1n << 40n, as)], code: 1009 },
  { name: "a length with its highest bit set", frames: (as) => [headOf(1n << 63n, as)], code: 1009 },
  {
    name: "W4: a message too big",
    frames: (as) => [frameOf(binary, Buffer.alloc(MESSAGE + 1), as)],
    code: 1009,
  },
  {
    name: "W4: parts that are too big together",
    frames: (as) => [
      frameOf(binary, Buffer.alloc(MESSAGE), { ...as, ...part }),
      frameOf(more, Buffer.alloc(1), as),
    ],
    code: 1009,
  },
  {
    name: "W4: two thousand parts",
    frames: fragments("b"),
    code: 1008,
    lenient: ["deno", "bun"],
    lenientClients: ["bun"],
  },
  {
    name: "W4: two thousand empty parts",
    frames: fragments(""),
    code: 1008,
    lenient: ["deno", "bun"],
    lenientClients: ["bun"],
  },
];

/** Those of a Close. */
const badCloses: readonly Breach[] = [999, 1004, 1005, 1006, 1015, 2999].map((code) => ({
  name: `a Close with code ${code}`,
  frames: (as) => [frameOf(close, closeOf(code), as)],
  code: 1002,
}));
const closes: readonly Breach[] = [
  ...badCloses,
  { name: "a Close of one byte", frames: (as) => [frameOf(close, Buffer.of(3), as)], code: 1002 },
  {
    name: "a Close whose reason is no UTF-8",
    frames: (as) => [frameOf(close, Buffer.concat([closeOf(1000), Buffer.of(0xff)]), as)],
    code: 1007,
  },
];

/** Somebody else is served as ever. */
async function goesOn(all: Served): Promise<void> {
  const near = watch(await dial(all.server.url, { protocols: [] }));
  const far = watch(await all.accepted());
  near.transport.write(["still there?"]);
  await far.said("still there?");
  far.transport.write(["yes"]);
  await near.said("yes");
  near.transport.abort();
  await far.closed;
  expect(all.server.sessions).toBe(0);
}

describe("a client that sends", () => {
  for (const { name, frames, code, lenient = [] } of [...breaches, ...closes]) {
    if (lenient.includes(own)) continue;
    it(`${name} is dropped`, async () => {
      await using all = await served({ limits: { message: MESSAGE } });
      const raw = await Raw.open(all.server);
      const far = watch(await all.accepted());
      for (const frame of frames({ mask: true })) raw.send(frame);
      // Deno drops the connection without a word where it is not us who find it.
      expect(own === "deno" ? [code, undefined] : [code]).toContain(await raw.closeCode());
      raw.frame(close, closeOf(code ?? 1002));
      const error = await far.closed;
      expect(["protocol", "read"]).toContain(error?.code);
      expect(far.text).toBe("");
      await goesOn(all);
    });
  }

  it("more pings than it reads answers to costs its connection at most", async () => {
    await using all = await served();
    const raw = await Raw.open(all.server);
    const far = watch(await all.accepted());
    raw.socket.pause();
    const burst = Buffer.concat(Array.from({ length: 1000 }, () => frameOf(ping, "x".repeat(125))));
    // As many as the system takes while nobody reads the answers.
    for (let sent = 0; sent < 100; sent++) raw.send(burst);
    raw.socket.destroy();
    expect((await far.closed)?.code).toBe("read");
    await goesOn(all);
  });
});

describe("a server that sends", () => {
  for (const { name, frames, lenientClients = [] } of breaches) {
    if (lenientClients.includes(own)) continue;
    it(`${name} is left`, async () => {
      await using server = await upgrading((socket) => {
        socket.resume();
        for (const frame of frames({ mask: false })) socket.write(frame);
      });
      const near = watch(await dial(server.url, { protocols: [], limits: { message: MESSAGE, close: 100 } }));
      const error = await near.closed;
      expect(["protocol", "read"]).toContain(error?.code);
      expect(near.text).toBe("");
    });
  }
});

// Two thousand parts make one small message there; what they hold is bounded by limits.message.
describe.runIf(own !== "node")("W4: where fragments are not counted", () => {
  it("their message arrives, whole", async () => {
    await using all = await served({ limits: { message: MESSAGE } });
    const raw = await Raw.open(all.server);
    const far = watch(await all.accepted());
    for (const frame of fragments("b")({ mask: true })) raw.send(frame);
    await far.said(`a${"b".repeat(2000)}z`);
    raw.socket.destroy();
    expect((await far.closed)?.code).toBe("read");
    await goesOn(all);
  });
});

/** As permessage-deflate wants it (RFC 7692 section 7.2.1): without the four bytes each block ends with. */
const deflated = (content: Uint8Array, times = 1): Buffer => {
  const block = deflateRawSync(content, { finishFlush: constants.Z_SYNC_FLUSH });
  return Buffer.concat(Array.from({ length: times }, () => block)).subarray(0, -4);
};
const COMPRESSES = "Sec-WebSocket-Extensions: permessage-deflate";

describe("W4: compression", () => {
  it("is not negotiated unless asked for, and a compressed message ends the connection", async () => {
    await using all = await served();
    const raw = new Raw(all.server.port);
    const host = `Host: 127.0.0.1:${all.server.port}`;
    const { status, head } = await raw.upgrade([host, COMPRESSES]);
    expect([status, /sec-websocket-extensions/i.test(head)]).toEqual([101, false]);
    const far = watch(await all.accepted());
    raw.frame(text, deflated(Buffer.from("hi")), { reserved: 0x40 });
    expect(["protocol", "read"]).toContain((await far.closed)?.code);
    raw.socket.destroy();
  });

  // Deno's server knows no compression.
  describe.runIf(own !== "deno")("that was asked for", () => {
    async function compressing(limit: number): Promise<{ all: Served; raw: Raw }> {
      const all = await served({ compression: true, limits: { message: limit } });
      const raw = new Raw(all.server.port);
      const { head } = await raw.upgrade([`Host: 127.0.0.1:${all.server.port}`, COMPRESSES]);
      expect(head.toLowerCase()).toContain("sec-websocket-extensions: permessage-deflate");
      return { all, raw };
    }

    it("is spoken", async () => {
      const { all, raw } = await compressing(MESSAGE);
      const far = watch(await all.accepted());
      raw.frame(text, deflated(Buffer.from("x".repeat(50_000))), { reserved: 0x40 });
      await far.said("x".repeat(50_000));
      raw.socket.destroy();
      expect((await far.closed)?.code).toBe("read");
      await all.server.close();
    });

    it("bounds what comes out: half a gigabyte from half a megabyte ends the connection", async () => {
      const { all, raw } = await compressing(1024 * 1024);
      const far = watch(await all.accepted());
      const bomb = deflated(Buffer.alloc(1024 * 1024), 512);
      expect(bomb.length).toBeLessThan(1024 * 1024);
      const before = process.memoryUsage().rss;
      raw.frame(binary, bomb, { reserved: 0x40 });
      expect([1009, undefined]).toContain(await raw.closeCode());
      raw.frame(close, closeOf(1009));
      expect(["protocol", "read"]).toContain((await far.closed)?.code);
      expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
      await goesOn(all);
      await all.server.close();
    });
  });
});

describe("W2: a far end that goes on after its end", () => {
  it("is heard no more", async () => {
    await using all = await served();
    const raw = await Raw.open(all.server, ["Sec-WebSocket-Protocol: sluice.v1"]);
    const far = watch(await all.accepted());
    raw.frame(binary, "before").frame(binary).frame(binary, "after").frame(binary);
    await far.ended;
    far.transport.write([bytes("heard")]);
    expect((await raw.next())?.payload.toString()).toBe("heard");
    far.transport.close("over");
    expect((await raw.next())?.payload.length).toBe(0);
    expect(await raw.closeCode()).toBe(1000);
    raw.frame(close, closeOf(1000));
    expect([await far.closed, far.text]).toEqual([undefined, "before"]);
  });
});
