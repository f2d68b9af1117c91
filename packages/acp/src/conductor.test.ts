import { RpcError } from "@sluice/session";
import { anyRequest, type Builder, type Component } from "@sluice/session/builder";
import { memoryPair } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import {
  Agent,
  Conductor,
  InitializeRequest,
  NewSessionRequest,
  Proxy,
  Untyped,
  type Spelling,
  type TraceEvent,
} from "./index.ts";
import {
  arrow,
  ask,
  client,
  echo,
  gate,
  listener,
  otherProxy,
  quiet,
  quietly,
  Wire,
  type Json,
} from "./parts.testing.ts";

const initialize = { protocolVersion: 1 };
it("an agent answers its client directly", async () => {
  expect(await ask(echo())).toBe("hi");
});

it("a conductor without proxies is transparent", async () => {
  expect(await ask(Conductor.agent({ agent: echo() }))).toBe("hi");
});

it("text arrives prefixed once by one proxy, and twice by two, in their order", async () => {
  expect(await ask(Conductor.agent({ proxies: [arrow()], agent: echo() }))).toBe(">hi");
  expect(await ask(Conductor.agent({ proxies: [arrow("a"), arrow("b")], agent: echo() }))).toBe("abhi");
});

it("nested conductors equal a flat chain", async () => {
  const flat = [arrow("a"), arrow("b"), arrow("c"), arrow("d")];
  const nested = [
    Conductor.proxy([arrow("a"), Conductor.proxy([arrow("b")])]),
    Conductor.proxy([]),
    Conductor.proxy([Conductor.proxy([arrow("c"), arrow("d")])]),
  ];
  const expected = await ask(Conductor.agent({ proxies: flat, agent: echo() }));
  expect(expected).toBe("abcdhi");
  expect(await ask(Conductor.agent({ proxies: nested, agent: echo() }))).toBe(expected);
  const inner = Conductor.agent({ proxies: [arrow("c"), arrow("d")], agent: echo() });
  expect(await ask(Conductor.agent({ proxies: [arrow("a"), arrow("b")], agent: inner }))).toBe(expected);
});

