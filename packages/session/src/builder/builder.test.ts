import { expect, it, vi } from "vitest";
import {
  Handled,
  notification,
  request,
  requests,
  Role,
  Untyped,
  anyRequest,
  type ConnectionTo,
} from "../builder.ts";
import { gate, quiet, RawPeer } from "./raw-peer.testing.ts";

const Hello = request<{ name: string }, { greeting: string }>("hello");
const Ping = request<{ value: number }, { value: number }>("ping");
const Log = notification<{ text: string }>("log");

const greeter = () =>
  Untyped.builder().onReceiveRequest(Hello, ({ name }, responder) =>
    responder.respond({ greeting: `Hello, ${name}!` }),
  );

it("one request gets one typed answer", async () => {
  const greeting = await Untyped.builder().connectWith(greeter(), (cx) =>
    cx.sendRequest(Hello, { name: "World" }).result(),
  );
  expect(greeting).toEqual({ greeting: "Hello, World!" });
});

it("a notification reaches its handler and gets no reply", async () => {
  const peer = new RawPeer();
  const seen: string[] = [];
  const over = Untyped.builder()
    .onReceiveNotification(Log, ({ text }) => void seen.push(text))
    .onReceiveRequest(Ping, ({ value }, responder) => responder.respond({ value }))
    .connectTo(peer.transport);
  peer.notify("log", { text: "one" });
  peer.request(1, "ping", { value: 1 });
  expect(await peer.next()).toMatchObject({ id: 1, result: { value: 1 } });
  expect(seen).toEqual(["one"]);
  peer.end();
  await over;
});

it("several round trips go over one connection", async () => {
  const values = await Untyped.builder().connectWith(greeter(), async (cx) => {
    const all: string[] = [];
    for (let i = 0; i < 10; i++)
      all.push((await cx.sendRequest(Hello, { name: String(i) }).result()).greeting);
    return all;
  });
  expect(values).toEqual(Array.from({ length: 10 }, (_, i) => `Hello, ${i}!`));
});

it("several outstanding requests each get their own answer", async () => {
  const results = await Untyped.builder().connectWith(greeter(), (cx) =>
    Promise.all(Array.from({ length: 50 }, (_, i) => cx.sendRequest(Hello, { name: String(i) }).result())),
  );
  expect(results.map(({ greeting }) => greeting)).toEqual(
    Array.from({ length: 50 }, (_, i) => `Hello, ${i}!`),
  );
});

it("two methods are each routed to their handler", async () => {
  const both = greeter().onReceiveRequest(Ping, ({ value }, responder) =>
    responder.respond({ value: value + 1 }),
  );
  const results = await Untyped.builder().connectWith(both, (cx) =>
    Promise.all([cx.sendRequest(Hello, { name: "a" }).result(), cx.sendRequest(Ping, { value: 1 }).result()]),
  );
  expect(results).toEqual([{ greeting: "Hello, a!" }, { value: 2 }]);
});

it("of two handlers for the same method only the first registered runs", async () => {
  const ran: string[] = [];
  const server = Untyped.builder()
    .onReceiveRequest(Ping, ({ value }, responder) => {
      ran.push("first");
      responder.respond({ value });
    })
    .onReceiveRequest(Ping, (_, responder) => {
      ran.push("second");
      responder.respond({ value: -1 });
    });
  expect(
    await Untyped.builder().connectWith(server, (cx) => cx.sendRequest(Ping, { value: 7 }).result()),
  ).toEqual({
    value: 7,
  });
  expect(ran).toEqual(["first"]);
});

it("a handler that does not match passes on to the next, and so does one that declines", async () => {
  const server = Untyped.builder()
    .onReceiveRequest(Hello, () => {})
    .onReceiveRequest(Ping, () => Handled.no())
    .onReceiveRequest(Ping, async () => Handled.no())
    .onReceiveRequest(Ping, ({ value }, responder) => responder.respond({ value }));
  expect(
    await Untyped.builder().connectWith(server, (cx) => cx.sendRequest(Ping, { value: 7 }).result()),
  ).toEqual({
    value: 7,
  });
});

