import { Handled, messageOf, notification, request, type Component } from "@sluice/session/builder";
import { describe, expect, it } from "vitest";
import {
  Agent,
  Client,
  Conductor,
  ConductorRole,
  InitializeRequest,
  PromptRequest,
  Proxy,
  SessionNotification,
} from "./index.ts";
import { arrow, client, listener, otherProxy, saying, Wire, type Json } from "./parts.testing.ts";

const initialize = { protocolVersion: 1 };

/** A proxy whose conductor the test is. */
async function behind(
  proxy: Component,
  use: (wire: Wire) => Promise<void>,
  spelling: "_proxy" | "proxy" = "proxy",
): Promise<void> {
  const { wire, over } = client(proxy);
  wire.request("i", `${spelling}/initialize`, initialize);
  const { id } = await wire.called(`${spelling}/successor`);
  wire.say({ jsonrpc: "2.0", id, result: initialize });
  await wire.answer("i");
  await use(wire);
  wire.end();
  expect(await over).toBeUndefined();
}

describe("a proxy without handlers", () => {
  const proxy = () => Proxy.builder();

  it("refuses an initialize that arrives directly, and forwards the extension's wrapped, as it is", async () => {
    const { wire, over } = client(proxy());
    wire.request(1, "initialize", initialize);
    expect(await wire.answer(1)).toMatchObject({ error: { code: -32600 } });
    const params = { ...initialize, clientCapabilities: { fs: {}, later: 1 }, _meta: { a: { b: 1 } } };
    wire.request(2, "proxy/initialize", params);
    const { id, params: envelope } = await wire.called("proxy/successor");
    expect(envelope).toEqual({ method: "initialize", params });
    const result = { protocolVersion: 1, agentCapabilities: { later: [] }, _meta: { c: 1 } };
    wire.say({ jsonrpc: "2.0", id, result });
    expect(await wire.answer(2)).toEqual({ jsonrpc: "2.0", id: 2, result });
    wire.end();
    expect(await over).toBeUndefined();
  });

  it.each(["proxy", "_proxy"] as const)("answers in the spelling it is spoken to: %s", async (spelling) => {
    await behind(
      proxy(),
      async (wire) => {
        wire.request(1, "session/new", { cwd: "/", mcpServers: [] });
        expect(await wire.called(`${spelling}/successor`)).toMatchObject({
          params: { method: "session/new", params: { cwd: "/", mcpServers: [] } },
        });
        wire.notify("session/cancel", { sessionId: "s" });
        expect(await wire.called(`${spelling}/successor`)).toEqual({
          jsonrpc: "2.0",
          method: `${spelling}/successor`,
          params: { method: "session/cancel", params: { sessionId: "s" } },
        });
      },
      spelling,
    );
  });

  it("forwards requests and notifications of either side, with their errors, unknown methods and all members", async () => {
    await behind(proxy(), async (wire) => {
      // From the client, to the agent.
      const params = { deep: { list: [1, null, "x"] }, _meta: { traceparent: "00-1-2-03" } };
      wire.request("c", "_custom/ask", params);
      const down = await wire.called("proxy/successor");
      expect(down.params).toEqual({ method: "_custom/ask", params });
      const error = { code: 1234, message: "no", data: { why: ["x"] } };
      wire.say({ jsonrpc: "2.0", id: down.id, error });
      expect(await wire.answer("c")).toEqual({ jsonrpc: "2.0", id: "c", error });
      // From the agent, to the client.
      wire.request("a", "proxy/successor", { method: "_custom/back", params });
      const up = await wire.called("_custom/back");
      expect(up.params).toEqual(params);
      wire.say({ jsonrpc: "2.0", id: up.id, result: { result: "unwrapped", _meta: {} } });
      expect(await wire.answer("a")).toMatchObject({ result: { result: "unwrapped", _meta: {} } });
      wire.notify("proxy/successor", { method: "_custom/note", params: [1, 2] });
      expect(await wire.next()).toEqual({ jsonrpc: "2.0", method: "_custom/note", params: [1, 2] });
      // Without params.
      wire.say({ jsonrpc: "2.0", method: "_custom/bare" });
      expect(await wire.next()).toMatchObject({ params: { method: "_custom/bare" } });
      wire.notify("proxy/successor", { method: "_custom/bare", params: null });
      expect(await wire.next()).toEqual({ jsonrpc: "2.0", method: "_custom/bare" });
    });
  });

  it("never forwards a cancel as it came", async () => {
    await behind(proxy(), async (wire) => {
      wire.notify("$/cancel_request", { requestId: 99 });
      wire.notify("proxy/successor", { method: "$/cancel_request", params: { requestId: 99 } });
      wire.notify("_note");
      expect(await wire.next()).toMatchObject({ params: { method: "_note" } });
    });
  });

  it("answers an envelope without a message -32602, ignores such a notification, and goes on", async () => {
    await behind(proxy(), async (wire) => {
      const bad = [{}, { method: 7 }, [], { method: "x", params: "scalar" }];
      bad.forEach((params, i) => wire.request(i, "proxy/successor", params));
      for (const params of bad) wire.notify("proxy/successor", params);
      for (let i = 0; i < bad.length; i++)
        expect(await wire.answer(i)).toMatchObject({ error: { code: -32602 } });
      wire.notify("_note");
      expect(await wire.next()).toMatchObject({ params: { method: "_note" } });
    });
  });
});

