import { describe, expect, it } from "vitest";
import { memoryEventStore, type EventStore } from "./event-store.ts";
import { echo, INITIALIZE, McpEnd, RawClient, RawEvents, refused, type Message } from "./mcp.testing.ts";
import type { HandlerOptions } from "./options.ts";
import { direct } from "./pairs.testing.ts";

interface Stage {
  readonly client: RawClient;
  readonly server: McpEnd;
  readonly sessions: () => number;
}

/** A session that was opened with `initialize`, and the server's end of it. */
async function stage(options: Partial<HandlerOptions> = {}, answers: typeof echo = echo): Promise<Stage> {
  const { handler, fetch, accepted } = direct(options);
  const client = new RawClient(fetch);
  const opening = client.open();
  const server = answers(await accepted());
  await new RawEvents(await opening).rest();
  return { client, server, sessions: () => handler.sessions };
}

const text = (message: Message): string => JSON.stringify({ jsonrpc: "2.0", ...message });
const silent: typeof echo = (transport) => {
  const end: McpEnd = new McpEnd(transport, ({ id, method }) => {
    if (method === "initialize") end.send({ id: id!, result: {} });
  });
  return end;
};

describe("a session over the mcp wire", () => {
  it("is opened by a request, whose answer comes as a stream with the session's id", async () => {
    const { fetch, accepted } = direct();
    const client = new RawClient(fetch);
    const opening = client.post(INITIALIZE);
    echo(await accepted());
    const response = await opening;
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("cache-control")).toContain("no-store");
    expect(response.headers.get("x-accel-buffering")).toBe("no");
    expect(response.headers.get("mcp-session-id")).toMatch(/^[!-~]{32,}$/);
    const [priming, answer, ...more] = await new RawEvents(response).rest();
    expect(priming).toMatchObject({ data: "" });
    expect(JSON.parse(answer!.data)).toMatchObject({ id: 0 });
    expect(new Set([priming!.id, answer!.id, undefined]).size).toBe(3);
    expect(more).toEqual([]);
  });

  it("is not opened by anything else, and nobody hears of it", async () => {
    const { handler, fetch } = direct({ onSession: () => expect.unreachable("a session was opened") });
    const client = new RawClient(fetch);
    const bad = ['{"jsonrpc":"2.0","method":"a"}', '{"jsonrpc":"2.0","id":1,"result":{}}', "{", "[]", ""];
    const later = { "mcp-protocol-version": "2026-07-28" };
    expect((await client.post(text({ id: 1, method: "server/discover" }), later)).status).toBe(400);
    for (const body of bad) expect([body, (await client.post(body)).status]).toEqual([body, 400]);
    expect(handler.sessions).toBe(0);
  });

  it("takes a notification and an answer with 202 and no body, once they are delivered", async () => {
    const { client, server } = await stage();
    for (const message of [{ method: "a" }, { id: 7, result: {} }]) {
      const response = await client.post(text(message));
      expect([response.status, await response.text()]).toEqual([202, ""]);
    }
    expect(server.heard).toEqual(["initialize", "a", 7]);
  });

  it("holds a message back while the user is paused, and its response with it", async () => {
    const { client, server } = await stage();
    server.transport.pause();
    const order: string[] = [];
    const posts = ["a", "b"].map(async (method) => {
      await client.post(text({ method }));
      order.push(`202 ${method}`);
    });
    const get = await client.get();
    expect(get.status).toBe(200);
    expect([server.heard, order]).toEqual([["initialize"], []]);
    order.push("resume");
    server.transport.resume();
    await Promise.all(posts);
    expect(server.heard).toEqual(["initialize", "a", "b"]);
    expect(order).toEqual(["resume", "202 a", "202 b"]);
    await get.body?.cancel();
  });

  it("answers with a JSON body where the option says so", async () => {
    const { client } = await stage({ answers: "json" });
    const response = await client.post(text({ id: "x", method: "a", params: { n: 1 } }));
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual({ jsonrpc: "2.0", id: "x", result: { n: 1 } });
  });

  it("refuses a request whose id is under way, and leaves the first alone", async () => {
    const { client, server } = await stage({}, silent);
    const first = new RawEvents(await client.post(text({ id: 5, method: "a" })));
    await first.next();
    expect(await refused(await client.post(text({ id: 5, method: "b" })))).toMatchObject({
      status: 400,
      code: -32600,
      id: null,
    });
    const other = new RawEvents(await client.post(text({ id: "5", method: "c" })));
    server.send({ id: 5, result: { of: "a" } }, { id: "5", result: { of: "c" } });
    expect(await first.message()).toMatchObject({ id: 5, result: { of: "a" } });
    await other.next();
    expect(await other.message()).toMatchObject({ id: "5", result: { of: "c" } });
    expect(server.heard).toEqual(["initialize", "a", "c"]);
  });

  it("is initialized once", async () => {
    const { client, server } = await stage();
    expect(await refused(await client.post(INITIALIZE))).toMatchObject({ status: 400, code: -32600 });
    expect((await client.post(text({ method: "a" }))).status).toBe(202);
    expect(server.heard).toEqual(["initialize", "a"]);
  });

  it("lets an error without id answer the request during whose delivery it is written", async () => {
    const { client } = await stage({}, (transport) => {
      const end: McpEnd = new McpEnd(transport, ({ id, method }) => {
        if (method === "initialize") end.send({ id: id!, result: {} });
        else end.send({ id: null, error: { code: -32600, message: "no" } });
      });
      return end;
    });
    const [, answer] = await new RawEvents(await client.post(text({ id: 5, method: "a" }))).rest();
    expect(JSON.parse(answer!.data)).toMatchObject({ id: null, error: { code: -32600 } });
  });
});

