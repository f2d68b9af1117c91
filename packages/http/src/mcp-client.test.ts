import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dial } from "./dial.ts";
import { McpEnd, type Message } from "./mcp.testing.ts";
import type { DialOptions, Fetch } from "./options.ts";
import { URL_OF_DIRECT } from "./pairs.testing.ts";

/** A request as a server sees it. */
interface Seen {
  readonly method: string;
  readonly headers: Headers;
  readonly message: Message | undefined;
  /** What it was: the method of a message, the id of an answer, or the HTTP method. */
  readonly what: string;
}

type Answer = (seen: Seen) => Response | undefined | Promise<Response | undefined>;

const SSE = { "content-type": "text/event-stream" };
const text = (message: Message): string => JSON.stringify({ jsonrpc: "2.0", ...message });
const event = (message: Message, id?: string): string =>
  `${id === undefined ? "" : `id: ${id}\n`}data: ${text(message)}\n\n`;
const json = (message: Message, init: ResponseInit = {}): Response =>
  new Response(text(message), {
    ...init,
    headers: { "content-type": "application/json", ...(init.headers as object) },
  });
const sse = (...events: string[]): Response => new Response(events.join(""), { headers: SSE });
const result = (seen: Seen): Message => ({ id: seen.message!.id!, result: {} });

/** A body that brings these and is then cut. */
function cut(...events: string[]): Response {
  const chunks = events.map((one) => new TextEncoder().encode(one));
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    const chunk = chunks.shift();
    if (chunk === undefined) controller.error(new TypeError("reset"));
    else controller.enqueue(chunk);
  };
  return new Response(new ReadableStream({ pull }), { headers: SSE });
}

/** A body that stays open, and what comes on it. */
function open(): {
  response: Response;
  send(text: string): void;
  end(): void;
  readonly cancelled: Promise<void>;
} {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let cancel = (): void => {};
  const cancelled = new Promise<void>((resolve) => (cancel = resolve));
  const body = new ReadableStream<Uint8Array>({
    start: (made) => void (controller = made),
    cancel: () => cancel(),
  });
  return {
    response: new Response(body, { headers: SSE }),
    send: (sent) => controller.enqueue(new TextEncoder().encode(sent)),
    end: () => controller.close(),
    cancelled,
  };
}

/** A client whose server is a function. `undefined` is the ordinary: 202, 405 for a GET, 200 for a DELETE. */
function stage(
  answer: Answer,
  options: DialOptions = {},
): { client: McpEnd; seen: Seen[]; whats: () => string[]; asked(what: string): Promise<void> } {
  const seen: Seen[] = [];
  const waiting: { readonly what: string; readonly resolve: () => void }[] = [];
  const fetch: Fetch = async (_url, init) => {
    const message = typeof init.body === "string" ? (JSON.parse(init.body) as Message) : undefined;
    const what = message?.method ?? (message === undefined ? init.method! : `answer ${message.id}`);
    const one: Seen = { method: init.method!, headers: new Headers(init.headers), message, what };
    seen.push(one);
    for (const wait of waiting) if (wait.what === what) wait.resolve();
    const given = await answer(one);
    if (given !== undefined) return given;
    if (init.method === "GET") return new Response(null, { status: 405 });
    return new Response(null, { status: init.method === "POST" ? 202 : 200 });
  };
  const limits = { backoff: [0, 0] as const, patience: 1, grace: 1, ...options.limits };
  const client = new McpEnd(dial(URL_OF_DIRECT, { ...options, fetch, limits }));
  return {
    client,
    seen,
    whats: () => seen.map((one) => one.what),
    asked: (what) =>
      seen.some((one) => one.what === what)
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push({ what, resolve })),
  };
}

const initialize: Message = { id: 0, method: "initialize", params: { protocolVersion: "2025-11-25" } };
const initialized = (seen: Seen, id = "s"): Response =>
  json(
    { id: seen.message!.id!, result: { protocolVersion: "2025-06-18" } },
    { headers: { "mcp-session-id": id } },
  );