it("a request nobody claims is answered -32601 and the connection goes on", async () => {
  const peer = new RawPeer();
  const over = greeter().connectTo(peer.transport);
  peer.request("a", "nothing", { secret: 1 });
  peer.request("b", "hello", { name: "x" });
  expect(await peer.answer("a")).toEqual({
    jsonrpc: "2.0",
    id: "a",
    error: { code: -32601, message: "method not found" },
  });
  expect(await peer.answer("b")).toMatchObject({ result: { greeting: "Hello, x!" } });
  peer.end();
  await over;
});

it("a notification that is claimed is seen once", async () => {
  const peer = new RawPeer();
  const seen: string[] = [];
  const over = Untyped.builder()
    .onReceiveNotification(Log, () => void seen.push("first"))
    .onReceiveNotification(Log, () => void seen.push("second"))
    .connectTo(peer.transport);
  peer.notify("log", { text: "x" });
  peer.end();
  await over;
  expect(seen).toEqual(["first"]);
});

it("both sides send and answer on one connection", async () => {
  const doubler = Untyped.builder().onReceiveRequest(Ping, async ({ value }, responder, cx) => {
    const { greeting } = await cx.sendRequest(Hello, { name: String(value) }).result();
    responder.respond({ value: greeting.length });
  });
  expect(await greeter().connectWith(doubler, (cx) => cx.sendRequest(Ping, { value: 10 }).result())).toEqual({
    value: "Hello, 10!".length,
  });
});

it("`map` makes the result into a type of the application's", async () => {
  const text = await Untyped.builder().connectWith(greeter(), (cx) =>
    cx
      .sendRequest(Hello, { name: "a" })
      .map(({ greeting }) => greeting.length)
      .map(async (length) => `length ${length}`)
      .result(),
  );
  expect(text).toBe("length 9");
});

it("answers that come in another order reach their requests", async () => {
  const peer = new RawPeer();
  await Untyped.builder().connectWith(peer.transport, async (cx) => {
    const sent = [1, 2, 3].map((value) => cx.sendRequest(Ping, { value }));
    const results = Promise.all(sent.map((one) => one.result()));
    const asked = [await peer.called("ping"), await peer.called("ping"), await peer.called("ping")];
    for (const { id, params } of asked.reverse()) peer.say({ jsonrpc: "2.0", id, result: params });
    expect(await results).toEqual([{ value: 1 }, { value: 2 }, { value: 3 }]);
  });
});

it("a handler of several requests is told which it is", async () => {
  const server = Untyped.builder().onReceiveRequest(requests(Hello, Ping), (message, responder) =>
    responder.respond({ value: message.method.length, greeting: message.method }),
  );
  const results = await Untyped.builder().connectWith(server, (cx) =>
    Promise.all([cx.sendRequest(Hello, { name: "a" }).result(), cx.sendRequest(Ping, { value: 1 }).result()]),
  );
  expect(results).toEqual([
    { value: 5, greeting: "hello" },
    { value: 4, greeting: "ping" },
  ]);
});

it("another builder's handlers stand where it was added", async () => {
  const inner = Untyped.builder()
    .name("inner")
    .onReceiveRequest(Ping, ({ value }, responder) =>
      value > 10 ? Handled.no() : responder.respond({ value: value + 1 }),
    );
  const server = Untyped.builder()
    .withConnectionBuilder(inner)
    .onReceiveRequest(anyRequest, (_, responder) => responder.respond({ value: 0 }));
  const results = await Untyped.builder().connectWith(server, (cx) =>
    Promise.all([1, 11].map((value) => cx.sendRequest(Ping, { value }).result())),
  );
  expect(results).toEqual([{ value: 2 }, { value: 0 }]);
});