describe("a message of the server", () => {
  it("goes to the GET when there is one, and answers go to their requests", async () => {
    const { client, server } = await stage({}, silent);
    const get = new RawEvents(await client.get());
    const post = new RawEvents(await client.post(text({ id: 1, method: "a" })));
    await server.count(2);
    server.send({ method: "n1" }, { id: 1, result: {} }, { id: 9, method: "r" });
    expect((await post.rest()).map((event) => event.data && (JSON.parse(event.data) as Message).id)).toEqual([
      "",
      1,
    ]);
    expect((await get.next())?.data).toBe("");
    expect([(await get.message()).method, (await get.message()).method]).toEqual(["n1", "r"]);
    await get.cut();
  });

  it("goes to the oldest request that is read, while no GET was made", async () => {
    const { client, server } = await stage({}, silent);
    server.notify("kept");
    const first = new RawEvents(await client.post(text({ id: 1, method: "a" })));
    const second = new RawEvents(await client.post(text({ id: 2, method: "b" })));
    await server.count(3);
    server.notify("n");
    server.send({ id: 2, result: {} }, { id: 1, result: {} });
    const data = (events: { data: string }[]): unknown[] =>
      events
        .filter((one) => one.data !== "")
        .map((one) => (JSON.parse(one.data) as Message).method ?? "answer");
    expect(data(await first.rest())).toEqual(["kept", "n", "answer"]);
    expect(data(await second.rest())).toEqual(["answer"]);
  });

  it("waits for a GET where nothing is read, and fills the transport meanwhile", async () => {
    const { client, server } = await stage({ limits: { highWater: 1000 } });
    expect(server.notify("a")).toBe(true);
    expect(server.send({ method: "b", params: { x: "x".repeat(1000) } })).toBe(false);
    const get = new RawEvents(await client.get());
    await get.next();
    expect([(await get.message()).method, (await get.message()).method]).toEqual(["a", "b"]);
    await server.until(() => server.drains === 1);
    expect(server.notify("c")).toBe(true);
    await get.cut();
  });

  it("that is bytes is its text, and one that is no JSON-RPC is refused on the spot", async () => {
    const { client, server } = await stage();
    server.transport.write([new TextEncoder().encode('{"jsonrpc":"2.0","method":"bytes"}')]);
    for (const bad of ["", "hello", "[]", "{}"])
      expect(() => server.transport.write(['{"method":"not sent"}', bad])).toThrow(TypeError);
    const get = new RawEvents(await client.get());
    await get.next();
    expect((await get.message()).method).toBe("bytes");
    server.notify("next");
    expect((await get.message()).method).toBe("next");
    await get.cut();
  });

  it("that answers nobody is dropped and does not count", async () => {
    const { client, server } = await stage({ limits: { highWater: 100 } });
    for (let n = 0; n < 50; n++) expect(server.send({ id: 1000 + n, result: {} })).toBe(true);
    server.notify("on");
    const get = new RawEvents(await client.get());
    await get.next();
    expect((await get.message()).method).toBe("on");
    await get.cut();
  });

  it("cannot inject an event, whatever is in it", async () => {
    const { client, server } = await stage();
    const evil = 'x\n\nid: sluice.0_99\ndata: {"method":"evil"}\n\n\r\r\u2028';
    const get = new RawEvents(await client.get());
    await get.next();
    // As a session writes it, and as a careless writer might: with line ends between its members.
    server.send({ method: "a", params: { evil } });
    server.transport.write(['{"method":\r\n\n"b",\r"params":\n{}}\n']);
    server.notify("c");
    expect(await get.message()).toMatchObject({ method: "a", params: { evil } });
    expect(await get.message()).toMatchObject({ method: "b" });
    expect(await get.message()).toMatchObject({ method: "c" });
    await get.cut();
  });
});

