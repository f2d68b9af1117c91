import { mcp, connect, serve, type Session } from "@sluice/session";
import { memoryPair } from "@sluice/transport";
import { afterEach, describe, expect, it } from "vitest";
import { mcpServer, type McpServer } from "./mcp-server.ts";
import { tool } from "./tool.ts";

const leftovers: Session[] = [];
afterEach(async () => {
  for (const session of leftovers.splice(0)) await session.close();
});

interface Stage {
  readonly server: McpServer;
  /** The names that a client is shown. */
  names(): Promise<string[]>;
  call(name: string): Promise<unknown>;
  /** Settles when the client has been told that the list has changed. */
  changed(): Promise<void>;
}

async function stage(): Promise<Stage> {
  const say = (text: string) => tool({ run: () => text });
  const server = mcpServer({
    name: "s",
    version: "1",
    pageSize: 2,
    tools: { a: say("A"), b: say("B"), c: say("C") },
  });
  const [left, right] = memoryPair();
  let told = (): void => {};
  void serve(right, server.options);
  const session = await connect(left, {
    dialect: mcp,
    notifications: { "notifications/tools/list_changed": () => told() },
  });
  leftovers.push(session);
  const clientInfo = { name: "tests", version: "1" };
  await session.call("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
  type Page = { tools: { name: string }[]; nextCursor?: string };
  return {
    server,
    async names() {
      const names: string[] = [];
      for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
        const page: Page = await session.call("tools/list", cursor === undefined ? {} : { cursor });
        names.push(...page.tools.map(({ name }) => name));
        cursor = page.nextCursor;
      }
      return names;
    },
    call: async (name) => {
      const { content } = await session.call<{ content: { text: string }[] }>("tools/call", { name });
      return content[0]!.text;
    },
    changed: () => new Promise((resolve) => (told = resolve)),
  };
}

describe("test_tool_enable_disable", () => {
  it("all tools are enabled to begin with", async () => {
    const { names, server } = await stage();
    expect(await names()).toEqual(["a", "b", "c"]);
    expect(server.tools.isEnabled("a")).toBe(true);
    expect(server.tools.isEnabled("none")).toBe(false);
  });

  it("a disabled tool is neither listed nor called, and clients are told", async () => {
    const { names, call, changed, server } = await stage();
    const told = changed();
    server.tools.disable("b");
    await told;
    expect(await names()).toEqual(["a", "c"]);
    await expect(call("b")).rejects.toMatchObject({ code: -32602, message: /no such tool/ });
    expect(await call("c")).toBe("C");
    expect(server.tools.size).toBe(3);
  });

  it("a tool that is enabled again stands where it stood", async () => {
    const { names, call, server } = await stage();
    server.tools.disable("a");
    server.tools.enable("a");
    expect(await names()).toEqual(["a", "b", "c"]);
    expect(await call("a")).toBe("A");
  });

  it("once all are disabled, those that are enabled are the only ones, and later ones are disabled too", async () => {
    const { names, call, server } = await stage();
    server.tools.disableAll();
    expect(await names()).toEqual([]);
    server.tools.add("d", tool({ run: () => "D" }));
    server.tools.enable("b");
    expect(await names()).toEqual(["b"]);
    await expect(call("d")).rejects.toMatchObject({ code: -32602 });
  });

  it("once all are enabled again, nothing of what was disabled is left", async () => {
    const { names, server } = await stage();
    server.tools.disable("a");
    server.tools.disableAll();
    server.tools.enable("c");
    server.tools.enableAll();
    expect(await names()).toEqual(["a", "b", "c"]);
  });

  it("a name that there is not is refused, and one that is put in another's place stays as it was", async () => {
    const { names, call, server } = await stage();
    expect(() => server.tools.disable("none")).toThrow(RangeError);
    expect(() => server.tools.enable("none")).toThrow(RangeError);
    server.tools.disable("a");
    server.tools.add("a", tool({ run: () => "other" }));
    expect(await names()).toEqual(["b", "c"]);
    server.tools.enable("a");
    expect(await call("a")).toBe("other");
  });
});
