// ARCHITECTURE §4: session closes, transport lost; finalizers. From the plain door.
import { describe, expect, it } from "vitest";
import {
  Drain,
  Endless,
  endlessBytes,
  expectEmpty,
  open,
  quiet,
  turn,
  until,
  type Ends,
} from "./lifetimes.testing.ts";
import {
  SessionError,
  type HandlerContext,
  type SessionOptions,
  type SessionReadable,
  type SessionWritable,
} from "./index.ts";

const forever = (_: unknown, { signal }: HandlerContext): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });

/** A session in the middle of everything: a call each way, and a stream of each kind each way. */
async function busy(): Promise<
  Ends & {
    readonly outcomes: unknown[];
    readonly left: () => number;
  }
> {
  const sources = [new Endless(), new Endless()];
  const bytes = [endlessBytes(), endlessBytes()];
  const drains = [new Drain(), new Drain()];
  const outcomes: unknown[] = [];
  const note = (error: unknown): void => void outcomes.push(error);
  const options = (n: 0 | 1): SessionOptions => ({
    handlers: {
      forever,
      all: () => ({ numbers: sources[n], bytes: bytes[n]!.stream, drain: drains[n]!.stream }),
    },
  });
  const ends = await open(options(0), options(1));
  interface All {
    readonly numbers: SessionReadable<number>;
    readonly bytes: SessionReadable;
    readonly drain: SessionWritable;
  }
  for (const session of [ends.a, ends.b]) {
    const { numbers, bytes: chunks, drain } = await session.call<All>("all");
    session.call("forever").catch(note);
    void (async (): Promise<void> => {
      for await (const _ of numbers) await turn();
    })().catch(note);
    void chunks.pipeTo(new WritableStream({ write: turn })).catch(note);
    void (async (): Promise<void> => {
      const writer = drain.getWriter();
      for (;;) {
        await writer.write(new Uint8Array(100));
        await turn();
      }
    })().catch(note);
  }
  await quiet();
  expect(outcomes).toEqual([]);
  for (const session of [ends.a, ends.b])
    expect(session.stats()).toMatchObject({ calls: 1, handlers: 1, streams: 6 });
  const left = (): number =>
    sources.reduce((n, { left }) => n + left, 0) +
    bytes.reduce((n, { reasons }) => n + reasons.length, 0) +
    drains.reduce((n, { aborted }) => n + aborted.length, 0);
  return { ...ends, outcomes, left };
}

const ENDINGS: Record<string, (ends: Ends) => { readonly a: object; readonly b: object }> = {
  "closes here": ({ a }) => {
    void a.close("enough");
    return {
      a: { code: "closed", by: "us", message: "enough" },
      b: { code: "closed", by: "peer", message: "the peer closed the session: enough" },
    };
  },
  "closes there": ({ b }) => {
    void b.close("enough");
    return {
      a: { code: "closed", by: "peer", message: "the peer closed the session: enough" },
      b: { code: "closed", by: "us", message: "enough" },
    };
  },
  "loses its transport": ({ wire }) => {
    wire.a.abort();
    return { a: { code: "lost", by: "transport" }, b: { code: "lost", by: "transport" } };
  },
};

describe.each(Object.entries(ENDINGS))("a session that %s", (_, end) => {
  it("fails every call and stream with one reason, and holds nothing", async () => {
    const { outcomes, left, ...ends } = await busy();
    const expected = end(ends);
    const [a, b] = [await ends.a.closed, await ends.b.closed];
    expect([a, b]).toMatchObject([expected.a, expected.b]);
    await until(() => outcomes.length === 8 && left() === 6);
    const reasons = outcomes.map((error) => (error instanceof SessionError ? error : (error as Error).cause));
    expect(reasons.filter((reason) => reason === a)).toHaveLength(4);
    expect(reasons.filter((reason) => reason === b)).toHaveLength(4);
    await expectEmpty(ends);
    expect(ends.a.error).toBe(a);
  });
});