describe("a bad request", () => {
  it("is refused by what it says it takes and sends (117)", async () => {
    const { client } = await stage();
    const body = text({ method: "a" });
    for (const accept of [null, "", "application/json", "text/event-stream", "text/html"])
      expect((await client.post(body, { accept })).status).toBe(406);
    for (const accept of ["*/*", "text/event-stream;q=0.9, application/json"])
      expect((await client.post(body, { accept })).status).toBe(202);
    for (const type of [
      "text/plain",
      "application/json; charset=utf-16",
      "application/x-www-form-urlencoded",
    ])
      expect((await client.post(body, { "content-type": type })).status).toBe(415);
    for (const accept of [null, "application/json"])
      expect((await client.get(undefined, { accept })).status).toBe(406);
  });

  it("is refused by its version, unless the option lets any pass (94, 117)", async () => {
    const { client } = await stage();
    const body = text({ method: "a" });
    for (const version of ["1999-01-01", "2025-11-26", "", "x", "2025-11-25, 2025-11-25", "__proto__"]) {
      const refusal = await refused(await client.post(body, { "mcp-protocol-version": version }));
      expect(refusal.status).toBe(400);
      expect(refusal.text).toContain("2025-11-25");
      if (version.length > 1) expect(refusal.text).not.toContain(`"${version}"`);
      expect((await client.get(undefined, { "mcp-protocol-version": version })).status).toBe(400);
    }
    for (const version of ["2025-11-25", "2025-03-26", null])
      expect((await client.post(body, { "mcp-protocol-version": version })).status).toBe(202);
    const any = await stage({ versions: "any" });
    expect((await any.client.post(body, { "mcp-protocol-version": "mine" })).status).toBe(202);
  });

  it("is refused by its body, in JSON that quotes nothing of it (124)", async () => {
    const { client, server } = await stage({ limits: { message: 1000 } });
    const status = async (body: string | Uint8Array<ArrayBuffer>): Promise<[number, number]> => {
      const refusal = await refused(await client.post(body));
      expect(refusal.id).toBeNull();
      expect(refusal.text).not.toMatch(/secret|stack|\.ts|node_modules/);
      return [refusal.status, refusal.code];
    };
    expect(await status("{secret")).toEqual([400, -32700]);
    expect(await status("")).toEqual([400, -32700]);
    expect(await status(new Uint8Array([0x22, 0xff, 0x22]))).toEqual([400, -32700]);
    expect(await status('[{"jsonrpc":"2.0","method":"secret"}]')).toEqual([400, -32600]);
    expect(await status('"secret"')).toEqual([400, -32600]);
    expect(await status('{"id":{},"method":"secret"}')).toEqual([400, -32600]);
    expect(await status('{"id":null,"method":"secret"}')).toEqual([400, -32600]);
    expect(await status(text({ method: "x".repeat(1000) }))).toEqual([413, -32013]);
    expect((await client.post(text({ method: "a" }))).status).toBe(202);
    expect(server.heard).toEqual(["initialize", "a"]);
  });

  it("whose body goes on above the limit is not read to its end (119)", async () => {
    const { handler, accepted } = direct({ limits: { message: 100_000 } });
    const client = new RawClient((url, init) => handler.fetch(new Request(url, init)));
    const opening = client.open();
    echo(await accepted());
    await (await opening).body?.cancel();
    let read = 0;
    let cancel = (): void => {};
    const cancelled = new Promise<void>((resolve) => (cancel = resolve));
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array((read += 10_000) && 10_000).fill(0x20)),
      cancel: () => cancel(),
    });
    const headers = { accept: "*/*", "content-type": "application/json", "mcp-session-id": client.session! };
    const init: RequestInit & { duplex: "half" } = { method: "POST", body, headers, duplex: "half" };
    const response = await handler.fetch(new Request("http://localhost/", init));
    expect(response.status).toBe(413);
    await cancelled;
    expect(read).toBeLessThan(200_000);
  });

  it("whose body stands still is answered 408 (119)", async () => {
    const { handler, accepted } = direct({ limits: { bodyTime: 5 } });
    const client = new RawClient((url, init) => handler.fetch(new Request(url, init)));
    const opening = client.open();
    echo(await accepted());
    await (await opening).body?.cancel();
    const headers = { accept: "*/*", "content-type": "application/json", "mcp-session-id": client.session! };
    const init: RequestInit & { duplex: "half" } = {
      method: "POST",
      body: new ReadableStream(),
      headers,
      duplex: "half",
    };
    expect((await handler.fetch(new Request("http://localhost/", init))).status).toBe(408);
  });

  it("is refused by its method, and by a session that is not there (75, 117)", async () => {
    const { client } = await stage();
    const put = await client.request("PUT", {}, "{}");
    expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, POST, DELETE"]);
    for (const id of ["__proto__", "constructor", "0".repeat(32)]) {
      const lost = new RawClient((url, init) => {
        const headers = new Headers(init.headers);
        headers.set("mcp-session-id", id);
        return client.request(init.method!, Object.fromEntries(headers), init.body as string);
      });
      expect(await refused(await lost.post(text({ method: "a" })))).toMatchObject({ status: 404, id: null });
    }
  });

  it("beyond limits.open is answered 429, and requests under way go on", async () => {
    const { client, server } = await stage({ limits: { open: 3 } }, silent);
    const get = await client.get();
    const posts = [
      await client.post(text({ id: 1, method: "a" })),
      await client.post(text({ id: 2, method: "b" })),
    ];
    expect(await refused(await client.post(text({ id: 3, method: "c" })))).toMatchObject({
      status: 429,
      code: -32012,
    });
    server.send({ id: 1, result: {} });
    await new RawEvents(posts[0]!).rest();
    expect((await client.post(text({ id: 3, method: "c" }))).status).toBe(200);
    expect(server.heard).toEqual(["initialize", "a", "b", "c"]);
    await get.body?.cancel();
  });

  it("for a second GET is answered 409, until the first is gone", async () => {
    const { client } = await stage();
    const first = new RawEvents(await client.get());
    expect((await refused(await client.get())).status).toBe(409);
    await first.next();
    await first.cut();
    const second = await client.get();
    expect(second.status).toBe(200);
    await second.body?.cancel();
  });
});

