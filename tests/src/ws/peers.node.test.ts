// Sessions over real WebSockets, with peers that know nothing of Sluice, and with each other.
import { connect as dialTcp } from "node:net";
import {
  assertNoLeaks,
  connect,
  mcp,
  RpcError,
  type Session,
  type SessionOptions,
  type SessionReadable,
} from "@sluice/session";
import type { Chunk } from "@sluice/transport";
import { dial } from "@sluice/ws";
import { describe, expect, it } from "vitest";
import { PlainClient } from "./plain-client.ts";
import { service, tap, type Service, type Tapped } from "./service.ts";

const noticed: unknown[] = [];
const plain: SessionOptions = {
  handlers: {
    add: ({ a, b }: { a: number; b: number }) => a + b,
    fail: () => {
      throw new RpcError(1001, "out of paper", { tray: 2 });
    },
    ask: async (_params, { session }) => `hello ${await session.call<string>("name")}`,
    never: () => new Promise(() => {}),
  },
  notifications: { note: (params) => void noticed.push(params) },
};

describe.each([
  ["without a subprotocol", []],
  ["with subprotocol jsonrpc", ["jsonrpc"]],
])("a plain client %s", (_, protocols) => {
  it("H2: is answered, told its errors, and called itself", async () => {
    await using all = await service(plain);
    const client = await PlainClient.open(all.server.url, protocols);
    expect(client.socket.protocol).toBe(protocols[0] ?? "");
    client.call(1, "add", { a: 1, b: 2 }).call("two", "fail").call(3, "nothing");
    expect([await client.json(), await client.json(), await client.json()]).toEqual([
      { jsonrpc: "2.0", id: 1, result: 3 },
      { jsonrpc: "2.0", id: "two", error: { code: 1001, message: "out of paper", data: { tray: 2 } } },
      { jsonrpc: "2.0", id: 3, error: { code: -32601, message: expect.any(String) as string } },
    ]);
    client.call(4, "ask");
    const { id, method } = await client.json();
    expect(method).toBe("name");
    client.say({ jsonrpc: "2.0", id, result: "Ada" });
    expect(await client.json()).toEqual({ jsonrpc: "2.0", id: 4, result: "hello Ada" });
    client.socket.close(1000);
    assertNoLeaks(await all.session());
  });

  it("may send notifications, and bytes that are UTF-8", async () => {
    await using all = await service(plain);
    const client = await PlainClient.open(all.server.url, protocols);
    noticed.length = 0;
    client.say({ jsonrpc: "2.0", method: "note", params: { n: "ä" } });
    client.socket.send(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"add","params":{"a":2,"b":2}}'));
    expect(await client.json()).toEqual({ jsonrpc: "2.0", id: 1, result: 4 });
    expect(noticed).toEqual([{ n: "ä" }]);
    client.socket.terminate();
  });

  it("is told of what is no JSON, and goes on", async () => {
    await using all = await service(plain);
    const client = await PlainClient.open(all.server.url, protocols);
    client.call(1, "add", { a: 0, b: 0 });
    await client.json();
    client.say('{"jsonrpc":').call(2, "add", { a: 1, b: 1 });
    expect([await client.json(), await client.json()]).toMatchObject([
      { id: null, error: { code: -32700 } },
      { id: 2, result: 2 },
    ]);
    client.socket.terminate();
  });

  it("has its batches answered as one, or refused where the dialect says so", async () => {
    const batch = [
      { jsonrpc: "2.0", id: 1, method: "add", params: { a: 1, b: 1 } },
      { jsonrpc: "2.0", method: "note" },
      { jsonrpc: "2.0", id: 2, method: "add", params: { a: 2, b: 2 } },
    ];
    await using answering = await service(plain);
    const first = (await PlainClient.open(answering.server.url, protocols)).say(batch);
    expect(await first.json()).toEqual([
      { jsonrpc: "2.0", id: 1, result: 2 },
      { jsonrpc: "2.0", id: 2, result: 4 },
    ]);
    first.socket.terminate();

    await using refusing = await service({ ...plain, dialect: mcp });
    const second = (await PlainClient.open(refusing.server.url, protocols)).say(batch);
    second.call(3, "add", { a: 3, b: 3 });
    expect([await second.json(), await second.json()]).toMatchObject([
      { id: null, error: { code: -32600 } },
      { id: 3, result: 6 },
    ]);
    second.socket.terminate();
  });

  it.each([
    ["without a code", undefined, "closed"],
    ["with 1000", 1000, "closed"],
    ["with 4000", 4000, "lost"],
  ])("W3: that closes %s ends the session", async (_, code, said) => {
    await using all = await service({ ...plain, limits: { grace: 1 } });
    const client = await PlainClient.open(all.server.url, protocols);
    client.call(1, "add", { a: 1, b: 1 });
    await client.json();
    const session = await all.session();
    const pending = session.call("name").catch((error: unknown) => error);
    expect((await client.json()).method).toBe("name");
    client.socket.close(code, code === undefined ? undefined : "gone");
    const error = await session.closed;
    expect([error.code, await pending]).toEqual([said, error]);
    expect(await client.closed).toEqual({ code: code ?? 1005, reason: code === undefined ? "" : "gone" });
    assertNoLeaks(session);
    expect(all.server.sessions).toBe(0);
  });

  it("L1: is closed with 1000 and the reason once it has its answers", async () => {
    await using all = await service(plain);
    const client = await PlainClient.open(all.server.url, protocols);
    client.call(1, "add", { a: 1, b: 1 });
    await client.json();
    const session = await all.session();
    void session.close("that was all");
    expect(await client.closed).toEqual({ code: 1000, reason: "that was all" });
    expect((await session.closed).code).toBe("closed");
  });
});

