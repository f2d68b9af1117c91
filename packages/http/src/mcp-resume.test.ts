import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dial } from "./dial.ts";
import { memoryEventStore, type EventStore } from "./event-store.ts";
import { echo, McpEnd, RawClient, RawEvents, refused, type Message } from "./mcp.testing.ts";
import type { Fetch, HandlerOptions } from "./options.ts";
import { direct, URL_OF_DIRECT } from "./pairs.testing.ts";

const PROGRESS = "notifications/progress";
const text = (message: Message): string => JSON.stringify({ jsonrpc: "2.0", ...message });

/** A store that takes its time: some turns for each call, as many as the next of these says. */
function slowStore(turns: () => number): EventStore {
  const memory = memoryEventStore();
  const later = async (): Promise<void> => {
    for (let turn = turns(); turn > 0; turn--) await Promise.resolve();
  };
  return {
    append: (session, stream, event) => later().then(() => memory.append(session, stream, event)),
    // What was kept later may have been kept first.
    async after(session, stream, seq) {
      await later();
      return (await memory.after(session, stream, seq)).toSorted((a, b) => a.seq - b.seq);
    },
    forget: (session) => memory.forget(session),
  };
}

/** A fetch whose responses of events are cut after so many bytes: the first after the first of these, and so on. */
function cutting(fetch: Fetch, cuts: number[]): Fetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    const stream = response.headers.get("content-type") === "text/event-stream";
    const left = stream ? cuts.shift() : undefined;
    if (left === undefined || response.body === null) return response;
    return new Response(cutAfter(response.body, left), { headers: response.headers });
  };
}

/** What cuts a body as a connection that breaks does: what came before is there, then reading fails. */
function cutAfter(body: ReadableStream<Uint8Array>, left: number): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let rest = left;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (rest === 0) {
          controller.error(new TypeError("the connection was reset"));
          await reader.cancel();
          return;
        }
        const { done, value } = await reader.read();
        if (done) return controller.close();
        const part = value.subarray(0, rest);
        rest -= part.length;
        controller.enqueue(part);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

interface Talk {
  readonly client: McpEnd;
  readonly server: McpEnd;
}

async function talk(cuts: number[], options: Partial<HandlerOptions> = {}): Promise<Talk> {
  const { fetch, accepted } = direct({ ...options, limits: { retry: 0, ...options.limits } });
  const limits = { backoff: [0, 0] as const, retries: 1000 };
  const client = new McpEnd(dial(URL_OF_DIRECT, { fetch: cutting(fetch, cuts), limits }));
  client.send({ id: 0, method: "open" });
  const server: McpEnd = new McpEnd(await accepted(), ({ id, method, params }) => {
    // Each request: a message before its answer, one after it; and its progress, where it asks for that.
    if (method === undefined || id === undefined) return;
    const asked = params === undefined ? [] : [{ method: PROGRESS, params: { progressToken: id } }];
    server.send({ method: `before ${id}` }, ...asked, { id, result: {} }, { method: `after ${id}` });
  });
  return { client, server };
}

/** Two requests with messages around their answers, and an orderly end. What the client heard, in order. */
async function exchange({ client, server }: Talk): Promise<readonly unknown[]> {
  await client.count(3);
  client.send({ id: 1, method: "a", params: { _meta: { progressToken: 1 } } });
  client.notify("b");
  client.send({ id: 2, method: "c", params: { _meta: { progressToken: 2 } } });
  await client.until(() => client.heard.includes("after 2"));
  server.notify("last");
  server.transport.close();
  await client.until(() => client.state === "ended");
  client.transport.close();
  await Promise.all([client.closed(), server.closed()]);
  expect([client.error, server.error]).toEqual([undefined, undefined]);
  expect(server.heard).toEqual(["open", "a", "b", "c"]);
  return client.heard;
}

const ALL = [0, 1, 2]
  .flatMap((id) => [`before ${id}`, ...(id === 0 ? [] : [PROGRESS]), id, `after ${id}`])
  .concat("last");

