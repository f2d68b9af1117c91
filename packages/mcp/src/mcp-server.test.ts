import { connect, mcp, RpcError, serve, type Session, type SessionOptions } from "@sluice/session";
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import { memoryPair } from "@sluice/transport";
import { afterEach, describe, expect, it } from "vitest";
import { mcpServer, type McpServer, type McpServerOptions } from "./mcp-server.ts";
import { tool } from "./tool.ts";

type Sum = { a: number; b: number };

/** A schema of two numbers, of a vendor of our own. */
function sumSchema(): StandardSchemaV1<unknown, Sum> & StandardJSONSchemaV1 {
  const json = (side: string) => () => ({
    type: "object",
    properties: { a: { type: "number" }, b: { type: "number" } },
    description: side,
  });
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) => {
        const { a, b } = value as Sum;
        if (typeof a === "number" && typeof b === "number") return { value: { a, b } };
        return {
          issues: [{ message: "not a number", path: ["a", { key: 0 }] }, { message: "both, please" }],
        };
      },
      jsonSchema: { input: json("input"), output: json("output") },
    },
  };
}

const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of leftovers.splice(0).reverse()) await close();
});

interface Client {
  readonly session: Session;
  /** The server's end. */
  readonly served: Session;
  readonly heard: { readonly method: string; readonly params: unknown }[];
  /** Resolves when so many notifications have come. */
  count(count: number): Promise<void>;
}

const INFO = { name: "client", version: "1" };

async function client(
  server: McpServer,
  protocolVersion?: string,
  own: SessionOptions = {},
): Promise<Client> {
  const [left, right] = memoryPair();
  const heard: { method: string; params: unknown }[] = [];
  let look = (): void => {};
  const serving = serve(right, { ...server.options, ...own });
  const session = await connect(left, {
    dialect: mcp,
    fallbackNotification: (params: unknown, { method }) => {
      heard.push({ method, params });
      look();
    },
  });
  const served = await serving;
  leftovers.push(() => session.close());
  if (protocolVersion !== undefined) {
    await session.call("initialize", { protocolVersion, capabilities: { roots: {} }, clientInfo: INFO });
    await session.notify("notifications/initialized");
  }
  return {
    session,
    served,
    heard,
    count: (count) =>
      new Promise((resolve) => {
        look = (): void => void (heard.length >= count && resolve());
        look();
      }),
  };
}

const opened = (options: Partial<McpServerOptions> = {}): Promise<Client> =>
  client(mcpServer({ name: "s", version: "2", ...options }), "2025-11-25");

const refused = (code: number): unknown => expect.objectContaining({ _tag: "RpcError", code });

