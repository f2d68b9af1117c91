import { assertNoLeaks, connect, mcp, RpcError, type Session, type SessionOptions } from "@sluice/session";
import type { TransportError } from "@sluice/transport";
import { afterEach, describe, expect, it } from "vitest";
import { direct } from "./direct.testing.ts";
import { mcpTransport } from "./mcp-transport.ts";
import {
  event,
  INITIALIZE,
  json,
  live,
  ordinary,
  sse,
  VERSION,
  type Answer,
  type Seen,
} from "./stage.testing.ts";
import type { McpLimits } from "./limits.ts";
import { StreamableHttp } from "./streamable-http.ts";
import type { JsonRpcMessage } from "./message.ts";

const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of leftovers.splice(0).reverse()) await close();
});

/** A client whose server is a function, and what that saw. */
async function client(
  answer: Answer,
  limits: Partial<McpLimits> = {},
): Promise<{ http: StreamableHttp; whats: string[] }> {
  const whats: string[] = [];
  const place = await direct(async (request) => {
    const text = await request.text();
    const message = text === "" ? undefined : (JSON.parse(text) as JsonRpcMessage);
    const what = message?.method ?? (message === undefined ? request.method : `answer ${message.id}`);
    const { method, headers } = request;
    const seen: Seen = { method, headers, url: new URL(request.url), message, what };
    whats.push(what);
    return ((await answer(seen)) ?? ordinary(seen)) as Response;
  });
  return { http: new StreamableHttp(place.url, { client: place.client, limits }), whats };
}

async function opened(
  answer: Answer,
  options: SessionOptions = {},
): Promise<{ session: Session; whats: string[]; http: StreamableHttp }> {
  const { http, whats } = await client(answer);
  const session = await connect(mcpTransport(http), { dialect: mcp, ...options });
  leftovers.push(() => session.close());
  await session.call("initialize", INITIALIZE.params);
  await session.notify("notifications/initialized");
  return { session, whats, http };
}

describe("a session over Streamable HTTP", () => {
  it("calls, is called and notified, and says its end", async () => {
    const heard: unknown[] = [];
    const { session, whats, http } = await opened(
      ({ what, message }) =>
        what === "tools/call"
          ? sse([
              event({ method: "notifications/message", params: { data: 1 } }),
              event({ id: 5, method: "roots/list" }),
              event({ id: message!.id, result: { content: [] } }),
            ])
          : undefined,
      {
        handlers: { "roots/list": () => ({ roots: [] }) },
        notifications: { "notifications/message": ({ data }: { data: unknown }) => void heard.push(data) },
      },
    );
    expect([http.sessionId, http.protocolVersion]).toEqual(["s", VERSION]);
    expect(await session.call("tools/call", { name: "x" })).toEqual({ content: [] });
    expect(heard).toEqual([1]);
    await session.close("done");
    expect(whats.filter((what) => what !== "GET")).toEqual([
      "initialize",
      "notifications/initialized",
      "tools/call",
      "answer 5",
      "DELETE",
    ]);
    assertNoLeaks(session);
  });

  it("has its calls answered where they fail, and goes on", async () => {
    const { session } = await opened(({ what }) =>
      what === "bad" ? new Response("no", { status: 400 }) : undefined,
    );
    const refused: unknown = await session.call("bad").catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RpcError);
    expect(refused).toMatchObject({ code: -32001, data: { kind: "status", status: 400, mayHaveRun: false } });
    expect(await session.call("ping")).toEqual({});
  });

  it("ends where a notification is not taken, for a message is lost", async () => {
    const { session } = await opened(({ what }) =>
      what === "n" ? new Response("no", { status: 400 }) : undefined,
    );
    await session.notify("n");
    const error = await session.closed;
    expect(error.cause).toMatchObject({ _tag: "TransportError", code: "write" });
  });

  it("cancels a call, which its server may leave open", async () => {
    const body = live();
    const { session, whats } = await opened(({ what }) => (what === "slow" ? body.response : undefined));
    const abort = new AbortController();
    const called = session.call("slow", {}, { signal: abort.signal });
    await session.call("ping");
    abort.abort();
    await expect(called).rejects.toMatchObject({ _tag: "CancelledError" });
    await session.call("ping");
    expect(whats).toContain("notifications/cancelled");
    await session.close();
    await body.cancelled;
  });
});

