import { CancelledError, RpcError } from "@sluice/session";
import { request, type Builder, type Component, type Responder } from "@sluice/session/builder";
import { describe, expect, it } from "vitest";
import {
  Agent,
  Client,
  Conductor,
  InitializeRequest,
  NewSessionRequest,
  PromptRequest,
  Proxy,
  RequestPermissionRequest,
} from "./index.ts";
import { arrow, client, echo, gate, listener, otherProxy, quiet, Wire } from "./parts.testing.ts";

const initialize = { protocolVersion: 1 };
const raw = (spelling: "_proxy" | "proxy"): Component =>
  otherProxy({ spelling, unknown: "passed on", cancels: "raw" });
const wrapped = (spelling: "_proxy" | "proxy"): Component =>
  otherProxy({ spelling, unknown: "refused", cancels: "wrapped" });

/** Proxies of every kind: whatever they are, a cancel reaches the other end. */
const chains: readonly (readonly [string, () => Component[]])[] = [
  ["no proxy", () => []],
  ["one proxy", () => [arrow()]],
  ["three proxies", () => [arrow(), arrow(), arrow()]],
  ["proxies that cancel by the id of the envelope", () => [raw("proxy"), raw("proxy")]],
  ["proxies that put the cancel into an envelope", () => [wrapped("proxy"), wrapped("proxy")]],
  ["nested conductors", () => [arrow(), Conductor.proxy([arrow(), Conductor.proxy([wrapped("proxy")])])]],
  [
    "all of them",
    () => [wrapped("proxy"), arrow(), Conductor.proxy([raw("proxy"), arrow()]), wrapped("proxy")],
  ],
];

/** Answers -32800 to whatever it is asked of a method, once it is cancelled. */
function cancellable<P, R>(
  builder: Builder,
  type: ReturnType<typeof request<P, R>>,
  begun: () => void,
): Builder {
  return builder.onReceiveRequest(type, (_, responder: Responder<R>, cx) => {
    cx.spawn(async () => {
      await responder
        .runUntilCancelled(() => {
          begun();
          return new Promise(() => {});
        })
        .catch((error: unknown) => responder.respondWithError(error));
    });
  });
}