describe("a session that closes", () => {
  it("holds nothing in the same tick", async () => {
    const { a, b } = await busy();
    void a.close();
    const { faults: _, outbox: __, ...held } = a.stats();
    expect(Object.values(held).every((n) => n === 0)).toBe(true);
    await Promise.all([a.closed, b.closed]);
    await expectEmpty({ a, b });
  });

  it("twice, and from both ends at once, closes once", async () => {
    const ends = await open();
    const { a, b } = ends;
    await Promise.all([a.close("first"), a.close("second"), b.close("third")]);
    await a.close("fourth");
    expect([a.error?.message, b.error?.message]).toEqual(["first", "third"]);
    await expectEmpty(ends);
  });

  it("from inside a handler lets that handler go on", async () => {
    const steps: string[] = [];
    const ends = await open(
      {},
      {
        handlers: {
          close: async (_: unknown, { session, signal }: HandlerContext) => {
            await session.close("by the handler");
            steps.push(`${signal.aborted}`);
            return "too late";
          },
        },
      },
    );
    await expect(ends.a.call("close")).rejects.toMatchObject({ _tag: "SessionError", by: "peer" });
    await until(() => steps.length > 0);
    expect(steps).toEqual(["true"]);
    await expectEmpty(ends);
  });

  it("from inside a reader ends that reader's stream", async () => {
    const ends = await open({}, { handlers: { count: () => ({ numbers: new Endless() }) } });
    const { numbers } = await ends.a.call<{ numbers: SessionReadable<number> }>("count");
    const read = async (): Promise<void> => {
      for await (const n of numbers) if (n === 3) await ends.a.close("three is enough");
    };
    await expect(read()).rejects.toMatchObject({ _tag: "StreamError", code: 7, message: "three is enough" });
    await expectEmpty(ends);
  });

  it("by its signal, or by await using, says so", async () => {
    const abort = new AbortController();
    const ends = await open({ signal: abort.signal });
    abort.abort();
    expect(await ends.b.closed).toMatchObject({ message: "the peer closed the session: its signal aborted" });
    await expectEmpty(ends);
    const others = await open();
    await (async (): Promise<void> => {
      await using held = others.a;
      void held;
    })();
    expect((await others.b.closed).code).toBe("closed");
    await expectEmpty(others);
  });

  it("lets a reader have what arrived, and then the reason", async () => {
    const ends = await open({}, { handlers: { give: () => ({ chunks: endlessBytes(10).stream }) } });
    const { chunks } = await ends.a.call<{ chunks: SessionReadable }>("give");
    await until(() => ends.a.stats().unread > 100);
    void ends.b.close("gone");
    await ends.a.closed;
    let got = 0;
    const read = async (): Promise<void> => {
      for await (const chunk of chunks) got += chunk.length;
    };
    await expect(read()).rejects.toMatchObject({ code: 7 });
    expect(got).toBeGreaterThan(100);
    await expectEmpty(ends);
  });
});

describe("finalizers of a session", () => {
  it("run in reverse, before the transport is released, even those that wait", async () => {
    const steps: string[] = [];
    const ends = await open();
    const { a, wire } = ends;
    const release = wire.a.close.bind(wire.a);
    wire.a.close = (reason): void => {
      steps.push("transport");
      release(reason);
    };
    a.defer(() => void steps.push("first"));
    a.defer(async () => {
      await turn();
      steps.push("second, later");
    });
    a.defer(() => void steps.push("third"));
    const closed = a.close();
    expect(steps).toEqual(["third"]);
    await closed;
    expect(steps).toEqual(["third", "second, later", "first", "transport"]);
    await expectEmpty(ends);
  });

  it("all run though one throws, in its tick or later, and somebody is told", async () => {
    const told: unknown[] = [];
    const ends = await open({
      onHandlerError: (error, owner) => void told.push(`${owner}: ${(error as Error).message}`),
    });
    const steps: number[] = [];
    ends.a.defer(() => void steps.push(1));
    ends.a.defer(() => {
      throw new Error("thrown");
    });
    ends.a.defer(() => void steps.push(2));
    ends.a.defer(() => Promise.reject(new Error("rejected")));
    ends.a.defer(() => void steps.push(3));
    await ends.a.close();
    expect(steps).toEqual([3, 2, 1]);
    expect(told).toEqual(["the session: rejected", "the session: thrown"]);
    await expectEmpty(ends);
  });

  it("cannot call any more: L6", async () => {
    const ends = await open();
    const errors: unknown[] = [];
    ends.a.defer(
      () => ends.a.call("anything").catch((error: unknown) => errors.push(error)) as Promise<never>,
    );
    await ends.a.close("over");
    expect(errors).toMatchObject([{ _tag: "SessionError", message: "over" }]);
    expect(errors[0]).toBe(ends.a.error);
    await expectEmpty(ends);
  });

  it("that never return hold the transport until the one deadline: L6", async () => {
    const ends = await open({ limits: { close: 5 } });
    ends.a.defer(() => new Promise(() => {}));
    await ends.a.close();
    expect((await ends.b.closed).code).toBe("closed");
    await expectEmpty(ends);
  });

  it("added after its end run at once", async () => {
    const ends = await open();
    await ends.a.close();
    const steps: string[] = [];
    ends.a.defer(() => void steps.push("now"));
    ends.a.defer(async () => void steps.push("also now"));
    expect(steps).toEqual(["now", "also now"]);
    await expectEmpty(ends);
  });
});