describe("handlers of a proxy", () => {
  const Note = notification<Json>("_note");
  const Ask = request<Json, Json>("_ask");

  it("must say whose messages they mean, and so must what it sends", async () => {
    expect(() => Proxy.builder().onReceiveRequest(Ask, () => {})).toThrow(
      "Proxy cannot address Conductor: say which of Client, Agent is meant",
    );
    const asking = Proxy.builder().withRunner((cx) => cx.sendNotification(Note, {}));
    const wire = new Wire();
    const over = asking.connectTo(wire.transport);
    wire.notify("_note");
    await expect(over).rejects.toThrow("Proxy cannot address Conductor");
  });

  it.each(["proxy", "_proxy"] as const)(
    "see initialize as the client sent it, however a conductor calls it (%s), and may change it and its answer",
    async (spelling) => {
      const clientInfo = { name: "other", version: "2" };
      const changing = Proxy.builder()
        .onReceiveRequestFrom(Client, InitializeRequest, (params) =>
          Handled.no({ message: { method: "initialize", params: { ...params, clientInfo } } }),
        )
        .onReceiveRequestFrom(Client, InitializeRequest, (params, responder, cx) =>
          cx
            .sendRequestTo(Agent, InitializeRequest, params)
            .map((result) => ({ ...result, agentInfo: { name: "proxied", version: "1" } }))
            .forwardTo(responder),
        );
      const declining = Proxy.builder().onReceiveRequestFrom(Client, InitializeRequest, (params) =>
        Handled.no({ message: { method: "initialize", params: { ...params, declined: true } } }),
      );
      const agent = listener();
      const { wire, over } = client(
        Conductor.agent({ proxies: [changing, declining], agent: agent.part }, { spelling }),
      );
      wire.request(1, "initialize", { protocolVersion: 1, later: 1 });
      const last = await agent.wire;
      const { id, params } = await last.called("initialize");
      expect(params).toEqual({ protocolVersion: 1, later: 1, clientInfo, declined: true });
      last.say({ jsonrpc: "2.0", id, result: { protocolVersion: 1, more: true } });
      expect((await wire.answer(1))["result"]).toEqual({
        protocolVersion: 1,
        more: true,
        agentInfo: { name: "proxied", version: "1" },
      });
      wire.end();
      await over;
    },
  );

  it("do not see an initialize that no conductor has sent", async () => {
    const seen: unknown[] = [];
    const { wire, over } = client(
      Proxy.builder().onReceiveRequestFrom(Client, InitializeRequest, (params) => void seen.push(params)),
    );
    wire.request(1, "initialize", initialize);
    expect(await wire.answer(1)).toMatchObject({ error: { code: -32600 } });
    expect(seen).toEqual([]);
    wire.end();
    await over;
  });

  it("see what comes from that side alone, and out of its envelope", async () => {
    const seen: string[] = [];
    const proxy = Proxy.builder()
      .onReceiveNotificationFrom(Client, Note, ({ n }) => void seen.push(`client ${String(n)}`))
      .onReceiveNotificationFrom(Agent, Note, ({ n }) => void seen.push(`agent ${String(n)}`))
      .onReceiveRequestFrom(Agent, Ask, ({ n }, responder) => responder.respond({ agent: n }))
      .onReceiveRequestFrom(Client, Ask, ({ n }, responder) => responder.respond({ client: n }));
    await behind(proxy, async (wire) => {
      wire.notify("_note", { n: 1 });
      wire.notify("proxy/successor", { method: "_note", params: { n: 2 } });
      wire.notify("_proxy/successor", { method: "_note", params: { n: 3 } });
      wire.request("c", "_ask", { n: 4 });
      wire.request("a", "proxy/successor", { method: "_ask", params: { n: 5 } });
      expect(await wire.answer("c")).toMatchObject({ result: { client: 4 } });
      expect(await wire.answer("a")).toMatchObject({ result: { agent: 5 } });
      expect(seen).toEqual(["client 1", "agent 2", "agent 3"]);
      expect(wire.heard).toEqual([]);
    });
  });

  it("see the answers to what was asked of that side alone", async () => {
    const seen: string[] = [];
    const proxy = Proxy.builder()
      .onReceiveDispatchFrom(Agent, { request: Ask }, (dispatch) => {
        if (dispatch.kind === "response") seen.push("of the agent");
        return Handled.no();
      })
      .onReceiveDispatchFrom(Client, { request: Ask }, (dispatch) => {
        if (dispatch.kind === "response") seen.push("of the client");
        return Handled.no();
      });
    await behind(proxy, async (wire) => {
      wire.request("c", "_ask", {});
      wire.say({ jsonrpc: "2.0", id: (await wire.called("proxy/successor")).id, result: {} });
      await wire.answer("c");
      wire.request("a", "proxy/successor", { method: "_ask", params: {} });
      wire.say({ jsonrpc: "2.0", id: (await wire.called("_ask")).id, result: {} });
      await wire.answer("a");
      expect(seen).toEqual(["of the agent", "of the client"]);
    });
  });

  it("that decline leave the envelope as it came, and one that changes what is in it keeps the rest of it", async () => {
    const seen: unknown[] = [];
    const proxy = (declined: Handled) =>
      Proxy.builder()
        .onReceiveNotificationFrom(Agent, Note, () => declined)
        .withHandler((dispatch) => {
          if (dispatch.kind === "notification") seen.push(messageOf(dispatch));
          return Handled.no();
        });
    const envelope = { method: "_note", params: { n: 1 }, _meta: { hop: 1 }, other: true };
    await behind(proxy(Handled.no()), async (wire) => {
      wire.notify("proxy/successor", envelope);
      expect(await wire.next()).toEqual({ jsonrpc: "2.0", method: "_note", params: { n: 1 } });
    });
    await behind(proxy(Handled.no({ message: { method: "_note", params: { n: 2 } } })), async (wire) => {
      wire.notify("proxy/successor", envelope);
      expect(await wire.next()).toEqual({ jsonrpc: "2.0", method: "_note", params: { n: 2 } });
    });
    expect(seen).toEqual([
      { method: "proxy/successor", params: envelope },
      { method: "proxy/successor", params: { ...envelope, params: { n: 2 } } },
    ]);
  });

  it("a malformed envelope reaches handlers of everything as it is", async () => {
    const seen: unknown[] = [];
    const proxy = Proxy.builder().withHandler((dispatch) => {
      if (dispatch.kind !== "notification" || dispatch.method !== "proxy/successor") return Handled.no();
      seen.push(dispatch.params);
      return Handled.yes;
    });
    await behind(proxy, async (wire) => {
      wire.notify("proxy/successor", { wrong: 1 });
      wire.request(1, "_ping");
      await wire.called("proxy/successor");
    });
    expect(seen).toEqual([{ wrong: 1 }]);
  });

  it("a typed handler's params are checked, and what is wrong is answered with its path", async () => {
    const proxy = Proxy.builder().onReceiveRequestFrom(Client, PromptRequest, (params, responder, cx) =>
      cx.sendRequestTo(Agent, PromptRequest, params).forwardTo(responder),
    );
    await behind(proxy, async (wire) => {
      wire.request(1, "session/prompt", { sessionId: 3, prompt: [] });
      const { error } = (await wire.answer(1)) as { error: { code: number; data: unknown } };
      expect(error.code).toBe(-32602);
      expect(JSON.stringify(error.data)).toContain("sessionId");
      wire.request(2, "session/prompt", { sessionId: "s", prompt: [] });
      await wire.called("proxy/successor");
    });
  });
});