describe.each(chains)("through %s", (_, proxies) => {
  it("the client's cancel goes hop by hop to the agent, and its answer back", async () => {
    const Slow = request<{ n: number }, never>("_slow");
    const begun = gate();
    const agent = cancellable(echo(), Slow, begun.open);
    await Client.builder().connectWith(Conductor.agent({ proxies: proxies(), agent }), async (cx) => {
      await cx.sendRequest(InitializeRequest, initialize).result();
      const sent = cx.sendRequest(Slow, { n: 1 });
      const result = sent.result();
      await begun.opened;
      sent.cancel();
      await expect(result).rejects.toMatchObject({ code: -32800 });
    });
  });

  it("the agent's cancel goes hop by hop to the client, and its answer back", async () => {
    const begun = gate();
    const Ask = request<{ sessionId: string }>("_ask");
    const agent = echo().onReceiveRequest(Ask, ({ sessionId }, responder, cx) => {
      const toolCall = { toolCallId: "1" };
      const sent = cx.sendRequest(RequestPermissionRequest, { sessionId, toolCall, options: [] });
      sent.onReceivingResult((outcome) => responder.respond(outcome.ok ? outcome.value : "cancelled"));
      cx.spawn(async () => {
        await begun.opened;
        sent.cancel();
      });
    });
    const editor = cancellable(Client.builder() as unknown as Builder, RequestPermissionRequest, begun.open);
    const answer = editor.connectWith(Conductor.agent({ proxies: proxies(), agent }), async (cx) => {
      await cx.sendRequest(InitializeRequest, initialize).result();
      return cx.sendRequest(Ask, { sessionId: "s" }).result();
    });
    expect(await answer).toBe("cancelled");
  });

  it.each([
    ["session/new", NewSessionRequest, { cwd: "/", mcpServers: [] }],
    ["session/prompt", PromptRequest, { sessionId: "s", prompt: [] }],
  ] as const)("a cancel of %s reaches the agent", async (_method, type, params) => {
    const begun = gate();
    const agent = cancellable(Agent.builder(), type as never, begun.open).onReceiveRequest(
      InitializeRequest,
      (_request, responder) => responder.respond(initialize),
    );
    const { wire, over } = client(Conductor.agent({ proxies: proxies(), agent }));
    wire.request("i", "initialize", initialize);
    await wire.answer("i");
    wire.request("x", type.method, params);
    await begun.opened;
    wire.notify("$/cancel_request", { requestId: "x" });
    expect(await wire.answer("x")).toMatchObject({ error: { code: -32800 } });
    wire.end();
    expect(await over).toBeUndefined();
  });

  it("a cancel of initialize reaches the agent, and the client may initialize again", async () => {
    const begun = gate();
    let times = 0;
    const agent = Agent.builder().onReceiveRequest(InitializeRequest, (_request, responder) => {
      if (times++ > 0) return responder.respond(initialize);
      responder.keep().onCancel((reason) => responder.respondWithError(reason));
      begun.open();
    });
    const { wire, over } = client(Conductor.agent({ proxies: proxies(), agent }));
    wire.request(1, "initialize", initialize);
    await begun.opened;
    wire.notify("$/cancel_request", { requestId: 1 });
    expect(await wire.answer(1)).toMatchObject({ error: { code: -32800 } });
    wire.request(2, "initialize", initialize);
    expect(await wire.answer(2)).toMatchObject({ result: initialize });
    wire.end();
    expect(await over).toBeUndefined();
  });

  it("the agent hears one cancel, with the id of its own hop, of a request that is cancelled twice", async () => {
    const agent = listener();
    const { wire, over } = client(Conductor.agent({ proxies: proxies(), agent: agent.part }));
    wire.request("i", "initialize", initialize);
    const last = await agent.wire;
    last.say({ jsonrpc: "2.0", id: (await last.called("initialize")).id, result: initialize });
    await wire.answer("i");
    wire.request("x", "_slow");
    const { id } = await last.called("_slow");
    for (let times = 0; times < 2; times++) wire.notify("$/cancel_request", { requestId: "x" });
    wire.notify("$/cancel_request", { requestId: "never was" });
    wire.notify("$/cancel_request", { requestId: id });
    wire.notify("$/cancel_request", {});
    const cancel = await last.called("$/cancel_request");
    expect(cancel.params).toEqual({ requestId: id });
    last.say({ jsonrpc: "2.0", id, result: "in spite of it" });
    // What was done in spite of a cancel is the answer.
    expect(await wire.answer("x")).toEqual({ jsonrpc: "2.0", id: "x", result: "in spite of it" });
    wire.request("y", "_last");
    const behind = await last.called("_last");
    expect(last.heard).toEqual([]);
    last.say({ jsonrpc: "2.0", id: behind.id, result: null });
    await wire.answer("y");
    wire.end();
    await over;
  });

  it("a client that leaves cancels what the agent still does", async () => {
    const [begun, ended] = [gate(), gate<Error>()];
    const Slow = request("_slow");
    const agent = echo().onReceiveRequest(Slow, (_request, responder) => {
      responder.keep().onCancel((reason) => {
        responder.respondWithError(reason);
        ended.open(reason);
      });
      begun.open();
    });
    await Client.builder().connectWith(Conductor.agent({ proxies: proxies(), agent }), async (cx) => {
      await cx.sendRequest(InitializeRequest, initialize).result();
      cx.sendRequest(Slow, {}).detach();
      await begun.opened;
    });
    expect(await ended.opened).toBeInstanceOf(Error);
  });
});

it("cancel_request notifications are detected, however deep they are wrapped", async () => {
  const agent = listener();
  const proxy = new Wire();
  const { wire, over } = client(Conductor.agent({ proxies: [proxy.transport], agent: agent.part }));
  wire.request(1, "initialize", initialize);
  await proxy.called("proxy/initialize");
  const last = await agent.wire;
  proxy.request("p", "proxy/successor", { method: "_slow" });
  const { id } = await last.called("_slow");
  const cancel = { method: "$/cancel_request", params: { requestId: "p" } };
  const deep = { method: "_proxy/successor", params: cancel };
  proxy.notify("proxy/successor", { method: "proxy/successor", params: deep });
  expect(await last.called("$/cancel_request")).toMatchObject({ params: { requestId: id } });
  // A malformed one is none, and is passed on to nobody.
  proxy.notify("proxy/successor", { method: "$/cancel_request", params: [] });
  proxy.notify("proxy/successor", { method: "proxy/successor", params: { params: cancel } });
  proxy.notify("proxy/successor", { method: "_note" });
  expect(await last.next()).toMatchObject({ method: "_note" });
  wire.end();
  await over;
});

it("protocol-level notifications in an envelope that nobody knows pass by in silence", async () => {
  const proxy = new Wire();
  const { wire, over } = client(Conductor.agent({ proxies: [proxy.transport], agent: echo() }));
  wire.request(1, "initialize", initialize);
  await proxy.called("proxy/initialize");
  proxy.notify("proxy/successor", { method: "$/later", params: { a: 1 } });
  proxy.request("p", "proxy/successor", { method: "session/new", params: { cwd: "/", mcpServers: [] } });
  expect(await proxy.next()).toMatchObject({ id: "p", result: { sessionId: "s1" } });
  wire.end();
  await over;
});

