// Servers' runtimes follow a handler through its awaits; browsers do not yet, and there such a handler is one for `spawn`.
import type { Session } from "@sluice/session";
import { request } from "@sluice/session/builder";
import { expect, it } from "vitest";
import { Agent, Client } from "./index.ts";
import { echoServer, mcpSession, textOfTool } from "./mcp-stage.testing.ts";

it.each(["connections", "requests"] as const)(
  "a declared server may be used in a later handler, which waits for it (%s)",
  async (revision) => {
    const texts: string[] = [];
    let session: Session | undefined;
    const agent = Agent.builder()
      .onReceiveRequest(
        request<{ mcpServers: [{ serverId: string }] }>("session/new"),
        ({ mcpServers }, responder, cx) => {
          cx.spawn(async () => {
            session = await mcpSession(cx, mcpServers[0], revision);
            responder.respond({ sessionId: "s" });
          });
        },
      )
      .onReceiveRequest(request("session/prompt"), async (_, responder) => {
        for (const text of ["one", "two"]) {
          const both = [textOfTool(session!, "echo", { text }), textOfTool(session!, "echo", { text })];
          texts.push(...(await Promise.all(both)));
        }
        responder.respond({ stopReason: "end_turn" });
      });
    await Client.builder().connectWith(agent, async (cx) => {
      const running = await cx.buildSession("/").withMcpServer(echoServer()).start();
      expect(await running.prompt("go").result()).toEqual({ stopReason: "end_turn" });
    });
    expect(texts).toEqual(["echo: one", "echo: one", "echo: two", "echo: two"]);
  },
);
