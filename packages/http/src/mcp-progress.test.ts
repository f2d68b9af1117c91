import { afterEach, describe, expect, it, vi } from "vitest";
import { dial } from "./dial.ts";
import { parseEventId } from "./event-id.ts";
import { HTTP_LIMITS } from "./limits.ts";
import { McpEnd, RawClient, RawEvents, type Message } from "./mcp.testing.ts";
import type { HandlerOptions } from "./options.ts";
import { direct, URL_OF_DIRECT } from "./pairs.testing.ts";

afterEach(() => void vi.restoreAllMocks());

/** A session that was opened with `initialize`, and the server's end of it, which answers when the test says so. */
async function stage(
  options: Partial<HandlerOptions> = {},
): Promise<{ readonly client: RawClient; readonly server: McpEnd }> {
  const { fetch, accepted } = direct(options);
  const client = new RawClient(fetch);
  const opening = client.open();
  const server: McpEnd = new McpEnd(await accepted(), ({ id, method }) => {
    if (method === "initialize") server.send({ id: id!, result: {} });
  });
  await (await opening).text();
  return { client, server };
}

/** A request, which asks for its progress by a token. */
const asking = (id: string | number, progressToken?: unknown): Message => ({
  id,
  method: "work",
  params: { _meta: { progressToken } },
});
const post = (client: RawClient, message: Message): Promise<Response> =>
  client.post(JSON.stringify({ jsonrpc: "2.0", ...message }));
const progress = (progressToken: unknown, progress: number): Message => ({
  method: "notifications/progress",
  params: { progressToken, progress },
});

/** What came, in short: the number of a progress, the method of another message, the id of an answer. */
const short = ({ method, params, id }: Message): unknown => params?.["progress"] ?? method ?? `answer ${id}`;

/** All of a response that ends. */
async function all(response: Response): Promise<unknown[]> {
  const events = await new RawEvents(response).rest();
  return events.filter(({ data }) => data !== "").map(({ data }) => short(JSON.parse(data) as Message));
}

/** The next of a response that does not. */
async function some(events: RawEvents, count: number): Promise<unknown[]> {
  const heard: unknown[] = [];
  while (heard.length < count) {
    const event = await events.next();
    if (event?.data !== "") heard.push(short(JSON.parse(event?.data ?? "null") as Message));
  }
  return heard;
}

describe("progress", () => {
  it("goes to the response of its request, before the answer, and what else is sent to the GET", async () => {
    const { client, server } = await stage();
    const get = new RawEvents(await client.get());
    // 1 and "1" are two tokens.
    const first = await post(client, asking(1, 1));
    const second = await post(client, asking(2, "1"));
    server.send(
      progress(1, 0.1),
      { method: "notifications/message", params: {} },
      progress("1", 0.2),
      { id: 7, method: "ping" },
      progress(1, 0.3),
      { id: 1, result: {} },
      progress("1", 0.4),
      { id: 2, result: {} },
    );
    expect(await all(first)).toEqual([0.1, 0.3, "answer 1"]);
    expect(await all(second)).toEqual([0.2, 0.4, "answer 2"]);
    expect(await some(get, 2)).toEqual(["notifications/message", "ping"]);
    await get.cut();
  });

  it("of no request that waits goes where all else goes", async () => {
    const { client, server } = await stage();
    const get = new RawEvents(await client.get());
    const quiet = await post(client, { id: 1, method: "work", params: { progressToken: "t" } });
    const wrong = await Promise.all([null, {}, true].map((token, n) => post(client, asking(`w${n}`, token))));
    const asked = await post(client, asking(2, "t"));
    server.send({ id: 2, result: {} }, progress("t", 1), progress("other", 2), progress(null, 3));
    // These only look like it.
    server.send({ method: "notifications/progress" }, { ...progress("t", 4), id: 8 });
    expect(await some(get, 5)).toEqual([1, 2, 3, "notifications/progress", 4]);
    server.send({ id: 1, result: {} }, ...wrong.map((_, n): Message => ({ id: `w${n}`, result: {} })));
    expect(await all(asked)).toEqual(["answer 2"]);
    expect(await all(quiet)).toEqual(["answer 1"]);
    for (const [n, response] of wrong.entries()) expect(await all(response)).toEqual([`answer w${n}`]);
    await get.cut();
  });

  it("asks by a token that is used again goes to the first until that is answered, and then to a later one", async () => {
    const { client, server } = await stage();
    const get = new RawEvents(await client.get());
    const first = await post(client, asking(1, "t"));
    const twin = await post(client, asking(2, "t"));
    // The twin's answer takes nothing from the first.
    server.send(progress("t", 1), { id: 2, result: {} }, progress("t", 2), { id: 1, result: {} });
    expect(await all(first)).toEqual([1, 2, "answer 1"]);
    expect(await all(twin)).toEqual(["answer 2"]);
    const later = await post(client, asking(3, "t"));
    server.send(progress("t", 3), { id: 3, error: { code: 1, message: "no" } }, progress("t", 4));
    expect(await all(later)).toEqual([3, "answer 3"]);
    expect(await some(get, 1)).toEqual([4]);
    await get.cut();
  });

  it("comes with the GET where answers are JSON", async () => {
    const { client, server } = await stage({ answers: "json" });
    const get = new RawEvents(await client.get());
    const response = post(client, asking(1, "t"));
    await server.count(2);
    server.send(progress("t", 1), { id: 1, result: {} });
    expect(await (await response).json()).toMatchObject({ id: 1 });
    expect(await some(get, 1)).toEqual([1]);
    await get.cut();
  });

  it("of a request whose response was cut is there when it is resumed, and nowhere else", async () => {
    const { client, server } = await stage();
    const get = new RawEvents(await client.get());
    const cut = new RawEvents(await post(client, asking(1, "t")));
    server.send(progress("t", 1));
    await cut.next();
    const seen = await cut.next();
    expect(short(JSON.parse(seen!.data) as Message)).toBe(1);
    await cut.cut();
    server.send(progress("t", 2));
    const resumed = await client.get(seen?.id);
    server.send(progress("t", 3), { id: 1, result: {} }, { method: "after" });
    expect(await all(resumed)).toEqual([2, 3, "answer 1"]);
    expect(await some(get, 1)).toEqual(["after"]);
    await get.cut();
  });

  it("that waits for its reader fills the transport", async () => {
    const { client, server } = await stage({ limits: { highWater: 1000 } });
    const events = new RawEvents(await post(client, asking(1, "t")));
    let sent = 0;
    while (server.send(progress("t", ++sent))) if (sent > 100_000) expect.unreachable("there is no bound");
    expect(await some(events, sent)).toEqual(Array.from({ length: sent }, (_, n) => n + 1));
    await server.until(() => server.drains === 1);
    await events.cut();
  });
});

