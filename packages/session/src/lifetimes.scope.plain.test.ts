// ARCHITECTURE §4: whose scope a stream hangs on, and how long a handler's own stays open. From the plain door.
import { describe, expect, it } from "vitest";
import {
  Endless,
  endlessBytes,
  expectEmpty,
  expectEmptyAndClose,
  open,
  turn,
  until,
} from "./lifetimes.testing.ts";
import { RpcError, type HandlerContext, type SessionReadable } from "./index.ts";
import type { PlainSession } from "./session.ts";

describe("streams of a request", () => {
  it("go with their call while it is not answered, and live on afterwards", async () => {
    let kept: SessionReadable | undefined;
    const ends = await open(
      {},
      {
        handlers: {
          keep: ({ body }: { body: SessionReadable }) => {
            kept = body;
            body.getReader().releaseLock();
            body.getReader();
          },
        },
      },
    );
    const { stream, reasons } = endlessBytes();
    const abort = new AbortController();
    await ends.a.call("keep", { body: stream }, { signal: abort.signal });
    abort.abort(); // governs the streams of the result, of which there are none
    await until(() => ends.b.stats().unread > 0);
    expect([reasons, ends.a.stats().streams, ends.b.stats().streams]).toEqual([[], 1, 1]);
    await kept![Symbol.asyncDispose]();
    await until(() => reasons.length === 1);
    await expectEmptyAndClose(ends);
  });

  it("go when their call is answered with an error", async () => {
    const ends = await open(
      {},
      {
        handlers: {
          refuse: ({ body }: { body: SessionReadable }) => {
            body
              .getReader()
              .read()
              .catch(() => {});
            throw new RpcError(4000, "no");
          },
        },
      },
    );
    const { stream, reasons } = endlessBytes();
    await expect(ends.a.call("refuse", { body: stream })).rejects.toMatchObject({ code: 4000 });
    expect(ends.a.stats()).toMatchObject({ streams: 0 });
    await until(() => reasons.length === 1);
    await expectEmptyAndClose(ends);
  });
});