describe("an MCP server", () => {
  it("is told what the client takes, its session and the version that was settled", async () => {
    const { client, seen, asked } = stage(
      (one) => (one.what === "initialize" ? initialized(one) : undefined),
      {
        headers: { authorization: "Bearer x" },
      },
    );
    client.send(initialize);
    await client.count(1);
    client.notify("notifications/initialized");
    await asked("GET");
    client.transport.close();
    await client.closed();
    const headers = seen.map(({ what, headers: all }) => [
      what,
      all.get("accept"),
      all.get("mcp-session-id"),
      all.get("mcp-protocol-version"),
      all.get("authorization"),
    ]);
    const accept = "application/json, text/event-stream";
    expect(headers[0]).toEqual(["initialize", accept, null, null, "Bearer x"]);
    expect(headers[1]).toEqual(["notifications/initialized", accept, "s", "2025-06-18", "Bearer x"]);
    expect(headers[2]).toEqual(["GET", "text/event-stream", "s", "2025-06-18", "Bearer x"]);
    expect(headers[3]?.slice(0, 3)).toEqual(["DELETE", null, "s"]);
    expect([client.state, client.error]).toEqual(["closed", undefined]);
  });

  it("is asked for a GET only after notifications/initialized, other dialects after the first answer", async () => {
    const mcp = stage((one) =>
      one.what === "initialize" ? initialized(one) : one.what === "ping" ? json(result(one)) : undefined,
    );
    mcp.client.send(initialize, { id: 1, method: "ping" });
    await mcp.client.count(2);
    expect(mcp.whats()).toEqual(["initialize", "ping"]);
    mcp.client.notify("notifications/initialized");
    await mcp.asked("GET");

    const acp = stage((one) =>
      one.what === "initialize" ? json({ id: 0, result: { protocolVersion: 1 } }) : undefined,
    );
    acp.client.send({ id: 0, method: "initialize", params: { protocolVersion: 1 } });
    await acp.asked("GET");
    expect(acp.seen[1]?.headers.get("mcp-protocol-version")).toBeNull();
  });

  it("may answer by JSON or by a stream, and send requests and notifications before the answer", async () => {
    const { client } = stage((one) => {
      if (one.what === "initialize") return initialized(one);
      if (one.what === "call")
        return sse(
          ": hello\n\n",
          event({ method: "progress" }),
          event({ id: "r", method: "ask" }),
          event(result(one)),
        );
      return undefined;
    });
    client.send(initialize, { id: 1, method: "call" });
    await client.count(4);
    expect(client.heard).toEqual([0, "progress", "ask", 1]);
  });

  it("whose GET ends comes back to be asked again, after as long as it says", async () => {
    let gets = 0;
    const last = open();
    const { client, seen } = stage((one) => {
      if (one.what === "open") return json(result(one));
      if (one.method !== "GET") return undefined;
      gets++;
      if (gets === 1) return sse("retry: 0\n\n", event({ method: "a" }, "x1"));
      if (gets === 2) return sse(event({ method: "b" }, "x2"));
      if (gets === 3) return cut(event({ method: "c" }, "x3"), "id: x4\ndata: {half");
      return last.response;
    });
    client.send({ id: 0, method: "open" });
    last.send(event({ method: "d" }));
    await client.count(5);
    expect(client.heard).toEqual([0, "a", "b", "c", "d"]);
    expect(seen.filter((one) => one.method === "GET").map((one) => one.headers.get("last-event-id"))).toEqual(
      [null, "x1", "x2", "x3"],
    );
  });

  it("that answers the end with an end lets the session close in order, one that does not is waited for in vain", async () => {
    for (const ends of ["ends", "does not"]) {
      const get = open();
      const { client } = stage((one) => {
        if (one.what === "open") return json(result(one), { headers: { "mcp-session-id": "s" } });
        if (one.what === "DELETE" && ends === "ends") get.end();
        return one.method === "GET" ? get.response : undefined;
      });
      client.onMessage = ({ method }) => method === "hello" && client.transport.close();
      client.send({ id: 0, method: "open" });
      get.send(event({ method: "hello" }));
      await client.closed();
      expect([client.error, client.heard]).toEqual([undefined, [0, "hello"]]);
      if (ends === "does not") await get.cancelled;
    }
  });

  it("that is stateless is spoken to without a session, and has nothing to delete", async () => {
    const { client, whats, seen } = stage((one) => {
      if (one.method === "GET") return new Response(null, { status: 404 });
      return one.message?.id === undefined ? undefined : json(result(one));
    });
    client.send({ id: 0, method: "open" }, { id: 1, method: "a" });
    await client.count(2);
    client.transport.close();
    await client.closed();
    expect(whats().filter((what) => what !== "GET")).toEqual(["open", "a"]);
    expect(seen.every((one) => one.headers.get("mcp-session-id") === null)).toBe(true);
    expect(client.error).toBeUndefined();
  });
});