describe("a server", () => {
  it("settles the version that the client asks for, or its latest, and says what it is", async () => {
    for (const [asked, settled] of [
      ["2025-11-25", "2025-11-25"],
      ["2025-06-18", "2025-06-18"],
      ["2024-11-05", "2025-11-25"],
      ["2099-01-01", "2025-11-25"],
    ]) {
      const { session } = await client(
        mcpServer({ name: "s", version: "2", title: "S", instructions: "so" }),
      );
      const params = { protocolVersion: asked, capabilities: {}, clientInfo: INFO };
      expect(await session.call("initialize", params)).toEqual({
        protocolVersion: settled,
        capabilities: {
          tools: { listChanged: true },
          resources: { listChanged: true, subscribe: true },
          prompts: { listChanged: true },
          logging: {},
        },
        serverInfo: { name: "s", version: "2", title: "S" },
        instructions: "so",
      });
      await expect(session.call("initialize", params)).rejects.toEqual(refused(-32600));
    }
  });

  it("answers ping at any time, and nothing else before initialize", async () => {
    const { session } = await client(mcpServer({ name: "s", version: "2" }));
    expect(await session.call("ping")).toEqual({});
    await expect(session.call("tools/list")).rejects.toEqual(refused(-32600));
    await expect(session.call("server/discover")).rejects.toEqual(refused(-32601));
    for (const wrong of [
      undefined,
      { clientInfo: INFO },
      { protocolVersion: "2025-11-25" },
      { protocolVersion: 1, clientInfo: INFO },
    ])
      await expect(session.call("initialize", wrong)).rejects.toEqual(refused(-32602));
    await session.call("initialize", { protocolVersion: "2025-11-25", clientInfo: INFO });
    expect(await session.call("tools/list")).toEqual({ tools: [] });
  });

  it("knows its clients, until they are gone", async () => {
    const server = mcpServer({ name: "s", version: "2" });
    const one = await client(server, "2025-11-25");
    await client(server, "2025-06-18");
    expect(server.clients).toBe(2);
    await one.session.close();
    await one.served.closed;
    expect(server.clients).toBe(1);
  });

  it("lists by pages, and refuses a cursor it did not give", async () => {
    const tools = Object.fromEntries(
      ["a", "b", "c", "d", "e"].map((name) => [name, tool({ run: () => name })]),
    );
    const { session } = await opened({ tools, pageSize: 2 });
    type Listed = { tools: { name: string }[]; nextCursor?: string };
    const names: string[][] = [];
    let cursor: string | undefined;
    do {
      const page: Listed = await session.call<Listed>("tools/list", cursor === undefined ? {} : { cursor });
      names.push(page.tools.map(({ name }) => name));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(names).toEqual([["a", "b"], ["c", "d"], ["e"]]);
    expect(await session.call("tools/list", { cursor: "100" })).toEqual({ tools: [] });
    for (const wrong of ["", "-1", "0", "x", "1.5", 2, null])
      await expect(session.call("tools/list", { cursor: wrong })).rejects.toEqual(refused(-32602));
    expect(() => mcpServer({ name: "s", version: "2", pageSize: 0 })).toThrow(RangeError);
  });

  it("tells its clients what changed, once for each turn", async () => {
    const server = mcpServer({ name: "s", version: "2" });
    const { session, heard, count } = await client(server, "2025-11-25");
    const added = server.tools.add("a", tool({ run: () => "a" }));
    server.tools.add("b", tool({ run: () => "b" }));
    server.prompts.add("p", { get: () => "p" });
    server.resources.add("mem:r", { name: "r", read: () => "r" });
    await count(3);
    expect(heard.map(({ method }) => method)).toEqual([
      "notifications/tools/list_changed",
      "notifications/prompts/list_changed",
      "notifications/resources/list_changed",
    ]);
    added[Symbol.dispose]();
    await count(4);
    added[Symbol.dispose]();
    expect(server.tools.remove("a")).toBe(false);
    expect(server.tools.size).toBe(1);
    const replaced = server.tools.add("b", tool({ run: () => "b" }));
    server.tools.add("b", tool({ run: () => "another b" }));
    replaced[Symbol.dispose]();
    await count(5);
    expect(await session.call("tools/list")).toMatchObject({ tools: [{ name: "b" }] });
    expect(heard).toHaveLength(5);
  });
});

describe("a tool", () => {
  const add = tool({
    title: "Add",
    description: "adds",
    annotations: { readOnlyHint: true },
    input: sumSchema(),
    output: sumSchema(),
    run: ({ a, b }) => ({ a: a + b, b: 0 }),
  });

  it("is listed with what its schemas say of themselves, or what is given by hand", async () => {
    const byHand: StandardSchemaV1 = {
      "~standard": { version: 1, vendor: "x", validate: (value) => ({ value }) },
    };
    const other = tool({ input: byHand, inputSchema: { type: "object", properties: {} }, run: () => "" });
    const { session } = await opened({ tools: { add, other, bare: tool({ run: () => "" }) } });
    const properties = { a: { type: "number" }, b: { type: "number" } };
    expect(await session.call("tools/list")).toEqual({
      tools: [
        {
          name: "add",
          title: "Add",
          description: "adds",
          annotations: { readOnlyHint: true },
          inputSchema: { type: "object", properties, description: "input" },
          outputSchema: { type: "object", properties, description: "output" },
        },
        { name: "other", inputSchema: { type: "object", properties: {} } },
        { name: "bare", inputSchema: { type: "object" } },
      ],
    });
    expect(() => tool({ input: byHand, run: () => "" })).toThrow("inputSchema");
    expect(() => tool({ input: byHand, inputSchema: { type: "array" }, run: () => "" })).toThrow("object");
    expect(() => tool({ output: byHand, run: () => 1 })).toThrow("outputSchema");
  });

  it("is given arguments that were checked, and gives structured content that is checked", async () => {
    const wrong = tool({ output: sumSchema(), run: () => ({ a: "x", b: 1 }) });
    const errors: unknown[] = [];
    const server = mcpServer({ name: "s", version: "2", tools: { add, wrong } });
    const { session } = await client(server, "2025-11-25", {
      onHandlerError: (error) => void errors.push(error),
    });
    const call = (name: string, args?: object): Promise<unknown> =>
      session.call("tools/call", { name, arguments: args });
    expect(await call("add", { a: 1, b: 2 })).toEqual({
      content: [{ type: "text", text: '{"a":3,"b":0}' }],
      structuredContent: { a: 3, b: 0 },
    });
    for (const args of [undefined, {}, { a: "1", b: 2 }])
      expect(await call("add", args)).toEqual({
        content: [{ type: "text", text: "invalid arguments: a.0: not a number; both, please" }],
        isError: true,
      });
    await expect(call("wrong")).rejects.toMatchObject({ code: -32603, message: "Internal error" });
    expect(String(errors)).toContain("what its output says");
  });

  it("may give a text, contents, a whole result or nothing", async () => {
    const content = [{ type: "image", data: "AA==", mimeType: "image/png" }] as const;
    const tools = {
      text: tool({ run: () => "hello" }),
      contents: tool({ run: async () => content }),
      whole: tool({ run: () => ({ content, structuredContent: { a: 1 }, _meta: { x: 1 } }) }),
      nothing: tool({ run: () => {} }),
      args: tool({ run: (args) => JSON.stringify(args) }),
    };
    const { session } = await opened({ tools });
    const call = (name: string, args?: unknown): Promise<unknown> =>
      session.call("tools/call", { name, arguments: args });
    expect(await call("text")).toEqual({ content: [{ type: "text", text: "hello" }] });
    expect(await call("contents")).toEqual({ content });
    expect(await call("whole")).toEqual({ content, structuredContent: { a: 1 }, _meta: { x: 1 } });
    expect(await call("nothing")).toEqual({ content: [] });
    expect(await call("args", { x: [1] })).toEqual({ content: [{ type: "text", text: '{"x":[1]}' }] });
    expect(await call("args", null)).toEqual({ content: [{ type: "text", text: "{}" }] });
  });

  it("that does not exist is -32602, one that fails is a result, and an RpcError an answer", async () => {
    const tools = {
      fails: tool({
        run: () => {
          throw new Error("out of paper");
        },
      }),
      refuses: tool({ run: async () => Promise.reject(new RpcError(1001, "no", { x: 1 })) }),
    };
    const { session } = await opened({ tools });
    const call = (name?: unknown): Promise<unknown> => session.call("tools/call", { name });
    for (const name of ["none", "__proto__", "toString", undefined, 1])
      await expect(call(name)).rejects.toEqual(refused(-32602));
    await expect(call("none")).rejects.not.toThrow("none");
    expect(await call("fails")).toEqual({ content: [{ type: "text", text: "out of paper" }], isError: true });
    await expect(call("refuses")).rejects.toMatchObject({ code: 1001, message: "no", data: { x: 1 } });
  });

  it("tells its progress to who asked for it, while it runs, and knows who that is", async () => {
    let late = async (): Promise<void> => {};
    const seen: unknown[] = [];
    const work = tool({
      async run(_, context) {
        seen.push(
          context.client.info,
          context.client.capabilities,
          context.client.protocolVersion,
          context.meta,
        );
        await context.progress(1, { total: 2, message: "half" });
        await context.progress(2);
        late = () => context.progress(3);
        return "";
      },
    });
    const { session, heard, count } = await opened({ tools: { work } });
    const meta = { progressToken: "t", other: 1 };
    await session.call("tools/call", { name: "work", _meta: meta });
    await late();
    await session.call("tools/call", { name: "work" });
    await count(2);
    expect(heard).toEqual([
      {
        method: "notifications/progress",
        params: { progressToken: "t", progress: 1, total: 2, message: "half" },
      },
      { method: "notifications/progress", params: { progressToken: "t", progress: 2 } },
    ]);
    expect(seen.slice(0, 4)).toEqual([INFO, { roots: {} }, "2025-11-25", meta]);
  });

  it("hears by its signal that it was cancelled", async () => {
    let begun = (): void => {};
    const running = new Promise<void>((resolve) => (begun = resolve));
    let stopped: (why: unknown) => void = () => {};
    const stop = new Promise<unknown>((resolve) => (stopped = resolve));
    const slow = tool({
      run: (_, { signal }) =>
        new Promise<string>((_resolve, reject) => {
          begun();
          signal.addEventListener("abort", () => {
            stopped(signal.reason);
            reject(signal.reason as Error);
          });
        }),
    });
    const { session } = await opened({ tools: { slow } });
    const abort = new AbortController();
    const called = session.call("tools/call", { name: "slow" }, { signal: abort.signal });
    await running;
    abort.abort();
    await expect(called).rejects.toMatchObject({ _tag: "CancelledError" });
    expect(await stop).toMatchObject({ _tag: "CancelledError" });
  });

  it("may log, which the client hears from the level on that it wants", async () => {
    const chat = tool({
      async run(_, context) {
        await context.log("debug", { a: 1 });
        await context.log("error", "bad", "chat");
      },
    });
    const server = mcpServer({ name: "s", version: "2", tools: { chat } });
    const { session, heard, count } = await client(server, "2025-11-25");
    await session.call("tools/call", { name: "chat" });
    expect(await session.call("logging/setLevel", { level: "warning" })).toEqual({});
    await session.call("tools/call", { name: "chat" });
    server.log("emergency", "fire");
    server.log("notice", "lunch");
    await count(4);
    expect(heard.map(({ params }) => params)).toEqual([
      { level: "debug", data: { a: 1 } },
      { level: "error", data: "bad", logger: "chat" },
      { level: "error", data: "bad", logger: "chat" },
      { level: "emergency", data: "fire" },
    ]);
    for (const level of ["loud", undefined, 1])
      await expect(session.call("logging/setLevel", { level })).rejects.toEqual(refused(-32602));
  });
});

describe("a resource", () => {
  const resources = {
    "mem:text": { name: "text", mimeType: "text/plain", size: 5, read: () => "hello" },
    "mem:bytes": { name: "bytes", read: async () => new Uint8Array([0, 255]) },
    "mem:many": { name: "many", read: () => [{ uri: "mem:many/1", text: "1" }] },
  };

  it("is listed and read as text, bytes or contents of its own", async () => {
    const { session } = await opened({ resources });
    expect(await session.call("resources/list")).toEqual({
      resources: [
        { uri: "mem:text", name: "text", mimeType: "text/plain", size: 5 },
        { uri: "mem:bytes", name: "bytes" },
        { uri: "mem:many", name: "many" },
      ],
    });
    const read = (uri: string): Promise<unknown> => session.call("resources/read", { uri });
    expect(await read("mem:text")).toEqual({
      contents: [{ uri: "mem:text", mimeType: "text/plain", text: "hello" }],
    });
    expect(await read("mem:bytes")).toEqual({ contents: [{ uri: "mem:bytes", blob: "AP8=" }] });
    expect(await read("mem:many")).toEqual({ contents: [{ uri: "mem:many/1", text: "1" }] });
    await expect(read("mem:none")).rejects.toEqual(refused(-32002));
    expect(await session.call("resources/templates/list")).toEqual({ resourceTemplates: [] });
  });

  it("tells who has subscribed when it has changed", async () => {
    const server = mcpServer({ name: "s", version: "2", resources });
    const one = await client(server, "2025-11-25");
    const two = await client(server, "2025-11-25");
    expect(await one.session.call("resources/subscribe", { uri: "mem:text" })).toEqual({});
    await expect(one.session.call("resources/subscribe", { uri: "mem:none" })).rejects.toEqual(
      refused(-32002),
    );
    server.updated("mem:text");
    server.updated("mem:bytes");
    await one.count(1);
    await one.session.call("resources/unsubscribe", { uri: "mem:text" });
    for (const uri of [undefined, 1, { toString: 1 }])
      await expect(one.session.call("resources/unsubscribe", { uri })).rejects.toEqual(refused(-32602));
    server.updated("mem:text");
    await Promise.all([one.session.call("ping"), two.session.call("ping")]);
    expect(one.heard).toEqual([{ method: "notifications/resources/updated", params: { uri: "mem:text" } }]);
    expect(two.heard).toEqual([]);
  });
});

describe("a prompt", () => {
  it("is listed, and made from texts of which none that is required is missing", async () => {
    const greeting = {
      description: "greets",
      arguments: [{ name: "who", required: true }, { name: "how" }],
      get: ({ who, how = "hello" }: Readonly<Record<string, string>>) => `${how} ${who}`,
    };
    const message = { role: "assistant", content: { type: "text", text: "hi" } } as const;
    const prompts = {
      greeting,
      list: { get: () => [message] },
      whole: { get: () => ({ description: "d", messages: [message] }) },
    };
    const { session } = await opened({ prompts });
    expect(await session.call("prompts/list")).toEqual({
      prompts: [
        { name: "greeting", description: "greets", arguments: greeting.arguments },
        { name: "list" },
        { name: "whole" },
      ],
    });
    const get = (name: string, args?: unknown): Promise<unknown> =>
      session.call("prompts/get", { name, arguments: args });
    expect(await get("greeting", { who: "Ada" })).toEqual({
      messages: [{ role: "user", content: { type: "text", text: "hello Ada" } }],
    });
    expect(await get("list")).toEqual({ messages: [message] });
    expect(await get("whole")).toEqual({ description: "d", messages: [message] });
    for (const args of [undefined, { how: "x" }, { who: 1 }])
      await expect(get("greeting", args)).rejects.toEqual(refused(-32602));
    await expect(get("none")).rejects.toEqual(refused(-32602));
  });
});