describe("initialization", () => {
  it("a single component gets initialize", async () => {
    const agent = listener();
    const { wire, over } = client(Conductor.agent({ agent: agent.part }));
    wire.request(1, "initialize", initialize);
    const heard = await (await agent.wire).next();
    expect(heard).toMatchObject({ method: "initialize", params: initialize });
    wire.end();
    await over;
  });

  it.each(["proxy", "_proxy"] as const)(
    "of two components the proxy gets %s/initialize with the params as they are, and the agent initialize",
    async (spelling) => {
      const [proxy, agent] = [listener(), listener()];
      const { wire, over } = client(
        Conductor.agent({ proxies: [proxy.part], agent: agent.part }, { spelling }),
      );
      const params = { ...initialize, clientInfo: { name: "x", version: "1" }, later: [1], _meta: { a: 1 } };
      wire.request("one", "initialize", params);
      const [first, second] = [await proxy.wire, await agent.wire];
      const asked = await first.called(`${spelling}/initialize`);
      expect(asked.params).toEqual(params);
      expect(second.heard).toEqual([]); // not before its proxy says so
      const inner = { method: "initialize", params: { ...params, more: true } };
      first.request("p", `${spelling}/successor`, inner);
      const heard = await second.called("initialize");
      expect(heard.params).toEqual(inner.params);
      const result = { protocolVersion: 1, agentCapabilities: { loadSession: true } };
      second.say({ jsonrpc: "2.0", id: heard.id, result });
      expect(await first.answer("p")).toEqual({ jsonrpc: "2.0", id: "p", result });
      first.say({ jsonrpc: "2.0", id: asked.id, result: { ...result, _meta: { by: "proxy" } } });
      expect(await wire.answer("one")).toEqual({
        jsonrpc: "2.0",
        id: "one",
        result: { ...result, _meta: { by: "proxy" } },
      });
      wire.end();
      await over;
    },
  );

  it("of three components all proxies get _proxy/initialize, one after the other", async () => {
    const methods: string[] = [];
    const noting = (name: string): Component =>
      Proxy.builder().withHandler((dispatch) => {
        if (dispatch.kind === "request") methods.push(`${name} ${dispatch.method}`);
        return { handled: false };
      });
    const seen: Json[] = [];
    await ask(Conductor.agent({ proxies: [noting("a"), noting("b"), noting("c")], agent: echo(seen) }));
    expect(methods.slice(0, 3)).toEqual(["a proxy/initialize", "b proxy/initialize", "c proxy/initialize"]);
    expect(methods.filter((method) => method.endsWith("initialize"))).toHaveLength(3);
    expect(seen.map(({ method }) => method)).toEqual(["initialize", "session/new", "session/prompt"]);
  });

  it("a conductor that is a proxy gets _proxy/initialize, and its last proxy's successor is its own", async () => {
    const { wire, over } = client(Conductor.proxy([arrow()]));
    wire.request(1, "_proxy/initialize", initialize);
    const asked = await wire.called("_proxy/successor"); // as it was spoken to
    expect(asked.params).toEqual({ method: "initialize", params: initialize });
    wire.say({ jsonrpc: "2.0", id: asked.id, result: { protocolVersion: 1 } });
    expect(await wire.answer(1)).toMatchObject({ result: { protocolVersion: 1 } });
    wire.end();
    await over;
  });

  it.each([
    [
      Conductor.agent({ agent: echo() }),
      "initialize",
      ["session/new", "proxy/initialize", "_proxy/initialize"],
    ],
    [Conductor.proxy([]), "proxy/initialize", ["initialize", "session/new", "proxy/successor"]],
  ])(
    "the first message must be the right initialize, and a wrong one may be followed by it",
    async (conductor, right, wrong) => {
      const { wire, over } = client(conductor);
      wire.notify("session/cancel", { sessionId: "x" });
      for (const method of wrong) {
        wire.request(method, method, { method: "x" });
        expect(await wire.answer(method)).toMatchObject({
          error: { code: -32600, message: `the first message must be ${right}` },
        });
      }
      wire.request("right", right, initialize);
      if (right === "proxy/initialize") {
        const { id } = await wire.called("proxy/successor");
        wire.say({ jsonrpc: "2.0", id, result: { protocolVersion: 1 } });
      }
      expect(await wire.answer("right")).toMatchObject({ result: { protocolVersion: 1 } });
      wire.end();
      expect(await over).toBeUndefined();
    },
  );

  it("a function chooses the parts by the client's initialize, and may change it", async () => {
    const seen: Json[] = [];
    const asked: unknown[] = [];
    const conductor = Conductor.agent(async (params) => {
      asked.push(params);
      return { proxies: [arrow()], agent: echo(seen), initialize: { ...(params as Json), extra: "yes" } };
    });
    expect(await ask(conductor)).toBe(">hi");
    expect(asked).toEqual([initialize]);
    expect(seen[0]).toEqual({ method: "initialize", params: { ...initialize, extra: "yes" } });
    expect(await ask(conductor)).toBe(">hi"); // the next client has a chain of its own
    expect(asked).toHaveLength(2);
  });

  it("a function that throws answers the initialize, and the client may try again", async () => {
    let times = 0;
    const conductor = Conductor.agent(() => {
      if (times++ === 0) throw new RpcError(-32000, "who are you?");
      return { agent: echo() };
    });
    const { wire, over } = client(conductor);
    wire.request(1, "initialize", initialize);
    expect(await wire.answer(1)).toMatchObject({ error: { code: -32000, message: "who are you?" } });
    wire.request(2, "initialize", initialize);
    expect(await wire.answer(2)).toMatchObject({ result: { protocolVersion: 1 } });
    wire.end();
    await over;
  });

  it("an error of the agent's comes back through the proxies as it is, and is asked once", async () => {
    let asked = 0;
    const strict = Agent.builder().onReceiveRequest(InitializeRequest, () => {
      asked++;
      throw new RpcError(-32600, "not in this version", { supported: [7] });
    });
    const { wire, over } = client(Conductor.agent({ proxies: [arrow(), arrow()], agent: strict }));
    wire.request(1, "initialize", initialize);
    const error = { code: -32600, message: "not in this version", data: { supported: [7] } };
    expect(await wire.answer(1)).toEqual({ jsonrpc: "2.0", id: 1, error });
    expect(asked).toBe(1);
    wire.end();
    await over;
  });
});