describe("a response that is cut", () => {
  it("P6: answers and what was sent around them come in one order, where nothing is cut", async () => {
    expect(await exchange(await talk([]))).toEqual(ALL);
  });

  it("is resumed from wherever it was cut: nothing is lost, doubled or out of order (87)", async () => {
    // Behind what tells where to go on from, which each response has in its first 48 bytes.
    const cuts = fc.array(fc.integer({ min: 48, max: 500 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cuts, async (points) => {
        expect(await exchange(await talk([...points]))).toEqual(ALL);
      }),
      { numRuns: 150 },
    );
  });

  it("is resumed with a store that takes its time, too", async () => {
    const cuts = fc.array(fc.integer({ min: 48, max: 500 }), { maxLength: 8 });
    const turns = fc.infiniteStream(fc.integer({ min: 0, max: 6 }));
    await fc.assert(
      fc.asyncProperty(cuts, turns, async (points, stream) => {
        const store = slowStore(() => stream.next().value as number);
        expect(await exchange(await talk([...points], { store }))).toEqual(ALL);
      }),
      { numRuns: 150 },
    );
  });

  it("before it said where to go on from costs its own request, and no call waits for ever", async () => {
    for (let cut = 0; cut < 30; cut++) {
      const { client, server } = await talk([100_000, 100_000, cut]);
      await client.count(3);
      client.send({ id: 1, method: "a" });
      await client.until(() => client.messages.some((message) => message.id === 1));
      const answer = client.messages.find((message) => message.id === 1);
      if (answer?.error !== undefined)
        expect(answer.error).toMatchObject({ code: -32001, data: { mayHaveRun: true } });
      client.send({ id: 2, method: "b" });
      await client.until(() => client.messages.some((message) => message.id === 2));
      expect(client.messages.find((message) => message.id === 2)?.result).toEqual({});
      client.transport.abort();
      server.transport.abort();
    }
  });

  it("P6: of the GET is resumed even where it was cut before its first byte", async () => {
    for (let cut = 0; cut < 60; cut += 5) {
      const { client, server } = await talk([100_000, cut, cut, cut]);
      await client.count(3);
      const wanted = Array.from({ length: 20 }, (_, n) => `n${n}`);
      for (const method of wanted) server.notify(method);
      await client.until(() => client.heard.includes("n19"));
      expect(client.heard.slice(3)).toEqual(wanted);
      client.transport.abort();
      server.transport.abort();
    }
  });

  it("while messages are written loses none of them (87)", async () => {
    const cuts = fc.array(fc.integer({ min: 48, max: 3000 }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.integer({ min: 1, max: 9 }), async (points, each) => {
        const { client, server } = await talk([100_000, ...points]);
        await client.count(3);
        const wanted = Array.from({ length: 200 }, (_, n) => `n${n}`);
        for (let at = 0; at < wanted.length; at += each) {
          server.notify(...wanted.slice(at, at + each));
          await Promise.resolve();
        }
        await client.until(() => client.heard.includes("n199"));
        expect(client.heard.slice(3)).toEqual(wanted);
        client.transport.abort();
        server.transport.abort();
      }),
      { numRuns: 60 },
    );
  });
});

/** A session with one GET that was cut after some messages: `ids` of what the client saw, `n0` first. */
async function listened(
  options: Partial<HandlerOptions> = {},
  count = 3,
): Promise<{ client: RawClient; server: McpEnd; ids: string[] }> {
  const { fetch, accepted } = direct(options);
  const client = new RawClient(fetch);
  const opening = client.open();
  const server = echo(await accepted());
  await new RawEvents(await opening).rest();
  const get = new RawEvents(await client.get());
  await get.next();
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    server.notify(`n${n}`);
    ids.push((await get.next())?.id ?? "");
  }
  await get.cut();
  return { client, server, ids };
}

const methods = async (response: Response, count: number): Promise<(string | undefined)[]> => {
  const events = new RawEvents(response);
  const heard: (string | undefined)[] = [];
  await events.next(); // where it begins
  while (heard.length < count) heard.push((await events.message()).method);
  await events.cut();
  return heard;
};