it("a quiet response says again and again that it is still there, also while it is resumed (123)", async () => {
  const { client } = await stage({ limits: { keepAlive: 1 } });
  for (const last of [undefined, "sluice.0_0"]) {
    const reader = (await client.get(last)).body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (text.split(": still here\n\n").length < 4) text += (await reader.read()).value ?? "";
    expect(text).toMatch(/^retry: \d+\n\nid: sluice\.0_0\ndata: \n\n(: still here\n\n)+$/);
    await reader.cancel();
  }
});

describe("older clients", () => {
  const older = INITIALIZE.replace("2025-11-25", "2025-06-18");

  it("get no event without data, and ids to go on from all the same", async () => {
    const { fetch, accepted } = direct();
    const client = new RawClient(fetch);
    const opening = client.open(older);
    const server = echo(await accepted());
    const events = await new RawEvents(await opening).rest();
    expect(events.map((event) => [event.id, (JSON.parse(event.data) as Message).id])).toEqual([
      ["sluice.1_1", 0],
    ]);
    const get = new RawEvents(await client.get(undefined, { "mcp-protocol-version": "2025-06-18" }));
    server.notify("a");
    expect(await get.message()).toMatchObject({ method: "a" });
    await get.cut();
  });
});

describe("the end of a session", () => {
  it("comes by DELETE, and the server may finish what it has to say", async () => {
    const { client, server, sessions } = await stage();
    const get = new RawEvents(await client.get());
    await get.next();
    expect((await client.delete()).status).toBe(204);
    await server.until(() => server.state === "ended");
    server.notify("last");
    server.transport.close();
    // It is not over before what it said was taken.
    expect([server.state, sessions()]).toEqual(["ended", 1]);
    const [last, end, ...more] = await get.rest();
    await server.closed();
    expect(server.error).toBeUndefined();
    expect(JSON.parse(last!.data)).toMatchObject({ method: "last" });
    expect(end).toMatchObject({ event: "end" });
    expect(more).toEqual([]);
    expect(sessions()).toBe(0);
    for (const late of [client.delete(), client.get(), client.post(text({ method: "a" }))])
      expect((await late).status).toBe(404);
  });

  it("P7: comes by close: requests without an answer end, the client may still send and then ends it", async () => {
    const { client, server, sessions } = await stage({}, silent);
    const get = new RawEvents(await client.get());
    const post = new RawEvents(await client.post(text({ id: 1, method: "a" })));
    server.transport.close("enough");
    expect((await post.rest()).map((event) => event.data)).toEqual([""]);
    expect((await get.rest()).map((event) => event.event)).toEqual([undefined, "end"]);
    expect((await client.post(text({ method: "late" }))).status).toBe(202);
    expect((await client.post(text({ id: 2, method: "late" }))).status).toBe(404);
    expect(server.heard).toEqual(["initialize", "a", "late"]);
    expect([server.state, sessions()]).toEqual(["open", 1]);
    await client.delete();
    await server.closed();
    expect([server.error, sessions()]).toEqual([undefined, 0]);
  });

  it("P7: is seen in a client that asks for more after the end", async () => {
    const { client, server, sessions } = await stage();
    const get = new RawEvents(await client.get());
    server.transport.close();
    const end = (await get.rest()).at(-1);
    expect((await client.get(end?.id)).status).toBe(404);
    await server.closed();
    expect(sessions()).toBe(0);
  });

  it("P7: comes at once by abort, for whatever is under way", async () => {
    for (const answers of ["stream", "json"] as const) {
      const { client, server, sessions } = await stage({ answers }, silent);
      const get = new RawEvents(await client.get());
      const post = client.post(text({ id: 1, method: "a" }));
      await server.count(2);
      server.transport.abort();
      expect(sessions()).toBe(0);
      expect((await get.rest()).map((event) => event.event)).toEqual([undefined, "abort"]);
      const response = await post;
      if (answers === "json") expect((await refused(response)).status).toBe(404);
      else expect((await new RawEvents(response).rest()).every((event) => event.data === "")).toBe(true);
    }
  });

  it("comes with code timeout where nothing is under way for limits.idle", async () => {
    const { server, sessions } = await stage({ limits: { idle: 1 } });
    await server.closed();
    expect([server.error?.code, sessions()]).toEqual(["timeout", 0]);
  });

  it("comes with code closed where the client leaves before its session was opened", async () => {
    const abort = new AbortController();
    const { handler, accepted } = direct();
    const headers = { accept: "*/*", "content-type": "application/json" };
    const init = { method: "POST", body: INITIALIZE, headers, signal: abort.signal };
    void handler.fetch(new Request("http://localhost/", init));
    const transport = await accepted();
    abort.abort();
    const server = new McpEnd(transport);
    await server.closed();
    expect(server.error).toMatchObject({ code: "closed" });
    expect(handler.sessions).toBe(0);
  });
});

describe("a store that fails", () => {
  const failing = (how: "throws" | "rejects", after: number): EventStore => {
    const memory = memoryEventStore();
    let count = 0;
    return {
      ...memory,
      append(session, stream, event) {
        if (count++ < after) return memory.append(session, stream, event);
        const error = new RangeError("disk full");
        if (how === "throws") throw error;
        return Promise.reject(error);
      },
    };
  };

  it.each(["throws", "rejects"] as const)("and %s ends its session with code write (89)", async (how) => {
    const { client, server, sessions } = await stage({ store: failing(how, 1) });
    const get = new RawEvents(await client.get());
    server.notify("a");
    await get.rest();
    await server.closed();
    expect(server.error).toMatchObject({ code: "write", cause: expect.any(RangeError) as unknown });
    expect(sessions()).toBe(0);
  });
});