describe("what conductors alone may say", () => {
  const envelope = { method: "initialize", params: initialize };

  it.each([
    ["an initialize of the extension, to an agent", 0, "proxy/successor", { method: "proxy/initialize" }],
    ["one to a proxy", 1, "proxy/successor", { method: "proxy/initialize", params: initialize }],
    ["one in the other spelling", 1, "_proxy/successor", { method: "_proxy/initialize", params: initialize }],
    ["one to whoever is before", 0, "proxy/initialize", initialize],
    ["an envelope in an envelope", 1, "proxy/successor", { method: "proxy/successor", params: envelope }],
  ])("is refused from a proxy: %s", async (_, behind, method, params) => {
    const rest: Json[] = [];
    const others = Array.from({ length: behind }, () =>
      otherProxy({ spelling: "proxy", unknown: "refused", cancels: "raw" }, rest),
    );
    const agent: Json[] = [];
    const proxy = listener();
    const { wire, over } = client(Conductor.agent({ proxies: [proxy.part, ...others], agent: echo(agent) }));
    wire.request(1, "initialize", initialize);
    const first = await proxy.wire;
    await first.called("proxy/initialize");
    first.request("bad", method, params);
    expect(await first.answer("bad")).toMatchObject({ error: { code: -32600 } });
    expect([rest, agent]).toEqual([[], []]);
    wire.end();
    await over;
  });

  it.each(["proxy/initialize", "_proxy/initialize", "proxy/successor", "_proxy/successor"])(
    "is refused from a client: %s",
    async (method) => {
      const heard: Json[] = [];
      const noting = Proxy.builder().withHandler((dispatch) => {
        if (dispatch.kind !== "response") heard.push({ method: dispatch.method });
        return { handled: false };
      });
      const { wire, over } = client(Conductor.agent({ proxies: [noting], agent: echo() }));
      wire.request(1, "initialize", initialize);
      await wire.answer(1);
      wire.request(2, method, envelope);
      wire.notify(method, envelope);
      wire.request(3, "session/new", { cwd: "/", mcpServers: [] });
      expect(await wire.answer(2)).toMatchObject({ error: { code: -32600 } });
      expect(await wire.answer(3)).toMatchObject({ result: { sessionId: "s1" } });
      expect(heard.map((message) => message["method"])).toEqual(["proxy/initialize", "session/new"]);
      wire.end();
      await over;
    },
  );

  it.each(["proxy/initialize", "_proxy/successor"])("is refused from an agent: %s", async (method) => {
    const agent = listener();
    const { wire, over } = client(Conductor.agent({ proxies: [arrow()], agent: agent.part }));
    wire.request(1, "initialize", initialize);
    const last = await agent.wire;
    last.say({ jsonrpc: "2.0", id: (await last.called("initialize")).id, result: initialize });
    await wire.answer(1);
    // Let through, it would come back to the agent as if the client had said it.
    last.request("bad", method, { method: "session/new", params: {} });
    expect(await last.next()).toMatchObject({ id: "bad", error: { code: -32600 } });
    wire.end();
    await over;
  });

  it("initialize is refused by a conductor that is a proxy, once it has been initialized", async () => {
    const { wire, over } = client(Conductor.proxy([]));
    wire.request(1, "proxy/initialize", initialize);
    const { id } = await wire.called("proxy/successor");
    wire.say({ jsonrpc: "2.0", id, result: { protocolVersion: 1 } });
    await wire.answer(1);
    wire.request(2, "initialize", initialize);
    expect(await wire.answer(2)).toMatchObject({ error: { code: -32600 } });
    wire.end();
    await over;
  });

  it("an envelope without a message is answered -32602, and the chain goes on", async () => {
    const proxy = listener();
    const { wire, over } = client(Conductor.agent({ proxies: [proxy.part], agent: echo() }));
    wire.request(1, "initialize", initialize);
    const first = await proxy.wire;
    await first.called("proxy/initialize");
    first.request("a", "proxy/successor", { params: {} });
    first.notify("proxy/successor", []);
    first.request("b", "proxy/successor", { method: "session/new", params: { cwd: "/", mcpServers: [] } });
    expect(await first.answer("a")).toMatchObject({ error: { code: -32602 } });
    expect(await first.answer("b")).toMatchObject({ result: { sessionId: "s1" } });
    wire.end();
    await over;
  });
});