describe("the side of the conductor", () => {
  it("sees the envelope as an ordinary message, for its only peer is the proxy", async () => {
    const Successor = request<{ method: string }, Json>("proxy/successor");
    const Inner = request<Json, Json>("proxy/initialize");
    const conductor = ConductorRole.builder().onReceiveRequest(Successor, ({ method }, responder) =>
      responder.respond({ asked: method }),
    );
    const result = await conductor.connectWith(Proxy.builder(), (cx) =>
      cx.sendRequest(Inner, { protocolVersion: 1 }).result(),
    );
    expect(result).toEqual({ asked: "initialize" });
  });
});

describe("meta and unknown members", () => {
  const meta = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=b" };
  /** Reads what passes, typed, and passes it on. */
  const typed = (): Component =>
    Proxy.builder()
      .onReceiveRequestFrom(Client, InitializeRequest, (params, responder, cx) =>
        cx.sendRequestTo(Agent, InitializeRequest, params).forwardTo(responder),
      )
      .onReceiveRequestFrom(Client, PromptRequest, (params, responder, cx) =>
        cx.sendRequestTo(Agent, PromptRequest, params).forwardTo(responder),
      )
      .onReceiveNotificationFrom(Agent, SessionNotification, (params, cx) =>
        cx.sendNotificationTo(Client, SessionNotification, params),
      );

  it.each([
    ["no proxy", () => []],
    ["a proxy that passes on", () => [Proxy.builder()]],
    ["proxies with typed handlers", () => [typed(), typed()]],
    ["nested conductors", () => [Conductor.proxy([typed(), Conductor.proxy([Proxy.builder()])])]],
    [
      "proxies of either spelling",
      () => [
        otherProxy({ spelling: "proxy", unknown: "passed on", cancels: "raw" }),
        otherProxy({ spelling: "_proxy", unknown: "passed on", cancels: "raw" }),
      ],
    ],
  ] as [string, () => Component[]][])("survive %s, both ways", async (_, proxies) => {
    const agent = listener();
    const { wire, over } = client(Conductor.agent({ proxies: proxies(), agent: agent.part }));
    const opening = { ...initialize, clientCapabilities: { later: true }, extra: { a: [] }, _meta: meta };
    wire.request(1, "initialize", opening);
    const last = await agent.wire;
    const begun = await last.called("initialize");
    expect(begun.params).toEqual(opening);
    last.say({ jsonrpc: "2.0", id: begun.id, result: { ...initialize, later: 1, _meta: meta } });
    expect((await wire.answer(1))["result"]).toEqual({ ...initialize, later: 1, _meta: meta });

    const block = { type: "text", text: "hi", later: 1, _meta: meta };
    const prompt = { later: null, sessionId: "s", prompt: [block, { type: "later", x: 1 }], _meta: meta };
    wire.request(2, "session/prompt", prompt);
    const asked = await last.called("session/prompt");
    expect(asked.params).toEqual(prompt);
    expect(Object.keys(asked.params)).toEqual(Object.keys(prompt)); // in their order
    const update = { ...saying("s", "x"), later: { y: 1 }, _meta: meta };
    const unknown = { sessionId: "s", update: { sessionUpdate: "later_kind", z: [1] }, _meta: meta };
    last.notify("session/update", update);
    last.notify("session/update", unknown);
    last.say({ jsonrpc: "2.0", id: asked.id, result: { stopReason: "later_reason", more: 1, _meta: meta } });
    expect((await wire.called("session/update")).params).toEqual(update);
    expect((await wire.called("session/update")).params).toEqual(unknown);
    expect((await wire.answer(2))["result"]).toEqual({ stopReason: "later_reason", more: 1, _meta: meta });
    wire.end();
    await over;
  });

  it("an initialize of the second version survives as it is, and so does its answer", async () => {
    const agent = listener();
    const proxies = [Proxy.builder(), Conductor.proxy([arrow()])];
    const { wire, over } = client(Conductor.agent({ proxies, agent: agent.part }));
    const params = { protocolVersion: 2, info: { name: "x" }, capabilities: { later: {} } };
    wire.request(1, "initialize", params);
    const last = await agent.wire;
    const asked = await last.called("initialize");
    expect(asked.params).toEqual(params);
    const result = {
      protocolVersion: 2,
      info: { name: "y" },
      capabilities: { session: { mcp: { acp: {} } } },
    };
    last.say({ jsonrpc: "2.0", id: asked.id, result });
    expect((await wire.answer(1))["result"]).toEqual(result);
    wire.end();
    await over;
  });

  it("the meta of an envelope is its hop's, in either name, and goes no further", async () => {
    const agent = listener();
    const proxy = new Wire();
    const { wire, over } = client(
      Conductor.agent({ proxies: [arrow(), proxy.transport], agent: agent.part }),
    );
    wire.request(1, "initialize", initialize);
    await proxy.called("proxy/initialize");
    const last = await agent.wire;
    proxy.notify("proxy/successor", { method: "_a", params: { _meta: { inner: 1 } }, _meta: { hop: 1 } });
    proxy.notify("proxy/successor", { method: "_b", params: {}, meta: { hop: 1 } });
    expect(await last.next()).toEqual({ jsonrpc: "2.0", method: "_a", params: { _meta: { inner: 1 } } });
    expect(await last.next()).toEqual({ jsonrpc: "2.0", method: "_b", params: {} });
    wire.end();
    await over;
  });
});