describe("messages leave in their order", () => {
  it("each when the server has taken the one before", async () => {
    const release: (() => void)[] = [];
    const { client, whats, asked } = stage(async (one) => {
      if (one.what === "open") return json(result(one));
      if (one.method === "POST") await new Promise<void>((resolve) => release.push(resolve));
      return undefined;
    });
    client.send({ id: 0, method: "open" });
    client.notify("a", "b");
    await asked("a");
    await asked("GET");
    expect(whats()).not.toContain("b");
    release.shift()?.();
    await asked("b");
    expect(client.transport.write([text({ method: "c" })])).toBe(true);
    release.shift()?.();
    await asked("c");
  });

  it("but a request does not wait for the answer to another, once the server is known to answer in JSON", async () => {
    const answers: (() => void)[] = [];
    const { client, asked } = stage(
      async (one) => {
        if (one.what === "open") return json(result(one));
        if (one.message?.id !== undefined) await new Promise<void>((resolve) => answers.push(resolve));
        return one.message?.id === undefined ? undefined : json(result(one));
      },
      // Whoever waits for this waits longer than the test.
      { limits: { patience: 2 ** 30, backoff: [0, 0] } },
    );
    client.send({ id: 0, method: "open" }, { id: 1, method: "a" });
    await client.count(1);
    client.send({ id: 2, method: "b" }, { id: 3, method: "c" });
    await asked("c");
    for (const answer of answers.reverse()) answer();
    await client.count(4);
    expect(client.heard).toEqual([0, 3, 2, 1]);
  });

  it("and nothing waits longer than limits.patience for the headers of a request", async () => {
    const { client, asked, whats } = stage((one) => {
      if (one.what === "open") return sse(event(result(one)));
      return one.what === "slow" ? new Promise<Response>(() => {}) : undefined;
    });
    client.send({ id: 0, method: "open" }, { id: 1, method: "slow" });
    client.notify("cancel");
    await asked("cancel");
    expect(whats().filter((what) => what !== "GET")).toEqual(["open", "slow", "cancel"]);
    client.transport.abort();
  });

  it("and write says when too much waits", async () => {
    let release = (): void => {};
    const { client, asked } = stage(
      async (one) => {
        if (one.what === "open") return json(result(one));
        if (one.what === "a") await new Promise<void>((resolve) => (release = resolve));
        return undefined;
      },
      { highWater: 200 },
    );
    client.send({ id: 0, method: "open" });
    await client.count(1);
    expect(client.notify("a")).toBe(true);
    let count = 0;
    while (client.notify("b")) count++;
    expect(count).toBeLessThan(10);
    await asked("a");
    release();
    await client.until(() => client.drains === 1);
    expect(client.notify("c")).toBe(true);
  });
});