describe("spellings", () => {
  const kinds = (["proxy", "_proxy"] as const).flatMap((spelling) =>
    (["refused", "passed on"] as const).map((unknown) => ({ spelling, unknown, cancels: "raw" as const })),
  );
  const chains = [
    ...kinds.map((kind) => [kind]),
    ...kinds.flatMap((one) => kinds.map((other) => [one, other])),
    [...kinds, ...kinds],
  ];

  it.each(["proxy", "_proxy"] as const)(
    "proxies that know one of them, and mixed ones, make a chain that begins with %s",
    async (spelling: Spelling) => {
      for (const chain of chains) {
        const seen: Json[] = [];
        const proxies = [arrow("a"), ...chain.map((kind) => otherProxy(kind)), arrow("b")];
        expect(await ask(Conductor.agent({ proxies, agent: echo(seen) }, { spelling }))).toBe("abhi");
        expect(seen.map(({ method }) => method)).toEqual(["initialize", "session/new", "session/prompt"]);
      }
    },
  );

  it("each proxy is spoken to as it speaks", async () => {
    const [old, young]: [Json[], Json[]] = [[], []];
    const proxies = [
      otherProxy({ spelling: "proxy", unknown: "refused", cancels: "raw" }, old),
      otherProxy({ spelling: "_proxy", unknown: "refused", cancels: "raw" }, young),
    ];
    await ask(Conductor.agent({ proxies, agent: echo() }));
    const methods = (heard: Json[]): unknown[] => heard.map(({ method }) => method);
    const rest = ["session/new", "session/prompt"];
    expect(methods(old)).toEqual(["proxy/initialize", ...rest, "proxy/successor"]);
    expect(methods(young)).toEqual(["proxy/initialize", "_proxy/initialize", ...rest, "_proxy/successor"]);
  });

  it("a proxy that knows both is spoken to as it speaks, whatever it was asked in", async () => {
    const [proxy, agent] = [listener(), listener()];
    const { wire, over } = client(Conductor.agent({ proxies: [proxy.part], agent: agent.part }));
    wire.request(1, "initialize", initialize);
    const first = await proxy.wire;
    await first.called("proxy/initialize");
    first.request("p", "_proxy/successor", { method: "initialize", params: initialize });
    const last = await agent.wire;
    last.notify("_note");
    expect(await first.next()).toMatchObject({ method: "_proxy/successor", params: { method: "_note" } });
    wire.end();
    await over;
  });

  it("a proxy that refuses both is answered with what it said", async () => {
    const stranger = Untyped.builder().onReceiveRequest(anyRequest, () => {
      throw new RpcError(-32601, "no");
    });
    const { wire, over } = client(Conductor.agent({ proxies: [stranger], agent: echo() }));
    wire.request(1, "initialize", initialize);
    expect(await wire.answer(1)).toEqual({ jsonrpc: "2.0", id: 1, error: { code: -32601, message: "no" } });
    wire.end();
    await over;
  });
});

