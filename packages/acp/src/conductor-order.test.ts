import { notification, request, type Component } from "@sluice/session/builder";
import { describe, expect, it } from "vitest";
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
import {
  arrow,
  client,
  echo,
  gate,
  listener,
  otherProxy,
  quiet,
  saying,
  type Json,
} from "./parts.testing.ts";

const initialize = { protocolVersion: 1 };
const passing = (): Component => Proxy.builder();
const other = (spelling: "_proxy" | "proxy"): Component =>
  otherProxy({ spelling, unknown: "refused", cancels: "raw" });

const chains: readonly (readonly [string, () => Component[]])[] = [
  ["three proxies that pass on", () => [passing(), passing(), passing()]],
  ["three proxies with handlers", () => [arrow(""), arrow(""), arrow("")]],
  ["proxies of either spelling", () => [other("proxy"), passing(), other("proxy")]],
  ["nested conductors", () => [passing(), Conductor.proxy([arrow(""), Conductor.proxy([passing()])])]],
];

it.each(chains)("10,000 updates through %s come all, in order, and before the answer", async (_, proxies) => {
  const count = 10_000;
  const agent = Agent.builder()
    .onReceiveRequest(InitializeRequest, (_request, responder) => responder.respond(initialize))
    .onReceiveRequest(NewSessionRequest, (_request, responder) => responder.respond({ sessionId: "s" }))
    .onReceiveRequest(PromptRequest, async (_request, responder, cx) => {
      for (let i = 0; i < count; i++) await cx.sendNotification(SessionNotification, saying("s", String(i)));
      responder.respond({ stopReason: "end_turn" });
    });
  const texts: string[] = [];
  const chain = Conductor.agent({ proxies: proxies(), agent });
  await Client.builder().connectWith(chain, async (cx) => {
    await cx.sendRequest(InitializeRequest, initialize).result();
    await using session = await cx.buildSession("/").start();
    for await (const update of session.prompt("go")) texts.push(textOf(update));
  });
  expect(texts).toEqual(Array.from({ length: count }, (_x, i) => String(i)));
});

/** How an agent says several things: what a transport makes of them must not matter. */
const WAYS = ["in one turn", "in one batch", "in separate turns"] as const;

describe.each(chains)("through %s", (_, proxies) => {
  it.each(WAYS)(
    "a session hears what the agent says right behind the answer that brings it, %s, 1,000 times",
    { timeout: 120_000 },
    async (way) => {
      const agent = listener();
      const chain = Conductor.agent({ proxies: proxies(), agent: agent.part });
      const over = Client.builder().connectWith(chain, async (cx) => {
        await cx.sendRequest(InitializeRequest, initialize).result();
        for (let i = 0; i < 1000; i++) {
          await using session = await cx.buildSession("/").start();
          const heard: string[] = [];
          for (let n = 0; n < 3; n++) {
            const message = await session.readUpdate();
            if (message.kind === "update") heard.push(textOf(message.update));
          }
          expect([session.sessionId, ...heard]).toEqual([`s${i}`, `${i} a`, `${i} b`, `${i} c`]);
        }
      });
      const wire = await agent.wire;
      wire.say({ jsonrpc: "2.0", id: (await wire.called("initialize")).id, result: initialize });
      for (let i = 0; i < 1000; i++) {
        const { id } = await wire.called("session/new");
        const update = (text: string): Json => ({
          jsonrpc: "2.0",
          method: "session/update",
          params: saying(`s${i}`, `${i} ${text}`),
        });
        const answer = { jsonrpc: "2.0", id, result: { sessionId: `s${i}` } };
        const all = [answer, update("a"), update("b"), update("c")];
        if (way === "in one batch") wire.say(all);
        else if (way === "in one turn") wire.say(...all);
        else
          for (const message of all) {
            wire.say(message);
            await quiet(1);
          }
      }
      await over;
    },
  );

  it(
    "requests, notifications and answers of one side keep their order, 1,000 times",
    { timeout: 120_000 },
    async () => {
      const Note = notification<{ n: number }>("_note");
      const Ask = request<{ n: number }, { n: number }>("_ask");
      const atAgent: string[] = [];
      const agent = echo()
        .onReceiveNotification(Note, async ({ n }, cx) => {
          atAgent.push(`note ${n}`);
          await cx.sendNotification(Note, { n });
        })
        .onReceiveRequest(Ask, ({ n }, responder) => {
          atAgent.push(`ask ${n}`);
          responder.respond({ n });
        });
      const atClient: string[] = [];
      const editor = Client.builder().onReceiveNotification(Note, ({ n }) => void atClient.push(`note ${n}`));
      await editor.connectWith(Conductor.agent({ proxies: proxies(), agent }), async (cx) => {
        await cx.sendRequest(InitializeRequest, initialize).result();
        // Not more at once than may run.
        for (let from = 0; from < 1000; from += 100) {
          const { opened, open } = gate();
          for (let n = from; n < from + 100; n++) {
            void cx.sendNotification(Note, { n });
            cx.sendRequest(Ask, { n }).onReceivingResult((outcome) => {
              if (outcome.ok) atClient.push(`answer ${outcome.value.n}`);
              if (n === from + 99) open();
            });
          }
          await opened;
        }
      });
      expect(atAgent).toEqual(Array.from({ length: 1000 }, (_x, n) => [`note ${n}`, `ask ${n}`]).flat());
      expect(atClient).toEqual(Array.from({ length: 1000 }, (_x, n) => [`note ${n}`, `answer ${n}`]).flat());
    },
  );

  it("a batch crosses as single messages, in its order, and is answered as one array", async () => {
    const agent = listener();
    const { wire, over } = client(Conductor.agent({ proxies: proxies(), agent: agent.part }));
    wire.request(1, "initialize", initialize);
    const last = await agent.wire;
    last.say({ jsonrpc: "2.0", id: (await last.called("initialize")).id, result: initialize });
    await wire.answer(1);
    wire.say([
      { jsonrpc: "2.0", id: "a", method: "_one", params: {} },
      { jsonrpc: "2.0", method: "_two", params: {} },
      { jsonrpc: "2.0", id: "b", method: "_three", params: {} },
    ]);
    const one = await last.next();
    const two = await last.next();
    const three = await last.next();
    expect([one, two, three].map(({ method }) => method)).toEqual(["_one", "_two", "_three"]);
    last.say({ jsonrpc: "2.0", id: three["id"], result: 3 });
    last.say({ jsonrpc: "2.0", id: one["id"], error: { code: 1, message: "no" } });
    const answers = (await wire.next()) as unknown as Json[];
    expect(answers).toHaveLength(2);
    expect(answers).toContainEqual({ jsonrpc: "2.0", id: "a", error: { code: 1, message: "no" } });
    expect(answers).toContainEqual({ jsonrpc: "2.0", id: "b", result: 3 });
    wire.end();
    await over;
  });
});

