// The handler chain, the right to answer once, and calls whose answer goes somewhere else.
import { describe, expect, it } from "vitest";
import { failure, Gate, pair } from "./features.testing.ts";
import { assertNoLeaks, Handled, RpcError, type ChainHandler, type Responder } from "./index.ts";
import { macrotask } from "./macrotask.ts";

const answers = (method: string, result: unknown, seen: string[] = []): ChainHandler => ({
  request(request, responder) {
    seen.push(`${String(result)} saw ${request.method}`);
    if (request.method !== method) return Handled.no();
    responder.respond(result);
    return Handled.yes;
  },
});

describe("a chain", () => {
  it("is asked in order behind the handlers by name; the first claim wins", async () => {
    const seen: string[] = [];
    const chain = [answers("m", "first", seen), answers("m", "second", seen), answers("n", "third", seen)];
    const { a } = await pair({}, { handlers: { named: () => "by name" }, chain, fallback: () => "fallback" });
    expect(await a.call("named")).toBe("by name");
    expect(seen).toEqual([]);
    expect(await a.call("m")).toBe("first");
    expect(await a.call("n")).toBe("third");
    expect(await a.call("none")).toBe("fallback");
    expect(seen).toEqual([
      "first saw m",
      ...["first", "second", "third"].map((name) => `${name} saw n`),
      ...["first", "second", "third"].map((name) => `${name} saw none`),
    ]);
    await a.close();
  });

  it("passes a message on, changed, also to the fallback", async () => {
    const renames: ChainHandler = {
      request: ({ method, params }) =>
        Promise.resolve(
          Handled.no({ message: { method: `new/${method}`, params: { ...(params as object), more: 1 } } }),
        ),
    };
    const { a } = await pair(
      {},
      { chain: [renames, answers("new/m", "renamed")], fallback: (params: unknown) => params },
    );
    expect(await a.call("m")).toBe("renamed");
    expect(await a.call("other", { x: 2 })).toEqual({ x: 2, more: 1 });
    await a.close();
  });

  it("claims notifications, too", async () => {
    const got: unknown[] = [];
    const chain: ChainHandler[] = [
      { notification: ({ params }) => (got.push(["chain", params]), Handled.yes) },
      { notification: () => (got.push("never"), Handled.yes) },
    ];
    const { a } = await pair({}, { chain, notifications: { named: () => void got.push("named") } });
    await a.notify("named");
    await a.notify("other", [1]);
    await failure(a.call("sync"));
    expect(got).toEqual(["named", ["chain", [1]]]);
    await a.close();
  });

  it("takes handlers in and lets them go while the session runs", async () => {
    const { a, b } = await pair();
    expect(await failure(a.call("m"))).toMatchObject({ code: -32601, mayHaveRun: false });
    const first = b.use(answers("m", "dynamic"));
    const second = b.use(answers("m", "shadowed"));
    expect(await a.call("m")).toBe("dynamic");
    first[Symbol.dispose]();
    expect(await a.call("m")).toBe("shadowed");
    second[Symbol.dispose]();
    second[Symbol.dispose]();
    expect(await failure(a.call("m"))).toMatchObject({ code: -32601 });
    await a.close();
  });

  it("that throws is answered -32603, and its handlers' error told", async () => {
    const told: unknown[] = [];
    const { a } = await pair(
      {},
      {
        chain: [{ request: () => Promise.reject(new Error("secret")) }],
        onHandlerError: (error, method) => told.push([String(error), method]),
      },
    );
    expect(await failure(a.call("m"))).toMatchObject({ code: -32603, message: "Internal error" });
    expect(told).toEqual([["Error: secret", "m"]]);
    await a.close();
  });
});