describe("the transport", () => {
  const started = async (
    answer: Answer,
    limits: { highWater: number } = { highWater: 1000 },
  ): Promise<{
    transport: ReturnType<typeof mcpTransport>;
    http: StreamableHttp;
    events: unknown[];
    until(count: number): Promise<void>;
  }> => {
    const { http } = await client(answer, limits);
    const transport = mcpTransport(http);
    const events: unknown[] = [];
    let look = (): void => {};
    const note = (what: unknown): void => {
      events.push(what);
      look();
    };
    transport.start({
      onData: (chunk) => note(JSON.parse(String(chunk))),
      onDrain: () => note("drain"),
      onEnd: () => note("end"),
      onClose: (error?: TransportError) => note(error?.code ?? "closed"),
    });
    return {
      transport,
      http,
      events,
      until: (count) =>
        new Promise((resolve) => {
          look = (): void => void (events.length >= count && resolve());
          look();
        }),
    };
  };
  const text = (message: JsonRpcMessage): string => JSON.stringify({ jsonrpc: "2.0", ...message });

  it("keeps the order of notifications, and does not let requests wait for each other", async () => {
    const order: string[] = [];
    let go = (): void => {};
    const held = new Promise<void>((resolve) => (go = resolve));
    const { transport, until } = await started(async ({ what, message }) => {
      order.push(`${what} begins`);
      if (what === "slow") await held;
      if (what === "n") await Promise.resolve();
      order.push(`${what} ends`);
      return what === "slow" ? json({ id: message!.id, result: {} }) : undefined;
    });
    transport.write([
      text({ id: 1, method: "slow" }),
      text({ method: "n" }),
      text({ id: 2, method: "quick" }),
    ]);
    await until(1);
    go();
    await until(2);
    expect(order).toEqual(["slow begins", "n begins", "n ends", "quick begins", "quick ends", "slow ends"]);
  });

  it("says when it is full and when there is room again", async () => {
    const { transport, events, until } = await started(() => undefined, { highWater: 100 });
    expect(transport.write([text({ id: 1, method: "x", params: "y".repeat(200) })])).toBe(false);
    expect(transport.write([text({ id: 2, method: "x" })])).toBe(false);
    await until(3);
    expect(events.filter((one) => one === "drain")).toHaveLength(1);
    expect(events.filter((one) => one !== "drain").map((one) => (one as JsonRpcMessage).id)).toEqual([1, 2]);
    expect(transport.write([text({ method: "n" })])).toBe(true);
  });

  it("holds what comes back while it is paused", async () => {
    const taken: (() => void)[] = [];
    const { transport, events, until } = await started(({ what }) => {
      if (what === "n") taken.shift()?.();
      return undefined;
    });
    transport.pause();
    transport.write([text({ id: 1, method: "x" })]);
    // What is written later has been taken, twice: the answer would have been here.
    for (let n = 0; n < 2; n++) {
      const took = new Promise<void>((resolve) => taken.push(resolve));
      transport.write([text({ method: "n" })]);
      await took;
    }
    expect(events).toEqual([]);
    transport.resume();
    await until(1);
    transport.write([text({ id: 2, method: "x" })]);
    await until(2);
    expect(events).toMatchObject([{ id: 1 }, { id: 2 }]);
  });

  it("ends orderly when it is closed, and with the error it is aborted with, once", async () => {
    const one = await started(() => undefined);
    one.transport.close();
    one.transport.close();
    await one.until(2);
    expect(one.events).toEqual(["end", "closed"]);
    expect(one.transport.write([text({ method: "n" })])).toBe(false);
    const two = await started(() => undefined);
    two.transport.abort();
    two.transport.abort();
    expect(two.events).toEqual(["end", "closed"]);
  });

  it("that is aborted ends its session at the server, gives up what is under way, and sends no more", async () => {
    const body = live();
    const ended = Promise.withResolvers<void>();
    const { transport, http, events, until } = await started(({ what }) => {
      if (what === "DELETE") ended.resolve();
      return what === "slow" ? body.response : undefined;
    });
    transport.write([text({ id: 1, ...INITIALIZE })]);
    await until(1);
    transport.write([text({ id: 2, method: "slow" }), text({ id: 3, method: "quick" })]);
    await until(2);
    transport.abort();
    await Promise.all([ended.promise, body.cancelled]);
    expect(events.slice(2)).toEqual(["end", "closed"]);
    await expect(http.send({ jsonrpc: "2.0", method: "n" })).rejects.toMatchObject({ kind: "closed" });
  });

  it("takes nothing but messages, and one at a time", async () => {
    const { transport } = await started(() => undefined);
    for (const wrong of ["x", "1", "[]", "{}", '[{"method":"a"},{"method":"b"}]'])
      expect(() => transport.write([wrong])).toThrow(TypeError);
  });
});