describe("pressure", () => {
  // 64 KiB each, so that what may wait on a hop by itself (1 MiB in the memory between two ends) is few of them.
  const size = 64 * 1024;
  const count = 1000;
  const limits = { waiting: 4, waitingBytes: 4 * size };
  const narrow = (part: Component): Component => ({
    connectTo: (transport, options) => part.connectTo(transport, { ...options, limits }),
  });
  const chainOf = (agent: Component): Component =>
    narrow(
      Conductor.agent({
        proxies: [narrow(passing()), narrow(arrow("")), narrow(other("proxy"))],
        agent: narrow(agent),
      }),
    );
  // Eight connections, each with what may wait at its reader, in between, and at its writer.
  const bound = 8 * (4 + 16 + 16);

  it("a slow client behind a fast agent stops the agent; nothing is lost and little waits", async () => {
    const text = "x".repeat(size);
    let sent = 0;
    const [first, go] = [gate(), gate()];
    const agent = echo().onReceiveNotification(notification("_go"), (_, cx) =>
      cx.spawn(async () => {
        for (; sent < count; sent++)
          await cx.sendNotification(SessionNotification, saying("s", `${sent} ${text}`));
      }),
    );
    const seen: number[] = [];
    const all = gate();
    const editor = Client.builder().onReceiveNotification(SessionNotification, async ({ update }) => {
      seen.push(Number.parseInt(textOf(update), 10));
      if (seen.length === 1) {
        first.open();
        await go.opened;
      }
      if (seen.length === count) all.open();
    });
    const running = editor.connectWith(
      chainOf(agent),
      async (cx) => {
        await cx.sendRequest(InitializeRequest, initialize).result();
        await cx.sendNotification(notification("_go"), {});
        await first.opened;
        // As far as it gets.
        for (let before = -1; before !== sent;) {
          before = sent;
          await quiet(50);
        }
        expect(sent).toBeLessThan(bound);
        go.open();
        await all.opened;
      },
      { limits },
    );
    await running;
    expect(seen).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  it("a slow agent behind a fast client stops the client", async () => {
    const text = "x".repeat(size);
    let sent = 0;
    const [first, go, all] = [gate(), gate(), gate()];
    const Note = notification<{ n: number; text: string }>("_note");
    const seen: number[] = [];
    const agent = echo().onReceiveNotification(Note, async ({ n }) => {
      seen.push(n);
      if (seen.length === 1) {
        first.open();
        await go.opened;
      }
      if (seen.length === count) all.open();
    });
    await Client.builder().connectWith(chainOf(agent), async (cx) => {
      await cx.sendRequest(InitializeRequest, initialize).result();
      cx.spawn(async () => {
        for (; sent < count; sent++) await cx.sendNotification(Note, { n: sent, text });
      });
      await first.opened;
      for (let before = -1; before !== sent;) {
        before = sent;
        await quiet(50);
      }
      expect(sent).toBeLessThan(bound);
      go.open();
      await all.opened;
    });
    expect(seen).toEqual(Array.from({ length: count }, (_, i) => i));
  });
});