/** A frame of a client, masked with a key of noughts. */
function masked(opcode: number, payload: string | Uint8Array, more: "more" | "last" = "last"): Buffer {
  const body = Buffer.from(payload as string);
  return Buffer.concat([
    Buffer.of(opcode | (more === "last" ? 0x80 : 0), 0x80 | body.length, 0, 0, 0, 0),
    body,
  ]);
}

it("a peer written by hand, byte by byte, is answered: a message in three parts, a ping between, a close", async () => {
  await using all = await service(plain);
  const socket = dialTcp(all.server.port, "127.0.0.1");
  let heard = Buffer.alloc(0);
  let news = (): void => {};
  socket.on("data", (chunk) => {
    heard = Buffer.concat([heard, chunk as Uint8Array]);
    news();
  });
  const ended = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  /** So many bytes, once they have come. */
  const take = async (bytes: number): Promise<Buffer> => {
    while (heard.length < bytes) await new Promise<void>((resolve) => (news = resolve));
    const taken = heard.subarray(0, bytes);
    heard = heard.subarray(bytes);
    return taken;
  };
  const frame = async (): Promise<[number, string]> => {
    const [first, length] = await take(2);
    return [first!, String(await take(length!))];
  };

  socket.write(
    [
      "GET / HTTP/1.1",
      `Host: localhost:${all.server.port}`,
      "Connection: keep-alive, Upgrade",
      "Upgrade: WebSocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "",
      "",
    ].join("\r\n"),
  );
  while (!heard.includes("\r\n\r\n")) await new Promise<void>((resolve) => (news = resolve));
  const head = String(await take(heard.indexOf("\r\n\r\n") + 4));
  // The example of RFC 6455 section 1.3.
  expect(head).toMatch(/^HTTP\/1.1 101 /);
  expect(head.toLowerCase()).toContain("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=");

  const bytes = Buffer.from('{"jsonrpc":"2.0","id":"ä","method":"add","params":{"a":20,"b":3}}');
  const cut = bytes.indexOf("ä") + 1; // in the middle of a character
  const whole = Buffer.concat([
    masked(0x1, bytes.subarray(0, cut), "more"),
    masked(0x9, "alive?"),
    masked(0x0, bytes.subarray(cut, 40), "more"),
    masked(0x0, bytes.subarray(40)),
  ]);
  for (const byte of whole) socket.write(Buffer.of(byte));
  expect(await frame()).toEqual([0x8a, "alive?"]);
  expect(await frame()).toEqual([0x81, '{"jsonrpc":"2.0","id":"ä","result":23}']);
  socket.write(masked(0x8, Buffer.of(0x03, 0xe8)));
  expect((await frame())[0]).toBe(0x88);
  socket.end();
  await ended;
  const session = await all.session();
  expect((await session.closed).code).toBe("closed");
  assertNoLeaks(session);
});

/** One frame of PROTOCOL.md F1 that holds a message. */
function messageFrame(message: object): Buffer {
  const payload = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
  const head = Buffer.alloc(12);
  head.writeUInt32BE(payload.length, 0);
  return Buffer.concat([head, payload]);
}

const hello = (encoding: string): object => ({
  id: 1,
  method: "$/hello",
  params: {
    version: 1,
    encodings: [encoding],
    window: 65_536,
    limits: { message: 65_536, item: 65_536, streams: 16, calls: 16 },
  },
});

