// The SDK's client with the MCP project's own test server, whoever makes the requests: the SDK's transport by a fetch
// whose requests an executor makes, and ours over an executor and over this program.
import { Client, StreamableHTTPClientTransport, type Transport } from "@modelcontextprotocol/client";
import { createFetch } from "@sluice/exec";
import { StreamableHttp } from "@sluice/mcp";
import { connect, mcp } from "@sluice/session";
import { mcpTransport } from "@sluice/mcp";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { everything, type Everything } from "./everything.ts";
import { local, remote, type Made } from "./remote.ts";

type Medium = (url: URL, made: Made) => Transport & { readonly sessionId?: string | undefined };

const bySdk: Medium = (url, { client }) =>
  new StreamableHTTPClientTransport(url, { fetch: createFetch(client) });
const byOurs: Medium = (url, { client }) => new StreamableHttp(url, { client });

const WAYS: readonly (readonly [string, Medium, () => Promise<Made>])[] = [
  ["the SDK's transport, by an executor's fetch", bySdk, () => remote("auto")],
  ["the SDK's transport, by an executor's fetch in codex's wire", bySdk, () => remote("codex")],
  ["our transport, over an executor", byOurs, () => remote("auto")],
  ["our transport, over an executor in codex's wire", byOurs, () => remote("codex")],
  ["our transport, over this program", byOurs, local],
];

let server: Everything;
beforeAll(async () => {
  server = await everything();
});
afterAll(() => server.close());

const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of leftovers.splice(0).reverse()) await close();
});

const LONG = "trigger-long-running-operation";

describe.each(WAYS)("%s", (_, medium, make) => {
  async function opened(): Promise<{ client: Client; transport: ReturnType<Medium>; errors: Error[] }> {
    const made = await make();
    leftovers.push(() => made.close());
    const transport = medium(new URL(server.url), made);
    const client = new Client({ name: "tests", version: "1" });
    const errors: Error[] = [];
    Object.assign(client, { onerror: (error: Error) => errors.push(error) });
    await client.connect(transport);
    leftovers.push(() => client.close());
    return { client, transport, errors };
  }

  it("initializes, lists, calls and reads", async () => {
    const { client, transport, errors } = await opened();
    expect(transport.sessionId).toMatch(/^[\da-f-]{36}$/);
    expect(client.getNegotiatedProtocolVersion()).toBe("2025-11-25");
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain(LONG);
    expect(await client.callTool({ name: "echo", arguments: { message: "ä€😀" } })).toMatchObject({
      content: [{ type: "text", text: "Echo: ä€😀" }],
    });
    const many = Array.from({ length: 20 }, (_one, a) =>
      client.callTool({ name: "get-sum", arguments: { a, b: 1 } }),
    );
    const sums = (await Promise.all(many)).map(({ content }) => (content[0] as { text: string }).text);
    expect(sums).toEqual(Array.from({ length: 20 }, (_one, a) => `The sum of ${a} and 1 is ${a + 1}.`));
    expect((await client.listPrompts()).prompts.length).toBeGreaterThan(0);
    const { resources } = await client.listResources();
    const { contents } = await client.readResource({ uri: resources[0]!.uri });
    expect(contents[0]).toMatchObject({ uri: resources[0]!.uri });
    expect(errors).toEqual([]);
  });

  it("hears each step of a long stream, in order, while other calls are answered", async () => {
    const { client, errors } = await opened();
    const steps: number[] = [];
    const long = client.callTool(
      { name: LONG, arguments: { duration: 0.5, steps: 200 } },
      { onprogress: ({ progress }) => void steps.push(progress) },
    );
    await client.callTool({ name: "echo", arguments: { message: "meanwhile" } });
    expect(await long).toMatchObject({ content: [{ type: "text" }] });
    expect(steps).toEqual(Array.from({ length: 200 }, (_one, n) => n + 1));
    expect(errors).toEqual([]);
  });

  it("gives up a call, and goes on", async () => {
    const { client } = await opened();
    const abort = new AbortController();
    let begun = (): void => {};
    const running = new Promise<void>((resolve) => (begun = resolve));
    const long = client.callTool(
      { name: LONG, arguments: { duration: 600, steps: 60_000 } },
      { signal: abort.signal, onprogress: () => begun() },
    );
    await running;
    abort.abort(new Error("enough"));
    await expect(long).rejects.toThrow("enough");
    await client.ping();
  });

  it("is told when its session was ended from elsewhere, and may open another", async () => {
    const { client, transport } = await opened();
    const headers = { "mcp-session-id": transport.sessionId! };
    expect((await fetch(server.url, { method: "DELETE", headers })).status).toBe(200);
    // This server says so by 400, which is no word for a session that may be opened again.
    await expect(client.callTool({ name: "echo", arguments: { message: "?" } })).rejects.toThrow(
      "No valid session ID",
    );
    const other = await opened();
    expect(other.transport.sessionId).not.toBe(transport.sessionId);
    await other.client.ping();
  });
});

it("a session of ours speaks with it, without the SDK", async () => {
  const { client, close } = await remote("auto");
  leftovers.push(close);
  const http = new StreamableHttp(server.url, { client });
  const progress: number[] = [];
  const session = await connect(mcpTransport(http), {
    dialect: mcp,
    handlers: { ping: () => ({}) },
    notifications: {
      "notifications/progress": (params: { progress: number }) => void progress.push(params.progress),
    },
  });
  leftovers.push(() => session.close());
  await session.call("initialize", {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "tests", version: "1" },
  });
  await session.notify("notifications/initialized");
  const params = { name: LONG, arguments: { duration: 0.1, steps: 3 }, _meta: { progressToken: 1 } };
  expect(await session.call("tools/call", params)).toMatchObject({ content: [{ type: "text" }] });
  expect(progress).toEqual([1, 2, 3]);
  await session.close();
  expect(http.sessionId).toBeUndefined();
});
