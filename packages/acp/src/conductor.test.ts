import { expect, it } from "vitest";
import {
  Agent,
  Client,
  Conductor,
  InitializeRequest,
  NewSessionRequest,
  PromptRequest,
  Proxy,
  SessionNotification,
  textOf,
} from "./index.ts";
import type { Component } from "@sluice/session/builder";

const agent = () =>
  Agent.builder()
    .onReceiveRequest(InitializeRequest, (_, responder) => responder.respond({ protocolVersion: 1 }))
    .onReceiveRequest(NewSessionRequest, (_, responder) => responder.respond({ sessionId: "s1" }))
    .onReceiveRequest(PromptRequest, ({ sessionId, prompt }, responder, cx) => {
      const [block] = prompt;
      const text = block?.type === "text" ? (block as { text: string }).text : "";
      void cx.sendNotification(SessionNotification, {
        sessionId,
        update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text } },
      });
      responder.respond({ stopReason: "end_turn" });
    });

/** Puts `>` before every text of the agent's. */
const arrow = () =>
  Proxy.builder().onReceiveNotificationFrom(Agent, SessionNotification, async (notification, cx) => {
    const text = `>${textOf(notification.update)}`;
    await cx.sendNotificationTo(Client, SessionNotification, {
      ...notification,
      update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text } },
    });
  });

async function ask(target: Component): Promise<string> {
  return Client.builder().connectWith(target, async (cx) => {
    await cx.sendRequest(InitializeRequest, { protocolVersion: 1 }).result();
    return cx.buildSession("/").runUntil((session) => session.prompt("hi").readToString());
  });
}

it("an agent answers its client directly", async () => {
  expect(await ask(agent())).toBe("hi");
});

it("a conductor without proxies is transparent", async () => {
  expect(await ask(Conductor.agent({ agent: agent() }))).toBe("hi");
});

it("text arrives prefixed once by one proxy, and twice by two", async () => {
  expect(await ask(Conductor.agent({ proxies: [arrow()], agent: agent() }))).toBe(">hi");
  expect(await ask(Conductor.agent({ proxies: [arrow(), arrow()], agent: agent() }))).toBe(">>hi");
});

it("nested conductors equal a flat chain", async () => {
  const nested = Conductor.proxy([arrow(), Conductor.proxy([arrow()])]);
  expect(await ask(Conductor.agent({ proxies: [nested, arrow()], agent: agent() }))).toBe(">>>hi");
});