describe("parts that fail", () => {
  const failure = new Error("out of paper");
  const failing = (role: typeof Proxy | typeof Agent): Builder =>
    (role as typeof Agent).builder().withHandler((dispatch, cx) => {
      if (dispatch.kind === "request" && dispatch.method === "session/new")
        cx.spawn(() => {
          throw failure;
        });
      return { handled: false };
    });

  it.each([
    ["the first proxy", () => ({ proxies: [failing(Proxy), arrow()], agent: echo() })],
    ["the last proxy", () => ({ proxies: [arrow(), failing(Proxy)], agent: echo() })],
    [
      "the agent",
      () => ({
        proxies: [arrow(), arrow()],
        agent: withInitialize(failing(Agent)),
      }),
    ],
    ["a proxy in a proxy", () => ({ proxies: [arrow(), Conductor.proxy([failing(Proxy)])], agent: echo() })],
  ])("the chain fails with the error of %s, the others end, and nobody waits", async (_, parts) => {
    const ended: string[] = [];
    const noting = (name: string, part: Component): Component => ({
      connectTo: async (transport, options) => {
        try {
          await part.connectTo(transport, { ...options, ...quietly });
        } finally {
          ended.push(name);
        }
      },
    });
    const { proxies, agent } = parts();
    const all = Conductor.agent({
      proxies: proxies.map((part, i) => noting(`proxy ${i}`, part)),
      agent: noting("agent", agent),
    });
    const { wire, over } = client(all);
    wire.request(1, "initialize", initialize);
    await wire.answer(1);
    wire.request(2, "session/new", { cwd: "/", mcpServers: [] });
    expect(await wire.answer(2)).toMatchObject({ error: { code: -32603 } });
    expect(await over).toBe(failure);
    await wire.over();
    expect(ended.sort()).toEqual(["agent", "proxy 0", "proxy 1"]);
  });

  it("a part that ends by itself, in order, ends the chain and is named", async () => {
    const agent = listener();
    const { wire, over } = client(Conductor.agent({ proxies: [arrow()], agent: agent.part }));
    wire.request(1, "initialize", initialize);
    const last = await agent.wire;
    await last.called("initialize");
    last.end();
    expect(await wire.answer(1)).toMatchObject({ error: { code: -32603 } });
    expect(String(await over)).toContain("agent has ended");
    await wire.over();
  });

  it("a part whose transport is lost ends the chain with that error", async () => {
    const lost = new Wire();
    const { wire, over } = client(Conductor.agent({ proxies: [lost.transport], agent: echo() }));
    wire.request(1, "initialize", initialize);
    await lost.called("proxy/initialize");
    lost.abort();
    expect(await wire.answer(1)).toMatchObject({ error: { code: -32603 } });
    expect(await over).toMatchObject({ _tag: "SessionError", code: "lost" });
  });

  it("a chain that fails ends its parts at once, though its client holds on", async () => {
    const ended = gate();
    const agent: Component = {
      connectTo: async (transport, options) => {
        await echo().connectTo(transport, options);
        ended.open();
      },
    };
    const lost = new Wire();
    const [theirs, ours] = memoryPair({ unit: "messages" });
    const said = gate();
    ours.start({ onData: () => said.open(), onDrain: () => {}, onEnd: () => {}, onClose: () => {} });
    const limits = { close: 3_600_000 };
    const over = Conductor.agent({ proxies: [lost.transport], agent })
      .connectTo(theirs, { ...quietly, limits })
      .catch((error: unknown) => error);
    ours.write([JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: initialize })]);
    await lost.called("proxy/initialize");
    lost.abort();
    await said.opened;
    await ended.opened;
    ours.close();
    expect(await over).toMatchObject({ code: "lost" });
  });

  it("a client that leaves ends all parts, in order, before connectTo settles", async () => {
    const ended: string[] = [];
    const part = (name: string, component: Component): Component => ({
      connectTo: async (transport, options) => {
        await component.connectTo(transport, options);
        await quiet(20);
        ended.push(name);
      },
    });
    const proxies = [part("a", arrow()), part("b", Conductor.proxy([part("c", arrow())]))];
    const { wire, over } = client(Conductor.agent({ proxies, agent: part("agent", echo()) }));
    wire.request(1, "initialize", initialize);
    await wire.answer(1);
    wire.end();
    expect(await over).toBeUndefined();
    expect(ended.sort()).toEqual(["a", "agent", "b", "c"]);
  });

  it("a client that leaves while the parts are chosen leaves none running", async () => {
    const [chosen, choosing] = [gate(), gate()];
    const ended = gate();
    const part: Component = {
      connectTo: async (transport, options) => {
        await echo().connectTo(transport, options);
        ended.open();
      },
    };
    const conductor = Conductor.agent(async () => {
      choosing.open();
      await chosen.opened;
      return { agent: part };
    });
    const wire = new Wire();
    // It lets go of the initialize, which has nobody left to answer.
    const over = conductor.connectTo(wire.transport, { holding: 1, ...quietly });
    wire.request(1, "initialize", initialize);
    await choosing.opened;
    wire.end();
    await over;
    chosen.open();
    await expect(ended.opened).resolves.toBeUndefined();
  });

  it("a part that only answers what it knows leaves the rest to the client's patience, and the chain goes on", async () => {
    const { wire, over } = client(Conductor.agent({ proxies: [arrow()], agent: echo() }));
    wire.request(1, "initialize", initialize);
    await wire.answer(1);
    wire.request(2, "_unknown/method", { a: 1 });
    expect(await wire.answer(2)).toMatchObject({ error: { code: -32601 } });
    wire.request(3, "session/new", { cwd: 7 });
    expect(await wire.answer(3)).toMatchObject({ error: { code: -32602 } });
    wire.request(4, "session/new", { cwd: "/", mcpServers: [] });
    expect(await wire.answer(4)).toMatchObject({ result: { sessionId: "s1" } });
    wire.end();
    expect(await over).toBeUndefined();
  });
});