describe("a proxy that asks for itself", () => {
  const Own = request("_own");
  const Slow = request("_slow");

  const forwarding = Proxy.builder().onReceiveRequestFrom(Client, Own, (_, responder, cx) =>
    cx.sendRequestTo(Agent, Slow, {}).forwardTo(responder),
  );

  it("passes the cancel on as its own where it forwards the answer", async () => {
    const agent = listener();
    const { wire, over } = client(Conductor.agent({ proxies: [forwarding], agent: agent.part }));
    wire.request(1, "initialize", initialize);
    const last = await agent.wire;
    last.say({ jsonrpc: "2.0", id: (await last.called("initialize")).id, result: initialize });
    await wire.answer(1);
    wire.request(2, "_own");
    const { id } = await last.called("_slow");
    wire.notify("$/cancel_request", { requestId: 2 });
    expect(await last.called("$/cancel_request")).toMatchObject({ params: { requestId: id } });
    const error = { code: -32800, message: "stopped", data: { done: 3 } };
    last.say({ jsonrpc: "2.0", id, error });
    expect(await wire.answer(2)).toEqual({ jsonrpc: "2.0", id: 2, error });
    wire.end();
    await over;
  });

  it("absorbs it where it answers by itself", async () => {
    const agent = listener();
    const cancelled = gate();
    const absorbing = Proxy.builder().onReceiveRequestFrom(Client, Own, (_, responder, cx) => {
      responder.keep().onCancel(() => cancelled.open());
      cx.sendRequestTo(Agent, Slow, {}).onReceivingResult((outcome) => responder.respondWithResult(outcome));
    });
    const { wire, over } = client(Conductor.agent({ proxies: [absorbing], agent: agent.part }));
    wire.request(1, "initialize", initialize);
    const last = await agent.wire;
    last.say({ jsonrpc: "2.0", id: (await last.called("initialize")).id, result: initialize });
    await wire.answer(1);
    wire.request(2, "_own");
    const { id } = await last.called("_slow");
    wire.notify("$/cancel_request", { requestId: 2 });
    await cancelled.opened;
    await quiet();
    last.say({ jsonrpc: "2.0", id, result: "done" });
    expect(await wire.answer(2)).toMatchObject({ result: "done" });
    expect(last.heard).toEqual([]);
    wire.end();
    await over;
  });

  it("is told of what the client cancelled by its responder, and may do as it likes", async () => {
    const deciding = Proxy.builder().onReceiveRequestFrom(Client, Own, async (_, responder) => {
      await responder
        .runUntilCancelled(() => new Promise<never>(() => {}))
        .catch((error: unknown) => {
          expect(error).toBeInstanceOf(CancelledError);
          throw new RpcError(7, "as it likes");
        });
    });
    const { wire, over } = client(Conductor.agent({ proxies: [deciding], agent: echo() }));
    wire.request(1, "initialize", initialize);
    await wire.answer(1);
    wire.request(2, "_own");
    await quiet();
    wire.notify("$/cancel_request", { requestId: 2 });
    expect(await wire.answer(2)).toMatchObject({ error: { code: 7, message: "as it likes" } });
    wire.end();
    await over;
  });
});

it("the session/new of a proxy's session helper is cancelled with the client's", async () => {
  const started: string[] = [];
  const proxy = Proxy.builder().onReceiveRequestFrom(Client, NewSessionRequest, (params, responder, cx) =>
    cx.buildSessionFrom(params).onProxySessionStart(responder, (sessionId) => void started.push(sessionId)),
  );
  const agent = listener();
  const { wire, over } = client(Conductor.agent({ proxies: [arrow(), proxy], agent: agent.part }));
  wire.request(1, "initialize", initialize);
  const last = await agent.wire;
  last.say({ jsonrpc: "2.0", id: (await last.called("initialize")).id, result: initialize });
  await wire.answer(1);
  wire.request(2, "session/new", { cwd: "/", mcpServers: [] });
  const { id } = await last.called("session/new");
  wire.notify("$/cancel_request", { requestId: 2 });
  expect(await last.called("$/cancel_request")).toMatchObject({ params: { requestId: id } });
  last.say({ jsonrpc: "2.0", id, error: { code: -32800, message: "cancelled" } });
  expect(await wire.answer(2)).toMatchObject({ error: { code: -32800 } });
  expect(started).toEqual([]);
  wire.end();
  expect(await over).toBeUndefined();
});
