// MCP 2026-07-28 by our transport: no session, each request with its version in headers, a response of its own that ends
// with it, between the SDK's client and the SDK's server.
import { Client } from "@modelcontextprotocol/client";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { StreamableHttp } from "@sluice/mcp";
import { afterEach, expect, it } from "vitest";
import { listen } from "./place.ts";
import { remote } from "./remote.ts";

const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of leftovers.splice(0).reverse()) await close();
});

it.each(["auto", "codex"] as const)("calls, steps and cancels, by an executor in wire %s", async (wire) => {
  let stopped = (): void => {};
  const stop = new Promise<void>((resolve) => (stopped = resolve));
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: "modern", version: "1" });
    server.registerTool("named", {}, () => ({ content: [{ type: "text", text: "named" }] }));
    server.registerTool("steps", {}, async ({ mcpReq }) => {
      const progressToken = mcpReq["_meta"]?.progressToken;
      for (let progress = 1; progress <= 3; progress++)
        await mcpReq.notify({
          method: "notifications/progress",
          params: { progressToken: progressToken!, progress },
        });
      return { content: [{ type: "text", text: "done" }] };
    });
    server.registerTool("wait", {}, async ({ mcpReq }) => {
      const progressToken = mcpReq["_meta"]?.progressToken;
      await mcpReq.notify({
        method: "notifications/progress",
        params: { progressToken: progressToken!, progress: 1 },
      });
      await new Promise<void>((resolve) => mcpReq.signal.addEventListener("abort", () => resolve()));
      stopped();
      return { content: [] };
    });
    return server;
  });
  const seen: (readonly (string | null)[])[] = [];
  const server = await listen((request) => {
    const { method, headers } = request;
    seen.push([
      method,
      ...["mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id"].map((one) => headers.get(one)),
    ]);
    return handler.fetch(request);
  });
  const made = await remote(wire);
  const client = new Client({ name: "tests", version: "1" }, { versionNegotiation: { mode: "auto" } });
  const errors: Error[] = [];
  Object.assign(client, { onerror: (error: Error) => errors.push(error) });
  leftovers.push(
    () => server.close(),
    () => handler.close(),
    () => made.close(),
    () => client.close(),
  );
  await client.connect(new StreamableHttp(server.url, { client: made.client }));
  expect(client.getNegotiatedProtocolVersion()).toBe("2026-07-28");

  expect(await client.callTool({ name: "named" })).toMatchObject({ content: [{ text: "named" }] });
  expect(seen.at(-1)).toEqual(["POST", "2026-07-28", "tools/call", "named", null]);
  const steps: number[] = [];
  await client.callTool({ name: "steps" }, { onprogress: ({ progress }) => void steps.push(progress) });
  expect(steps).toEqual([1, 2, 3]);

  const abort = new AbortController();
  let begun = (): void => {};
  const running = new Promise<void>((resolve) => (begun = resolve));
  const called = client.callTool({ name: "wait" }, { signal: abort.signal, onprogress: () => begun() });
  await running;
  abort.abort(new Error("enough"));
  await expect(called).rejects.toThrow("enough");
  // Nothing is posted for it: the end of its response says so.
  await stop;
  expect(seen.map(([, , method]) => method)).not.toContain("notifications/cancelled");
  expect(seen.map(([method]) => method)).not.toContain("GET");
  expect(errors).toEqual([]);
});