describe("a handler's own lifetime", () => {
  it("stays open until the streams of its result are over", async () => {
    const steps: string[] = [];
    const source = new Endless();
    const ends = await open(
      {},
      {
        handlers: {
          count: (_: unknown, context: HandlerContext) => {
            context.defer(() => void steps.push("first"));
            context.defer(() => void steps.push("second"));
            return { numbers: source, some: new Blob(["some"]) };
          },
        },
      },
    );
    const result = await ends.a.call<{ numbers: SessionReadable; some: SessionReadable }>("count");
    expect(await new Response(result.some).text()).toBe("some");
    await until(() => ends.b.stats().streams === 1);
    expect(steps).toEqual([]);
    await result.numbers.cancel();
    await until(() => source.left === 1);
    expect(steps).toEqual(["second", "first"]);
    await expectEmptyAndClose(ends);
  });

  it("is open to a generator that adds to it later", async () => {
    const steps: string[] = [];
    const ends = await open(
      {},
      {
        handlers: {
          tail: (_: unknown, context: HandlerContext) => ({
            lines: (async function* () {
              await turn();
              context.defer(() => void steps.push("the file is closed"));
              try {
                for (let n = 0; ; n++) yield n;
              } finally {
                steps.push("the generator has left");
              }
            })(),
          }),
        },
      },
    );
    const { lines } = await ends.a.call<{ lines: SessionReadable<number> }>("tail");
    for await (const n of lines) if (n === 10) break;
    await until(() => steps.length === 2);
    expect(steps.toSorted()).toEqual(["the file is closed", "the generator has left"]);
    await expectEmptyAndClose(ends);
  });

  it("ends with an error answer, with the answer where there are no streams, and runs what is added later at once", async () => {
    const steps: string[] = [];
    let kept: HandlerContext | undefined;
    const ends = await open(
      {},
      {
        handlers: {
          answer: (_: unknown, context: HandlerContext) => {
            kept = context;
            context.defer(() => void steps.push("answered"));
            return 1;
          },
          fail: (_: unknown, context: HandlerContext) => {
            context.defer(() => void steps.push("failed"));
            throw new RpcError(1, "no");
          },
        },
      },
    );
    await ends.a.call("answer");
    await ends.a.call("fail").catch(() => {});
    kept!.defer(() => void steps.push("late"));
    expect(steps).toEqual(["answered", "failed", "late"]);
    await expectEmptyAndClose(ends);
  });

  it("runs on beside a cancel until the handler has settled, and ends with the session at the latest", async () => {
    const steps: string[] = [];
    const ends = await open(
      {},
      {
        handlers: {
          deaf: (_: unknown, context: HandlerContext) => {
            context.defer(() => void steps.push("deaf"));
            return new Promise(() => {});
          },
          quick: async (_: unknown, context: HandlerContext) => {
            context.defer(() => void steps.push("quick"));
            await until(() => context.signal.aborted);
            await turn();
            steps.push("settled");
          },
        },
      },
    );
    for (const method of ["deaf", "quick"]) {
      const request = ends.a.request(method);
      await until(() => ends.b.stats().handlers > 0);
      request.cancel();
    }
    await until(() => steps.length === 2);
    expect(steps).toEqual(["settled", "quick"]);
    expect(ends.b.stats().handlers).toBe(1); // C7
    void ends.b.close();
    expect(steps).toEqual(["settled", "quick", "deaf"]);
    await Promise.all([ends.a.closed, ends.b.closed]);
    await expectEmpty(ends);
  });

  it("reports what a finalizer throws by the method, and goes on", async () => {
    const told: string[] = [];
    const steps: string[] = [];
    const ends = await open(
      {},
      {
        onHandlerError: (error, method) => void told.push(`${method}: ${(error as Error).message}`),
        handlers: {
          untidy: (_: unknown, context: HandlerContext) => {
            context.defer(() => void steps.push("last"));
            context.defer(() => {
              throw new Error("thrown");
            });
            context.defer(async () => {
              await turn();
              throw new Error("rejected");
            });
            return 1;
          },
        },
      },
    );
    expect(await ends.a.call("untidy")).toBe(1);
    await until(() => steps.length === 1);
    expect(told).toEqual(["untidy: rejected", "untidy: thrown"]);
    await expectEmptyAndClose(ends);
  });

  it("is waited for by the session's close, when finalizers of it still wait", async () => {
    const steps: string[] = [];
    const ends = await open(
      {},
      {
        handlers: {
          slow: (_: unknown, context: HandlerContext) => {
            context.defer(async () => {
              await turn();
              await turn();
              steps.push("call");
            });
            return new Promise(() => {});
          },
        },
      },
    );
    ends.b.defer(() => void steps.push("session"));
    ends.a.call("slow").catch(() => {});
    await until(() => ends.b.stats().handlers === 1);
    await ends.b.close();
    expect(steps).toEqual(["call", "session"]);
    await ends.a.closed;
    await expectEmpty(ends);
  });

  it("of a notification ends when it has settled; its signal aborts with the session only", async () => {
    const steps: string[] = [];
    const signals: AbortSignal[] = [];
    const ends = await open(
      {},
      {
        notifications: {
          note: (_: unknown, context: HandlerContext) => {
            signals.push(context.signal);
            context.defer(() => void steps.push("over"));
          },
          wait: async (_: unknown, context: HandlerContext) => {
            signals.push(context.signal);
            await until(() => context.signal.aborted);
            steps.push("aborted");
          },
        },
      },
    );
    await ends.a.notify("note");
    await ends.a.notify("wait");
    await until(() => signals.length === 2);
    expect(steps).toEqual(["over"]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
    void ends.b.close();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
    await until(() => steps.length === 2);
    await Promise.all([ends.a.closed, ends.b.closed]);
    await expectEmpty(ends);
  });
});

it("a thousand calls and notifications that use all of it leave nothing on the session's lifetime", async () => {
  const ran = { calls: 0, notes: 0 };
  const ends = await open(
    {},
    {
      handlers: {
        count: (_: unknown, context: HandlerContext) => {
          context.defer(() => void ran.calls++);
          return { numbers: new Endless(), aborted: context.signal.aborted };
        },
      },
      notifications: {
        note: async (_: unknown, context: HandlerContext) => {
          context.defer(() => void ran.notes++);
          if (context.signal.aborted) await turn();
        },
      },
    },
  );
  for (let n = 0; n < 1000; n++) {
    const { numbers } = await ends.a.call<{ numbers: SessionReadable<number> }>("count");
    for await (const _ of numbers) break;
    await ends.a.notify("note");
  }
  await until(() => ran.calls === 1000 && ran.notes === 1000);
  expect([ends.a, ends.b].map((session) => (session as PlainSession).lifetime.children)).toEqual([0, 0]);
  await expectEmptyAndClose(ends);
});