describe("a responder", () => {
  it("answers once, may be kept for later, and says whether it has been used", async () => {
    const kept = new Gate<Responder>();
    const { a, b } = await pair(
      {},
      { chain: [{ request: (_, responder) => (kept.open(responder), Handled.yes) }] },
    );
    const call = a.call("m");
    const responder = await kept.opened;
    expect([responder.method, responder.isSettled]).toEqual(["m", false]);
    responder.respond("later");
    expect(responder.isSettled).toBe(true);
    expect(() => responder.respond("again")).toThrow("m has been answered: a responder answers once");
    expect(() => responder.fail(new RpcError(1, "no"))).toThrow("a responder answers once");
    expect(await call).toBe("later");
    assertNoLeaks(b);
    await a.close();
  });

  it("fails with an error as it is", async () => {
    const chain: ChainHandler[] = [
      { request: (_, responder) => (responder.fail(new RpcError(1234, "mine", { why: 1 })), Handled.yes) },
    ];
    const { a } = await pair({}, { chain });
    expect(await failure(a.call("m"))).toMatchObject({
      code: 1234,
      message: "mine",
      data: { why: 1 },
      mayHaveRun: true,
    });
    await a.close();
  });

  it("of a call that was cancelled is settled, and using it harms nobody", async () => {
    const kept = new Gate<Responder>();
    const keep: ChainHandler = {
      request: ({ method }, responder) =>
        method === "m" ? (kept.open(responder), Handled.yes) : Handled.no(),
    };
    const { a, b } = await pair({}, { chain: [keep] });
    const sent = a.request("m");
    const responder = await kept.opened;
    sent.cancel("enough");
    expect(await failure(sent.result())).toMatchObject({ _tag: "CancelledError", message: "enough" });
    await failure(a.call("sync"));
    expect([responder.isSettled, b.stats().handlers]).toEqual([false, 1]); // C7: until it is answered
    responder.respond("too late");
    await failure(a.call("sync"));
    expect([a.stats().faults, b.stats().faults]).toEqual([0, 0]);
    await a.close();
  });
});

describe("a call that has been sent", () => {
  it("gives its result, mapped as often as one likes", async () => {
    const { a } = await pair({}, { handlers: { seven: () => 7 } });
    const sent = a
      .request<number>("seven")
      .map((n) => n + 1)
      .map((n) => Promise.resolve(`${n}!`));
    expect([sent.method, await sent.result(), await sent.result()]).toEqual(["seven", "8!", "8!"]);
    await a.close();
  });

  it("forwards its result or its error to a responder of another session", async () => {
    const far = await pair(
      {},
      {
        handlers: {
          good: () => ({ from: "far" }),
          bad: () => {
            throw new RpcError(7, "far");
          },
        },
      },
    );
    const proxy: ChainHandler = {
      request({ method, params }, responder) {
        far.a.request(method, params).forwardTo(responder);
        return Handled.yes;
      },
    };
    const near = await pair({}, { chain: [proxy] });
    expect(await near.a.call("good")).toEqual({ from: "far" });
    expect(await failure(near.a.call("bad"))).toMatchObject({ code: 7, message: "far" });
    expect(await failure(near.a.call("none"))).toMatchObject({ code: -32601 });
    await Promise.all([near.a.close(), far.a.close()]);
  });

  it("that nobody waits for is no unhandled rejection, cancelled twice or not", async () => {
    const { a } = await pair({}, { handlers: { hang: () => new Promise(() => {}) } });
    const sent = a.request("hang");
    a.request("none");
    sent.cancel();
    sent.cancel();
    await failure(a.call("sync"));
    await new Promise<void>(macrotask);
    expect(a.stats().calls).toBe(0);
    await a.close();
  });
});

it("a fallback has every method nobody else has, and its context says which", async () => {
  const { a } = await pair(
    {},
    {
      fallback: (params: unknown, { method, id }) => ({ method, params, id }),
      fallbackNotification: (params: unknown, { method, session }) =>
        session.notify("echo", { method, params }),
    },
  );
  expect(await a.call("any/thing", [1])).toEqual({ method: "any/thing", params: [1], id: 2 });
  const echoed = new Gate<unknown>();
  a.use({ notification: ({ params }) => (echoed.open(params), Handled.yes) });
  await a.notify("some/event", { x: 1 });
  expect(await echoed.opened).toEqual({ method: "some/event", params: { x: 1 } });
  await a.close();
});