it("runners run beside the connection, and one that ends does not end it", async () => {
  const peer = new RawPeer();
  const ran = gate<ConnectionTo>();
  const over = greeter()
    .withRunner((cx) => ran.open(cx))
    .withResponder(async (cx) => cx.sendNotification(Log, { text: "from a runner" }))
    .connectTo(peer.transport);
  await ran.opened;
  expect(await peer.called("log")).toMatchObject({ params: { text: "from a runner" } });
  peer.request(1, "hello", { name: "x" });
  await peer.answer(1);
  peer.end();
  await over;
});

it("what a runner or a spawned task throws ends the connection with it", async () => {
  const failure = new Error("out of paper");
  const peer = new RawPeer();
  const failing = Untyped.builder().withSpawned(async () => {
    throw failure;
  });
  await expect(failing.connectTo(peer.transport)).rejects.toBe(failure);

  const spawning = Untyped.builder().connectWith(new RawPeer().transport, async (cx) => {
    cx.spawn(() => {
      throw failure;
    });
    await new Promise(() => {});
  });
  await expect(spawning).rejects.toBe(failure);
});

it("a connection in a connection ends with it, and its failure is the other's", async () => {
  const outer = new RawPeer();
  const inner = new RawPeer();
  const over = Untyped.builder().connectWith(outer.transport, async (cx) => {
    const child = cx.spawnConnection(greeter(), inner.transport);
    inner.request(1, "hello", { name: "child" });
    await inner.answer(1);
    return child.signal;
  });
  const signal = await over;
  expect([signal.aborted, inner.ended]).toEqual([true, "yes"]);

  const lost = new RawPeer();
  const failed = Untyped.builder().connectWith(new RawPeer().transport, async (cx) => {
    cx.spawnConnection(greeter(), lost.transport);
    lost.abort();
    await new Promise(() => {});
  });
  await expect(failed).rejects.toMatchObject({ _tag: "SessionError", code: "lost" });
});

it("what a component at the other end fails with ends the connection with it, though its end be heard of first", async () => {
  const failure = new Error("out of paper");
  const failing = Untyped.builder().onReceiveRequest(Ping, (_, responder, cx) => {
    responder.respond({ value: 1 });
    cx.spawn(() => {
      throw failure;
    });
  });
  const over = Untyped.builder()
    .withRunner((cx) => cx.sendRequest(Ping, { value: 0 }).result())
    .connectTo(failing);
  await expect(over).rejects.toBe(failure);
});

it("a connection that is over leaves no timer behind that would keep a process alive", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const peer = new RawPeer();
    await Untyped.builder().connectWith(peer.transport, (cx) => cx.sendNotification(Log, { text: "x" }));
    expect([peer.ended, vi.getTimerCount()]).toEqual(["yes", 0]);
  } finally {
    vi.useRealTimers();
  }
});

it("a notification that is passed on to one who has left is nobody's, and nothing is reported", async () => {
  const [from, to] = [new RawPeer(), new RawPeer()];
  const reported: unknown[] = [];
  const passed = gate();
  const over = Untyped.builder()
    .onReceiveDispatch({ notification: Log }, async (dispatch, cx) => {
      const other = cx.spawnConnection(Untyped.builder(), to.transport);
      to.end();
      await other.incomingClosed();
      while (!other.signal.aborted) await quiet(1);
      await other.sendProxiedMessage(dispatch);
      passed.open();
    })
    .connectTo(from.transport, { onHandlerError: (error) => reported.push(error) });
  from.notify("log", { text: "x" });
  await passed.opened;
  from.end();
  await over;
  expect(reported).toEqual([]);
});

it("a role that waits for who is there ends in order where whoever came says nothing", async () => {
  const Waiting: Role = new Role({ name: "Waiting", side: "acceptor", counterpart: () => Waiting });
  const peer = new RawPeer();
  const over = Waiting.builder().connectTo(peer.transport);
  peer.end();
  await expect(over).resolves.toBeUndefined();
});