describe("a request that fails", () => {
  const opened = (answer: Answer, options: DialOptions = {}): ReturnType<typeof stage> => {
    const made = stage(
      (one) =>
        one.what === "open" ? json(result(one), { headers: { "mcp-session-id": "s" } }) : answer(one),
      options,
    );
    made.client.send({ id: 0, method: "open" });
    return made;
  };
  const failing: [string, Answer, object][] = [
    [
      "by the network",
      (one) => (one.what === "call" ? Promise.reject(new TypeError("reset")) : undefined),
      { code: -32001, data: { mayHaveRun: true } },
    ],
    [
      "as nobody listens",
      (one) =>
        one.what === "call"
          ? Promise.reject(
              new TypeError("fetch failed", {
                cause: Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
              }),
            )
          : undefined,
      { code: -32001, data: { mayHaveRun: false } },
    ],
    [
      "with an error of JSON-RPC without its id",
      (one) =>
        one.what === "call"
          ? new Response(text({ id: null, error: { code: -32012, message: "full" } }), { status: 429 })
          : undefined,
      { code: -32012, message: "full" },
    ],
    [
      "with an error of JSON-RPC",
      (one) =>
        one.what === "call"
          ? new Response(text({ id: 1, error: { code: 7, message: "x" } }), { status: 400 })
          : undefined,
      { code: 7 },
    ],
    [
      "with a page",
      (one) => (one.what === "call" ? new Response("<html>secret", { status: 502 }) : undefined),
      { code: -32001, message: expect.stringMatching(/^(?!.*secret).*502/), data: { mayHaveRun: true } },
    ],
    [
      "by a redirect",
      (one) =>
        one.what === "call"
          ? new Response(null, { status: 307, headers: { location: "http://evil/" } })
          : undefined,
      { code: -32001, message: expect.stringContaining("redirects are not followed") },
    ],
    [
      "as it is forbidden",
      (one) => (one.what === "call" ? new Response(null, { status: 403 }) : undefined),
      { code: -32001, data: { mayHaveRun: false } },
    ],
    ["with 202 and nothing else", () => undefined, { code: -32001 }],
    [
      "with a page and 200",
      (one) =>
        one.what === "call"
          ? new Response("<html>", { headers: { "content-type": "text/html" } })
          : undefined,
      { code: -32001 },
    ],
    [
      "by an empty stream",
      (one) => (one.what === "call" ? sse() : undefined),
      { code: -32001, data: { mayHaveRun: true } },
    ],
    [
      "by a stream that is cut and had no id",
      (one) => (one.what === "call" ? cut(": hi\n\n", event({ method: "n" })) : undefined),
      { code: -32001, data: { mayHaveRun: true } },
    ],
    [
      "by a stream that is cut, at a server that resumes none",
      (one) => (one.what === "call" ? cut("id: 1\ndata:\n\n") : undefined),
      { code: -32001, data: { mayHaveRun: true } },
    ],
    [
      "by a stream that is cut, at a server that is down",
      (one) =>
        one.what === "call"
          ? cut("id: 1\ndata:\n\n")
          : one.headers.has("last-event-id")
            ? Promise.reject(new TypeError("down"))
            : undefined,
      { code: -32001 },
    ],
    [
      "by an answer that is no message",
      (one) => (one.what === "call" ? json({ jsonrpc: "2.0" }) : undefined),
      { code: -32001 },
    ],
    [
      "by a JSON body that is cut",
      (one) =>
        one.what === "call"
          ? new Response(new ReadableStream({ pull: (to) => to.error(new TypeError("reset")) }), {
              headers: { "content-type": "application/json" },
            })
          : undefined,
      { code: -32001 },
    ],
  ];

  it.each(failing)("%s is answered with an error, and the session goes on", async (_name, answer, error) => {
    const { client, asked } = opened((one) => (one.what === "next" ? json(result(one)) : answer(one)));
    client.send({ id: 1, method: "call" }, { id: 2, method: "next" });
    await client.until(() => client.messages.filter((message) => message.id !== undefined).length === 3);
    expect(client.messages.find((message) => message.id === 1)?.error).toMatchObject(error);
    expect(client.messages.find((message) => message.id === 2)?.result).toEqual({});
    client.notify("still here");
    await asked("still here");
    expect(client.state).toBe("open");
  });

  it("by a cut is resumed, as often as it takes, until its answer has come", async () => {
    let gets = 0;
    const { client, seen } = opened(
      (one) => {
        if (one.what === "call") return cut("id: a1\nretry: 0\ndata:\n\n", event({ method: "p1" }, "a2"));
        if (!one.headers.has("last-event-id")) return undefined;
        gets++;
        if (gets === 1) return new Response(null, { status: 503 });
        if (gets === 2) return Promise.reject(new TypeError("down"));
        if (gets <= 5) return sse();
        if (gets === 6) return cut(event({ method: "p2" }, "a3"));
        return sse(event({ id: 1, result: {} }, "a4"));
      },
      { limits: { retries: 3, backoff: [0, 0] } },
    );
    client.send({ id: 1, method: "call" });
    await client.count(4);
    expect(client.heard).toEqual([0, "p1", "p2", 1]);
    const from = seen.map((one) => one.headers.get("last-event-id")).filter((id) => id !== null);
    expect(from).toEqual(["a2", "a2", "a2", "a2", "a2", "a2", "a3"]);
  });

  it("by being cancelled is answered here where the server does not, as MCP says", async () => {
    const call = open();
    const { client } = opened((one) => (one.what === "call" ? call.response : undefined));
    client.send({ id: 1, method: "call" });
    client.send({ method: "notifications/cancelled", params: { requestId: 1 } });
    await client.count(2);
    expect(client.messages[1]).toMatchObject({ id: 1, error: { code: -32800, data: { mayHaveRun: true } } });
    await call.cancelled;
  });

  it("beyond limits.pending is answered here, and not sent", async () => {
    const { client, whats } = opened((one) => (one.message?.id === undefined ? undefined : open().response), {
      limits: { pending: 2 },
    });
    await client.count(1);
    client.send({ id: 1, method: "a" }, { id: 2, method: "b" }, { id: 3, method: "c" });
    await client.count(2);
    expect(client.messages[1]).toMatchObject({ id: 3, error: { code: -32012, data: { mayHaveRun: false } } });
    expect(whats()).not.toContain("c");
  });
});

