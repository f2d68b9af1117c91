// A server made with `mcpServer`, for the SDK's client to speak with over each medium.
import { mcpServer, tool, type McpServer } from "@sluice/mcp";
import type { Session } from "@sluice/session";
import * as v from "valibot";
import { z } from "zod";

/** Each session gets one of its own. `settle`: what `steps` waits for between its last progress and its answer. */
export function helperServer(settle: (session: Session) => Promise<unknown> = async () => {}): McpServer {
  let stopped = 0;
  const server: McpServer = mcpServer({
    name: "helper",
    version: "3",
    title: "Helper",
    instructions: "add, and be glad",
    pageSize: 2,
    tools: {
      add: tool({
        title: "Add",
        description: "adds two numbers",
        annotations: { readOnlyHint: true },
        input: z.object({ a: z.number(), b: z.number().default(1) }),
        output: z.object({ sum: z.number() }),
        run: ({ a, b }) => ({ sum: a + b }),
      }),
      shout: tool({
        input: v.object({ text: v.string() }),
        inputSchema: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
        run: ({ text }) => text.toUpperCase(),
      }),
      fail: tool({
        run: () => {
          throw new Error("out of paper");
        },
      }),
      steps: tool({
        async run(_, context) {
          for (let n = 1; n <= 3; n++) await context.progress(n, { total: 3, message: `step ${n}` });
          await settle(context.session);
          return "done";
        },
      }),
      wait: tool({
        run: (_, { signal, log }) =>
          new Promise<string>((resolve) => {
            signal.addEventListener("abort", () => {
              stopped++;
              resolve("nobody hears this");
            });
            void log("info", "waiting");
          }),
      }),
      stopped: tool({ run: () => String(stopped) }),
      grow: tool({
        run: () => {
          server.tools.add("grown", tool({ run: () => "I am new" }));
          server.updated("mem:text");
        },
      }),
      ask: tool({
        async run(_, { session, client }) {
          const { roots } = await session.call<{ roots: { uri: string }[] }>("roots/list");
          return `${client.info.name} ${roots.map(({ uri }) => uri).join()}`;
        },
      }),
    },
    resources: {
      "mem:text": { name: "text", mimeType: "text/plain", read: () => "hello" },
      "mem:bytes": { name: "bytes", read: () => new Uint8Array([1, 2, 255]) },
      "mem:third": { name: "third", read: () => "3" },
    },
    prompts: {
      greet: {
        description: "greets",
        arguments: [{ name: "who", required: true }],
        get: ({ who }) => `hello ${who}`,
      },
    },
  });
  return server;
}