describe("what waited for a GET that is long gone", () => {
  /** A client whose GET is gone, a message that waits for it, and a request that asks for progress. */
  async function away(): Promise<{
    readonly client: RawClient;
    readonly server: McpEnd;
    readonly asked: Response;
    readonly pass: () => void;
  }> {
    let now = 1000;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    const { client, server } = await stage();
    const get = new RawEvents(await client.get());
    await get.next();
    await get.cut();
    server.notify("old");
    const asked = await post(client, asking(1, "t"));
    return { client, server, asked, pass: () => void (now += HTTP_LIMITS.idle) };
  }

  it("goes out before progress on the response of a request", async () => {
    const { server, asked, pass } = await away();
    pass();
    server.send(progress("t", 1), { id: 1, result: {} });
    expect(await all(asked)).toEqual(["old", 1, "answer 1"]);
  });

  it("P6: does not go behind later progress: ids grow on each stream, and it can be resumed", async () => {
    const { client, server, asked, pass } = await away();
    server.send(progress("t", 1));
    pass();
    server.notify("new");
    const other = await post(client, { id: 2, method: "work" });
    server.send({ id: 1, result: {} }, { id: 2, result: {} });
    const events = await new RawEvents(asked).rest();
    const numbers = events.map(({ id }) => parseEventId(id!)!.seq);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(events.slice(1).map(({ data }) => short(JSON.parse(data) as Message))).toEqual([
      1,
      "new",
      "answer 1",
    ]);
    expect(await all(other)).toEqual(["old", "answer 2"]);
    expect(await all(await client.get(events[1]?.id))).toEqual(["new", "answer 1"]);
  });
});

it("P6: a client of ours hears progress in the order of sending, between what comes on other responses", async () => {
  const { fetch, accepted } = direct();
  const client = new McpEnd(dial(URL_OF_DIRECT, { fetch }));
  client.send(asking(0, "a"));
  const server: McpEnd = new McpEnd(await accepted(), ({ id, params }) => {
    const { progressToken } = params!["_meta"] as { progressToken: unknown };
    const steps = [1, 2].flatMap((n) => [progress(progressToken, n), { method: `n${n}` }]);
    server.send(...steps, { id: id!, result: {} }, { method: "after" });
  });
  const wanted = (id: number): unknown[] => [1, "n1", 2, "n2", `answer ${id}`, "after"];
  await client.count(6);
  client.send(asking(1, "b"), asking(2, "c"));
  await client.count(18);
  expect(client.messages.map(short)).toEqual([0, 1, 2].flatMap(wanted));
  client.transport.abort();
  server.transport.abort();
});