describe("the transport ends", () => {
  const end = async (made: ReturnType<typeof stage>): Promise<unknown> => {
    await made.client.closed();
    return made.client.error?.code;
  };
  const withSession = (one: Seen): Response | undefined =>
    one.what === "open" ? json(result(one), { headers: { "mcp-session-id": "s" } }) : undefined;
  const openWith = (answer: Answer, options: DialOptions = {}): ReturnType<typeof stage> => {
    const made = stage((one) => withSession(one) ?? answer(one), options);
    made.client.send({ id: 0, method: "open" });
    return made;
  };

  it.each([401, 403, 404, 405, 406, 415, 500, 503, 307])(
    "with code connect where the first request is answered %i",
    async (status) => {
      const made = stage(() => new Response("{}", { status }));
      made.client.send({ id: 0, method: "open" });
      expect(await end(made)).toBe("connect");
      expect(made.client.error?.message).toContain(String(status));
    },
  );

  it("with code connect where the server cannot be reached", async () => {
    const made = stage(() => Promise.reject(new TypeError("no route")));
    made.client.send({ id: 0, method: "open" });
    expect(await end(made)).toBe("connect");
  });

  it("with code unknown-session where the server says 404 to any request of a session", async () => {
    const gone = new Response(null, { status: 404 });
    for (const what of ["call", "notice", "GET"]) {
      const made = openWith((one) => (one.what === what ? gone.clone() : undefined));
      made.client.send({ id: 1, method: "call" }, { method: "notice" });
      expect(await end(made)).toBe("unknown-session");
      expect(made.whats()).not.toContain("DELETE");
    }
  });

  it("with code write where a notification or an answer is not taken, for then a message is lost", async () => {
    for (const answer of [
      () => new Response(null, { status: 400 }),
      () => Promise.reject(new TypeError("reset")),
    ]) {
      const made = openWith((one) => (one.what === "notice" ? answer() : undefined));
      made.client.notify("notice");
      expect(await end(made)).toBe("write");
      await made.asked("DELETE");
    }
  });

  it("with code read where the GET is cut and its rest cannot be had", async () => {
    let gets = 0;
    const made = openWith((one) => {
      if (one.method !== "GET") return undefined;
      return gets++ === 0 ? cut(event({ method: "a" }, "x1")) : new Response(null, { status: 400 });
    });
    expect(await end(made)).toBe("read");
    expect(made.client.heard).toEqual([0, "a"]);
  });

  it("with code read where the GET is cut, and the server stays away", async () => {
    let gets = 0;
    const made = openWith((one) =>
      one.method === "GET"
        ? gets++ === 0
          ? cut(event({ method: "a" }, "x1"))
          : new Response(null, { status: 503 })
        : undefined,
    );
    expect(await end(made)).toBe("read");
    expect(gets).toBe(3);
  });

  it("with code protocol where a message is above limits.message", async () => {
    const big = { method: "x".repeat(5000) };
    for (const answer of [sse(event(big)), json(big), sse(`data: ${"x".repeat(5000)}`)]) {
      const made = openWith((one) => (one.what === "call" ? answer : undefined), {
        limits: { message: 1000 },
      });
      made.client.send({ id: 1, method: "call" });
      expect(await end(made)).toBe("protocol");
    }
  });

  it("P6: with code timeout where messages come, and one before them does not", async () => {
    const late = event({ method: "a" }, "sluice.0_2");
    const made = openWith((one) => (one.method === "GET" ? sse(late) : undefined), {
      limits: { silence: 1 },
    });
    expect(await end(made)).toBe("timeout");
    expect(made.client.heard).toEqual([0]);
  });

  it("with code aborted where the user's signal says so, now or before", async () => {
    const abort = new AbortController();
    const get = open();
    const made = openWith((one) => (one.method === "GET" ? get.response : undefined), {
      signal: abort.signal,
    });
    await made.asked("GET");
    abort.abort(new RangeError("enough"));
    expect(await end(made)).toBe("aborted");
    expect(made.client.error?.cause).toBeInstanceOf(RangeError);
    await Promise.all([get.cancelled, made.asked("DELETE")]);
    expect(await end(stage(() => undefined, { signal: AbortSignal.abort() }))).toBe("aborted");
  });

  it("P7: with code closed where a Sluice server aborts, or closes for a reason that is no orderly end", async () => {
    const words = [
      `event: abort\ndata: {"cause":"aborted"}\n\n`,
      `id: sluice.0_1\nevent: end\ndata: {"cause":"protocol","reason":"secret"}\n\n`,
      `id: sluice.0_1\nevent: end\ndata: nonsense\n\n`,
    ];
    for (const word of words) {
      const made = openWith((one) => (one.method === "GET" ? sse(word) : undefined));
      expect(await end(made)).toBe("closed");
      expect(made.client.error?.message).not.toContain("secret");
    }
  });

  it("P7: in order where a Sluice server has ended, and the client then does; requests get no answer meanwhile", async () => {
    const word = `id: sluice.0_1\nevent: end\ndata: {"cause":"done","reason":""}\n\n`;
    const made = openWith((one) =>
      one.method === "GET" ? sse(word) : one.what === "call" ? sse() : undefined,
    );
    await made.client.until(() => made.client.state === "ended");
    made.client.notify("still sent");
    made.client.send({ id: 1, method: "call" });
    made.client.transport.close();
    expect(await end(made)).toBeUndefined();
    expect(made.whats()).toEqual(["open", "GET", "still sent", "DELETE"]);
  });

  it("in order where it is closed before anything was said", async () => {
    const made = stage(() => undefined);
    made.client.transport.close();
    expect(await end(made)).toBeUndefined();
    expect(made.seen).toEqual([]);
  });

  it("in order also where the server does not let its sessions be ended", async () => {
    for (const answer of [
      () => new Response(null, { status: 405 }),
      () => Promise.reject(new TypeError("reset")),
    ]) {
      const made = openWith((one) => (one.what === "DELETE" ? answer() : undefined));
      await made.asked("GET");
      made.client.transport.close();
      expect(await end(made)).toBeUndefined();
    }
  });

  it("after everything that was accepted was taken", async () => {
    const made = openWith(() => undefined);
    made.client.notify("a", "b", "c");
    made.client.transport.close();
    expect(made.client.notify("late")).toBe(false);
    expect(await end(made)).toBeUndefined();
    expect(made.whats().filter((what) => what !== "GET")).toEqual(["open", "a", "b", "c", "DELETE"]);
  });
});