describe("H4: on sluice.v1, over a real WebSocket", () => {
  it("F5: frames are spoken from the first byte, several in one message", async () => {
    await using all = await service(plain);
    const client = await PlainClient.open(all.server.url, ["sluice.v1"]);
    client.socket.send(messageFrame(hello("frames")));
    const answer = await client.next();
    expect(answer.readUInt32BE(0)).toBe(answer.length - 12);
    expect(JSON.parse(answer.toString("utf8", 12))).toMatchObject({
      id: 1,
      result: { encodings: ["frames"] },
    });
    const calls = [2, 3, 4].map((id) => messageFrame({ id, method: "add", params: { a: id, b: 1 } }));
    client.socket.send(Buffer.concat(calls));
    const answers = framesIn([await client.next()]);
    while (answers.length < 3) answers.push(...framesIn([await client.next()]));
    expect(answers.map(({ text }) => JSON.parse(text))).toMatchObject([
      { id: 2, result: 3 },
      { id: 3, result: 4 },
      { id: 4, result: 5 },
    ]);
    client.socket.terminate();
  });

  it("F5: a frame that spans two messages closes the session", async () => {
    await using all = await service(plain);
    const client = await PlainClient.open(all.server.url, ["sluice.v1"]);
    client.socket.send(messageFrame(hello("frames")));
    await client.next();
    const call = messageFrame({ id: 2, method: "add", params: { a: 1, b: 1 } });
    client.socket.send(call.subarray(0, 20));
    client.socket.send(call.subarray(20));
    expect((await client.closed).code).toBe(1002);
    expect((await (await all.session()).closed).code).toBe("protocol");
  });

  it("a hello that does not choose frames closes the session", async () => {
    await using all = await service(plain);
    const client = await PlainClient.open(all.server.url, ["sluice.v1"]);
    client.socket.send(messageFrame(hello("json")));
    await expect(all.session()).rejects.toMatchObject({ _tag: "SessionError" });
    expect((await client.closed).code).not.toBe(1000);
  });

  it("text closes the session", async () => {
    await using all = await service(plain);
    const client = await PlainClient.open(all.server.url, ["sluice.v1"]);
    client.say({ jsonrpc: "2.0", ...hello("frames") });
    expect(await client.closed).toEqual({ code: 1003, reason: "text where frames are spoken (W1)" });
    await expect(all.session()).rejects.toMatchObject({ _tag: "SessionError" });
  });
});

it("C8: a greeted peer's batch is answered -32600, once", async () => {
  await using all = await service(plain);
  const client = await PlainClient.open(all.server.url, ["jsonrpc"]);
  client.say({ jsonrpc: "2.0", ...hello("json") });
  expect(await client.json()).toMatchObject({ id: 1, result: { encodings: ["json"] } });
  client.say([
    { jsonrpc: "2.0", id: 2, method: "add", params: { a: 1, b: 1 } },
    { jsonrpc: "2.0", id: 3, method: "add", params: { a: 1, b: 1 } },
  ]);
  expect(await client.json()).toMatchObject({ id: null, error: { code: -32600 } });
  client.call(4, "add", { a: 4, b: 4 });
  expect(await client.json()).toMatchObject({ id: 4, result: 8 });
  client.socket.terminate();
});

/** All frames in these messages; fails where one of them does not end with its message (F5). */
function framesIn(messages: readonly Chunk[]): { type: number; text: string }[] {
  const found: { type: number; text: string }[] = [];
  for (const message of messages) {
    expect(typeof message).toBe("object");
    const bytes = Buffer.from(message as Uint8Array);
    for (let at = 0; at < bytes.length;) {
      const end = at + 12 + bytes.readUInt32BE(at);
      expect(end).toBeLessThanOrEqual(bytes.length);
      found.push({ type: bytes[at + 4]!, text: bytes.toString("utf8", at + 12, end) });
      at = end;
    }
  }
  return found;
}

const streaming: SessionOptions = {
  handlers: {
    async *count({ to }: { to: number }) {
      for (let n = 1; n <= to; n++) yield n;
    },
    // What comes goes back.
    mirror: ({ body }: { body: SessionReadable }) => body,
    async sum({ body }: { body: SessionReadable }) {
      let sum = 0;
      for await (const chunk of body as AsyncIterable<Uint8Array>) for (const byte of chunk) sum += byte;
      return sum;
    },
    endless: async function* () {
      for (let n = 0; ; n++) yield n;
    },
    back: async (_params, { session }) => {
      const got: number[] = [];
      for await (const n of await session.call<AsyncIterable<number>>("count", { to: 5 })) got.push(n);
      return got;
    },
  },
};