describe("Last-Event-ID", () => {
  it("replays what came after it, and goes on with what waits and what is new", async () => {
    const { client, server, ids } = await listened();
    server.notify("missed");
    const resumed = await client.get(ids[0]);
    server.notify("new");
    expect(await methods(resumed, 4)).toEqual(["n1", "n2", "missed", "new"]);
  });

  it("takes over from a response that is still there", async () => {
    const { client, server, ids } = await listened();
    const old = new RawEvents(await client.get(ids[2]));
    const resumed = await client.get(ids[1]);
    expect((await old.rest()).filter((event) => event.data !== "")).toEqual([]);
    server.notify("new");
    expect(await methods(resumed, 2)).toEqual(["n2", "new"]);
  });

  it("replays the stream it names and no other", async () => {
    const { client, server } = await listened({}, 1);
    const post = new RawEvents(await client.post(text({ id: 1, method: "a", params: { x: 1 } })));
    const priming = await post.next();
    await post.cut();
    server.notify("for the GET");
    const resumed = new RawEvents(await client.get(priming?.id));
    const [where, ...events] = await resumed.rest();
    expect(where).toEqual(priming);
    expect(events.map((event) => JSON.parse(event.data) as Message)).toMatchObject([
      { id: 1, result: { x: 1 } },
    ]);
    // It was read to its end, and can be once more.
    expect(await new RawEvents(await client.get(priming?.id)).rest()).toEqual([where, ...events]);
    expect((await client.get(events[0]?.id)).status).toBe(400);
  });

  it("that is not this session's is refused, and nothing is replayed (86)", async () => {
    const other = await listened();
    const { client, server } = await listened({}, 1);
    const wrong = [
      "0",
      "_GET_stream",
      "__proto__",
      "constructor",
      "sluice.0_2000",
      "sluice.1_2000",
      "sluice.9_1",
      "sluice.0_-1",
      "x".repeat(1_000_000),
      other.ids[2]!,
    ];
    for (const id of wrong)
      expect(await refused(await client.get(id))).toMatchObject({ status: 400, code: -32600, id: null });
    server.notify("on");
    const get = await client.get();
    const events = new RawEvents(get);
    await events.next();
    expect(await events.message()).toMatchObject({ method: "on" });
    await events.cut();
  });

  it("that is too old is refused, and never passes over what is gone", async () => {
    const { client, ids } = await listened({ limits: { keptEvents: 4 } }, 8);
    for (const old of ids.slice(0, 3)) expect((await refused(await client.get(old))).status).toBe(400);
    expect(await methods(await client.get(ids[3]), 4)).toEqual(["n4", "n5", "n6", "n7"]);
  });

  it("is refused where the store has lost what came last, or something in between (89)", async () => {
    for (const lost of ["tail", "middle"] as const) {
      const memory = memoryEventStore();
      const store: EventStore = {
        ...memory,
        after: async (session, stream, seq) =>
          (await memory.after(session, stream, seq)).filter(
            (_, at, all) => at !== (lost === "tail" ? all.length - 1 : 1),
          ),
      };
      const { client, ids } = await listened({ store }, 5);
      expect((await refused(await client.get(ids[0]))).status).toBe(400);
    }
  });

  it("beyond the high water fills the transport, and nothing is lost", async () => {
    const { client, server, ids } = await listened({ limits: { highWater: 500 } });
    const wanted: string[] = [];
    do wanted.push(`m${wanted.length}`);
    while (server.notify(wanted.at(-1)!));
    expect(wanted.length).toBeGreaterThan(5);
    expect(await methods(await client.get(ids[2]), wanted.length)).toEqual(wanted);
    await server.until(() => server.drains === 1);
    expect(server.notify("room")).toBe(true);
  });

  it("is worth nothing to a client that is away for long: what waits goes out with its next request", async () => {
    const { client, server } = await listened({ limits: { idle: 0.001 } });
    server.notify("waits");
    const events = await new RawEvents(await client.post(text({ id: 1, method: "a" }))).rest();
    expect(events.map((event) => event.data && (JSON.parse(event.data) as Message).method)).toEqual([
      "",
      "waits",
      undefined,
    ]);
  });
});

it("the answer to a request whose response is gone does not hold up the others", async () => {
  const { client, server } = await listened({ limits: { highWater: 500, keptEvents: 2 } });
  for (let id = 1; id <= 5; id++) {
    const post = new RawEvents(await client.post(text({ id, method: "hold" })));
    await post.cut();
  }
  const big = { x: "x".repeat(400) };
  for (let id = 1; id <= 5; id++) expect(server.send({ id, result: big })).toBe(true);
  const [, answer] = await new RawEvents(await client.post(text({ id: 6, method: "a" }))).rest();
  expect(JSON.parse(answer?.data ?? "")).toMatchObject({ id: 6 });
});