it("whatever comes as a response, its request is answered or the transport ends", async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "id: 1\n",
      "id:\n",
      "data: ",
      "data:",
      "\n\n",
      "\r",
      "event: end\n",
      "event: abort\n",
      "retry: 0\n",
      ": \n",
      "[]",
      "{",
      "\uFEFF",
    ),
    fc.constantFrom(
      '{"jsonrpc":"2.0","id":1,"result":{}}',
      '{"id":1}',
      '{"id":null,"error":{"code":1,"message":"x"}}',
      '{"id":{},"method":1}',
    ),
    fc.constantFrom("id: sluice.0_1\n", "id: sluice.1_9\n", "id: sluice.0_999999999999999\n"),
    fc.string({ unit: "binary", maxLength: 20 }),
  );
  const body = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  const type = fc.constantFrom(
    "text/event-stream",
    "application/json",
    "text/event-stream; charset=utf-8",
    "x/y",
    "",
  );
  const status = fc.constantFrom(200, 200, 200, 202, 204, 301, 400, 404, 429, 500);
  const ends = fc.constantFrom("ends", "is cut");
  await fc.assert(
    fc.asyncProperty(body, type, status, ends, async (content, contentType, code, end) => {
      const headers = contentType === "" ? {} : { "content-type": contentType };
      const answer: Answer = (one) => {
        if (one.what === "open") return json(result(one), { headers: { "mcp-session-id": "s" } });
        if (one.what !== "call") return undefined;
        const sent = code === 204 ? null : end === "ends" ? content : cut(content).body;
        return new Response(sent, { status: code, headers });
      };
      const { client } = stage(answer, { limits: { silence: 1 } });
      client.send({ id: 0, method: "open" }, { id: 1, method: "call" });
      await client.until(() => client.state !== "open" || client.heard.includes(1));
      // An end without a failure is one that the server has spoken.
      const spoken = client.state === "open" || client.error !== undefined || content.includes("event: end");
      expect(spoken).toBe(true);
      client.transport.abort();
      await client.closed();
    }),
    { numRuns: 500 },
  );
});

it("what is no JSON-RPC is refused on the spot, and nothing of that write is taken", async () => {
  const { client, whats, asked } = stage((one) => (one.what === "open" ? json(result(one)) : undefined));
  for (const bad of ["", "hello", "[]", "{}"])
    expect(() => client.transport.write([text({ method: "not sent" }), bad])).toThrow(TypeError);
  client.transport.write([new TextEncoder().encode(text({ id: 0, method: "open" }))]);
  client.notify("a");
  await asked("a");
  expect(whats()).not.toContain("not sent");
});

it("a paused client reads no further", async () => {
  const get = open();
  const { client, asked } = stage((one) =>
    one.what === "open" ? json(result(one)) : one.method === "GET" ? get.response : undefined,
  );
  client.send({ id: 0, method: "open" });
  client.onMessage = ({ method }) => method === "a" && client.transport.pause();
  get.send(event({ method: "a" }) + event({ method: "b" }));
  await client.count(2);
  get.send(event({ method: "c" }));
  client.notify("meanwhile");
  await asked("meanwhile");
  expect(client.heard).toEqual([0, "a"]);
  client.transport.resume();
  await client.count(4);
  expect(client.heard).toEqual([0, "a", "b", "c"]);
});
