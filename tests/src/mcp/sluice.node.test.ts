// Two Sluice peers that speak with each other over the mcp wire: greeting, calls both ways and streams, all in JSON.
import type { dial as Dial, serve as Serve } from "@sluice/http";
import {
  assertNoLeaks,
  connect,
  serve as serveSession,
  type Session,
  type SessionReadable,
} from "@sluice/session";
import { afterEach, expect, it } from "vitest";
import { proxy, type Proxy } from "./proxy.ts";

const runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
const { dial, serve } = (await import(`@sluice/http/${runtime}`)) as {
  readonly dial: typeof Dial;
  readonly serve: typeof Serve;
};

const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of leftovers.splice(0).reverse()) await close();
});

async function pair(): Promise<{ client: Session; server: Session; proxy: Proxy; sessions: () => number }> {
  let opened: (session: Promise<Session>) => void = () => {};
  const accepted = new Promise<Session>((resolve) => (opened = resolve));
  const server = await serve({
    limits: { retry: 1 },
    onSession: (transport) =>
      opened(
        serveSession(transport, {
          handlers: {
            async *count({ to }: { to: number }) {
              for (let n = 0; n < to; n++) yield n;
            },
            size: async ({ body }: { body: SessionReadable }) =>
              (await new Response(body).arrayBuffer()).byteLength,
            back: (params: unknown, { session }) => session.call("name", params),
            mirror: ({ body }: { body: SessionReadable }) => body,
          },
        }),
      ),
  });
  const between = await proxy(server.port);
  const client = await connect(
    dial(`http://127.0.0.1:${between.port}/`, { limits: { backoff: [1, 10], retries: 50 } }),
    {
      handlers: { name: (params: unknown) => ({ name: "Ada", ...(params as object) }) },
    },
  );
  leftovers.push(
    () => server.close(),
    () => between.close(),
    () => client.close(),
  );
  return { client, server: await accepted, proxy: between, sessions: () => server.sessions };
}

it("streams come in order behind the answer that mentions them, on whichever response", async () => {
  const { client } = await pair();
  for (let round = 0; round < 20; round++) {
    const got: number[] = [];
    for await (const n of await client.call<AsyncIterable<number>>("count", { to: 50 })) got.push(n);
    expect(got).toEqual(Array.from({ length: 50 }, (_, n) => n));
  }
  const endless = await client.call<AsyncIterable<number>>("count", { to: 1e9 });
  for await (const n of endless) if (n === 1000) break;
  // What the producer says to that comes before the answer to a later call.
  await client.call("back");
  assertNoLeaks(client);
});

it("bytes go there and back, and calls go both ways beside them", async () => {
  const { client, server } = await pair();
  const body = new Blob([new Uint8Array(1_000_000)]);
  const [size, mirrored, back] = await Promise.all([
    client.call("size", { body }),
    client.call<SessionReadable>("mirror", { body }).then((stream) => new Response(stream).arrayBuffer()),
    client.call("back", { n: 1 }),
  ]);
  expect([size, mirrored.byteLength, back]).toEqual([1_000_000, 1_000_000, { name: "Ada", n: 1 }]);
  expect(await server.call("name", { n: 2 })).toEqual({ name: "Ada", n: 2 });
  assertNoLeaks(client);
  assertNoLeaks(server);
});

it("a session ends in order from either side, and nothing stays at the server", async () => {
  for (const side of ["client", "server"] as const) {
    const made = await pair();
    await made[side].close("enough");
    const reasons = [(await made.client.closed).code, (await made.server.closed).code];
    expect(reasons).toEqual(["closed", "closed"]);
    expect(made.sessions()).toBe(0);
  }
});

it("a stream survives connections that break", async () => {
  const { client, proxy: between } = await pair();
  const got: number[] = [];
  for await (const n of await client.call<AsyncIterable<number>>("count", { to: 20_000 })) {
    got.push(n);
    // Before the reader has to grant more: its grants are POSTs, and one that is cut is lost.
    if (n === 10) between.cut();
  }
  expect(got.length).toBe(20_000);
  expect(between.cuts).toBeGreaterThan(0);
});
