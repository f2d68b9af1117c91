// Draining, keeping alive, deadlines, trace context; and how a session's end reaches everything in it.
import { memoryPair } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import { collect, failure, Gate, pair, text } from "./features.testing.ts";
import { assertNoLeaks, connect, serve, type HandlerContext, type Session } from "./index.ts";
import { macrotask } from "./macrotask.ts";

describe("a drain", () => {
  it.each(["caller", "callee"] as const)(
    "by the %s lets calls and streams finish, takes nothing new, and ends both",
    async (who) => {
      const gate = new Gate();
      const told: string[] = [];
      const onDraining = (reason: string): void => void told.push(reason);
      const { a, b } = await pair(
        { onDraining, handlers: { late: () => 1 } },
        {
          onDraining,
          handlers: {
            slow: async () => {
              await gate.opened;
              return {
                rest: (async function* rest() {
                  yield* [1, 2, 3];
                })(),
              };
            },
            late: () => 1,
          },
        },
      );
      const slow = a.call<{ rest: AsyncIterable<number> }>("slow");
      await failure(a.call("none"));
      const [drainer, other] = who === "caller" ? [a, b] : [b, a];
      const drained = drainer.drain("going down");
      while (told.length === 0) await new Promise<void>(macrotask);
      expect(told).toEqual(["going down"]);
      expect(await failure(other.call("late"))).toMatchObject({ code: -32011, mayHaveRun: false });
      expect(drainer.error).toBe(undefined);
      gate.open();
      const { rest } = await slow;
      expect(await collect(rest)).toEqual([1, 2, 3]);
      await drained;
      expect(drainer.error).toMatchObject({ code: "drained", by: "us" });
      expect(await other.closed).toMatchObject({
        code: "closed",
        by: "peer",
        message: "the peer closed the session: going down",
      });
      assertNoLeaks(a);
      assertNoLeaks(b);
    },
  );

  it("from both sides at once ends both", async () => {
    const { a, b } = await pair();
    await Promise.all([a.drain(), b.drain(), a.drain()]);
    expect([a.error?.code, b.error?.code].every((code) => code === "drained" || code === "closed")).toBe(
      true,
    );
  });

  it("is over at its limit, whatever still runs (C6)", async () => {
    const { a } = await pair({ limits: { drain: 5 } }, { handlers: { hang: () => new Promise(() => {}) } });
    const call = failure(a.call("hang"));
    await a.drain();
    expect(a.error).toMatchObject({ code: "timeout", by: "us", rule: "C6" });
    expect(await call).toBe(a.error);
  });
});

describe("keepAlive", () => {
  it("ends a session whose peer gives no sign of life (L5), and no other", async () => {
    const { a: silent, wire } = await pair({ keepAlive: 5, limits: { ping: 5, close: 5 } });
    wire[1].pause();
    expect(await silent.closed).toMatchObject({ code: "timeout", by: "peer", rule: "L5" });
    wire[1].resume();

    let pongs = 0;
    const three = new Gate();
    const alive = await pair({
      keepAlive: 1,
      observer: {
        frame: (way, frame) =>
          void (
            way === "in" &&
            (frame as { type?: string }).type === "pong" &&
            ++pongs === 3 &&
            three.open()
          ),
      },
    });
    await three.opened;
    expect(alive.a.error).toBe(undefined);
    await alive.a.close();
  });
});

describe("beside the params", () => {
  it("trace context reaches the handler", async () => {
    const seen: unknown[] = [];
    const { a } = await pair(
      {},
      {
        handlers: {
          m: (_: unknown, { message }) => void seen.push([message["traceparent"], message["tracestate"]]),
        },
      },
    );
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await a.call("m", {}, { traceparent, tracestate: "k=v" });
    await a.call("m");
    expect(seen).toEqual([
      [traceparent, "k=v"],
      [undefined, undefined],
    ]);
    await a.close();
  });

  it("the deadline reaches the peer: its handler's signal aborts by itself", async () => {
    const gone = new Gate<HandlerContext>();
    const { a, wire } = await pair(
      {},
      {
        handlers: {
          hang: (_: unknown, context) =>
            new Promise(() => context.signal.addEventListener("abort", () => gone.open(context))),
        },
      },
    );
    const call = failure(a.call("hang", {}, { timeout: 20 }));
    while (a.stats().outbox > 0) await new Promise<void>(macrotask);
    // From now on the peer hears nothing: its own clock has to do it.
    await new Promise<void>(macrotask);
    wire[1].pause();
    const { message, signal } = await gone.opened;
    expect(message["deadline"]).toBe(20);
    expect(signal.reason).toMatchObject({ _tag: "RpcError", code: -32800, data: { reason: "deadline" } });
    expect(await call).toMatchObject({ mayHaveRun: true });
    wire[1].resume();
    await a.close();
  });
});

describe("the end of a session", () => {
  it.each(["close", "loss"] as const)(
    "by %s fails every pending call and ends every reader and writer",
    async (how) => {
      const { a, b, wire } = await pair(
        {},
        {
          handlers: {
            hang: () => new Promise(() => {}),
            streams: () => ({
              read: new ReadableStream({ start: (c) => c.enqueue(text("first")) }),
              write: new WritableStream({ write: () => new Promise(() => {}) }),
            }),
          },
        },
      );
      const calls = Array.from({ length: 100 }, () => failure(a.call("hang")));
      const all = await Promise.all(
        Array.from({ length: 10 }, () => a.call<{ read: ReadableStream; write: WritableStream }>("streams")),
      );
      const got: unknown[] = [];
      const readers = all.map(({ read }) =>
        failure(
          (async () => {
            for await (const chunk of read) got.push(chunk);
          })(),
        ),
      );
      const writers = all.map(({ write }) => {
        const writer = write.getWriter();
        void failure(writer.write(new Uint8Array(1 << 20)));
        return failure(writer.closed);
      });
      while (got.length < 10) await new Promise<void>(macrotask);
      if (how === "close") void b.close();
      else wire[1].abort();
      const error = await a.closed;
      expect(new Set(await Promise.all(calls))).toEqual(new Set([error]));
      for (const end of await Promise.all([...readers, ...writers]))
        expect(end).toMatchObject({ _tag: "StreamError", code: 7, cause: error });
      assertNoLeaks(a);
      assertNoLeaks(b);
    },
  );

  it("finalizers run in reverse, calls made from them fail at once, and the transport goes last (L6)", async () => {
    const seen: string[] = [];
    const { a } = await pair();
    a.defer(() => void seen.push("first"));
    a.defer(async () => {
      seen.push("second");
      expect(await failure(a.call("m"))).toBe(a.error);
    });
    void a.closed.then(() => seen.push("closed"));
    await a.close();
    expect(seen).toEqual(["second", "first", "closed"]);
    a.defer(() => void seen.push("late"));
    expect(seen.at(-1)).toBe("late");
  });

  it("comes from a signal, also one that has aborted before", async () => {
    const abort = new AbortController();
    const { a } = await pair({ signal: abort.signal });
    abort.abort();
    expect(await a.closed).toMatchObject({ code: "closed", by: "us", message: "its signal aborted" });
    const [left, right] = memoryPair();
    void failure(serve(right));
    await expect(connect(left, { signal: abort.signal })).rejects.toMatchObject({ code: "closed" });
  });

  it("comes with `await using`", async () => {
    let held: Session;
    {
      const { a } = await pair();
      await using session = a;
      held = session;
    }
    expect(held.error).toMatchObject({ code: "closed", by: "us" });
  });
});