it("a trace tells every message between two parts once, in order, and its answer", async () => {
  const events: TraceEvent[] = [];
  const trace = (event: TraceEvent): void => void events.push(event);
  await ask(Conductor.agent({ proxies: [arrow()], agent: echo() }, { name: "c", trace }));
  // Between two hops nothing says which comes first.
  const between = (one: string, other: string): string[] =>
    events
      .filter(({ from, to }) => (from === one && to === other) || (from === other && to === one))
      .map(({ from, kind, method }) => `${from}: ${kind} ${method}`);
  const lines = (one: string, other: string): string[] => [
    `${one}: request initialize`,
    `${other}: result initialize`,
    `${one}: request session/new`,
    `${other}: result session/new`,
    `${one}: request session/prompt`,
    `${other}: notification session/update`,
    `${other}: result session/prompt`,
  ];
  expect(between("client", "proxy 0")).toEqual(lines("client", "proxy 0"));
  expect(between("proxy 0", "agent")).toEqual(lines("proxy 0", "agent"));
  expect(events).toHaveLength(14);
  expect(events.every(({ conductor }) => conductor === "c")).toBe(true);
  expect(events[4]).toMatchObject({ method: "session/new", params: { cwd: "/" } });
  expect(events[6]).toMatchObject({ method: "session/new", result: { sessionId: "s1" } });
});

it("a cancel is told to nobody but the next hop: a trace knows its answer, and nothing is reported", async () => {
  const [events, reported]: [TraceEvent[], unknown[]] = [[], []];
  const proxy = new Wire();
  const conductor = Conductor.agent(
    { proxies: [proxy.transport], agent: echo() },
    { trace: (event) => void events.push(event) },
  );
  const wire = new Wire();
  const over = conductor.connectTo(wire.transport, { onHandlerError: (error) => reported.push(error) });
  wire.request(1, "initialize", initialize);
  const { id } = await proxy.called("proxy/initialize");
  wire.notify("$/cancel_request", { requestId: 1 });
  expect(await proxy.called("$/cancel_request")).toMatchObject({ params: { requestId: id } });
  const cancel = { method: "$/cancel_request", params: { requestId: 99 } };
  proxy.notify("proxy/successor", cancel);
  proxy.notify("proxy/successor", { method: "proxy/successor", params: cancel });
  proxy.notify("$/cancel_request", { requestId: 98 });
  proxy.say({ jsonrpc: "2.0", id, error: { code: -32800, message: "stopped" } });
  await wire.answer(1);
  expect(events).toHaveLength(2);
  expect(events[1]).toMatchObject({ kind: "error", error: { code: -32800, message: "stopped" } });
  expect(reported).toEqual([]);
  wire.end();
  await over;
});

function withInitialize(part: Builder): Component {
  return part
    .onReceiveRequest(InitializeRequest, (_, responder) => responder.respond(initialize))
    .onReceiveRequest(NewSessionRequest, (_, responder) => void responder.keep());
}