interface Joined extends AsyncDisposable {
  readonly all: Service;
  readonly near: Session;
  readonly far: Session;
  /** What the client has sent and received. */
  readonly tapped: Tapped;
}

async function joined(protocols: readonly string[], encodings: SessionOptions["encodings"]): Promise<Joined> {
  const all = await service(streaming);
  const tapped: Tapped = { sent: [], received: [] };
  const transport = tap(await dial(all.server.url, { protocols }), tapped);
  const near = await connect(transport, { ...streaming, ...(encodings && { encodings }) });
  const far = await all.session();
  return { all, near, far, tapped, [Symbol.asyncDispose]: () => all.server.close() };
}

const kinds = [
  ["sluice.v1", ["sluice.v1"], undefined, "frames"],
  ["jsonrpc", ["jsonrpc"], undefined, "switched"],
  ["no subprotocol", [], undefined, "switched"],
  ["jsonrpc, in JSON alone", ["jsonrpc"], ["json"], "text"],
] as const;

describe.each(kinds)("two sessions over %s", (_, protocols, encodings, speaks) => {
  it("call each other and stream both ways, and nothing is left of it", { timeout: 120_000 }, async () => {
    await using both = await joined(protocols, encodings);
    const { near, far } = both;
    for (const session of [near, far]) {
      const got: number[] = [];
      for await (const n of await session.call<AsyncIterable<number>>("count", { to: 2000 })) got.push(n);
      expect(got).toEqual(Array.from({ length: 2000 }, (_, n) => n + 1));
      expect(await session.call("back")).toEqual([1, 2, 3, 4, 5]);
      for await (const n of await session.call<AsyncIterable<number>>("endless")) if (n === 300) break;

      const MiB = 1 << 20;
      const block = new Uint8Array(3 * MiB).map((_, at) => (at * 31) & 0xff);
      const sum = block.reduce((sum, byte) => sum + byte, 0);
      expect(await session.call("sum", { body: new Blob([block]) })).toBe(sum);
      let length = 0;
      let wrong = 0;
      for await (const chunk of await session.call<AsyncIterable<Uint8Array>>("mirror", {
        body: new Blob([block]),
      }))
        for (const byte of chunk) if (byte !== block[length++]) wrong++;
      expect([length, wrong]).toEqual([block.length, 0]);
    }
    // What a stream that was left early still owes comes before the answer of a later call.
    await near.call("sum", { body: new Blob([]) });
    await far.call("sum", { body: new Blob([]) });
    assertNoLeaks(near);
    assertNoLeaks(far);
    await near.close("that was all");
    expect([(await near.closed).code, (await far.closed).code]).toEqual(["closed", "closed"]);
    assertNoLeaks(near);
    assertNoLeaks(far);
    expect(both.all.server.sessions).toBe(0);
  });

  it(`H3, F5: speak ${speaks === "switched" ? "text before the switch and frames after" : speaks}`, async () => {
    await using both = await joined(protocols, encodings);
    await both.near.call("back");
    await Promise.all(Array.from({ length: 20 }, () => both.near.call("sum", { body: new Blob(["abc"]) })));
    await both.near.close();
    await both.far.closed;
    for (const messages of [both.tapped.sent, both.tapped.received]) {
      const text = messages.filter((message) => typeof message === "string");
      const binary = messages.filter((message) => typeof message !== "string");
      if (speaks === "text") {
        expect(binary).toEqual([]);
        continue;
      }
      // The hello, or its answer, and nothing else.
      expect(text.length).toBe(speaks === "switched" ? 1 : 0);
      expect(messages.slice(0, text.length)).toEqual(text);
      const frames = framesIn(binary);
      expect(frames.length).toBeGreaterThan(binary.length);
      expect(frames.filter(({ type }) => type === 0).length).toBeGreaterThan(0);
    }
  });

  it("L2: a transport that is lost ends both with their calls", async () => {
    await using both = await joined(protocols, encodings);
    const { near, far } = both;
    const stream = await near.call<AsyncIterable<number>>("endless");
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    const closing = both.all.server.close("maintenance");
    const [here, there] = [await near.closed, await far.closed];
    expect([here.code, there.code]).toEqual(["lost", "lost"]);
    expect(here.message).toContain("1001 (going away): maintenance");
    await expect(
      (async () => {
        while ((await iterator.next()).done !== true);
      })(),
    ).rejects.toBeDefined();
    await closing;
    assertNoLeaks(near);
    assertNoLeaks(far);
  });
});
