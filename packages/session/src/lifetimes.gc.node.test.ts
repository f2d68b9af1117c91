// ARCHITECTURE §4: a handle that is garbage-collected without having been released is released, and reported as a leak;
// the peer sees a stop. Needs a garbage collector one can call, and so is not run in browsers.
import * as Effect from "effect/Effect";
import * as Scope from "effect/Scope";
import type * as Sink from "effect/Sink";
import * as Stream from "effect/Stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import * as Plain from "./lifetimes.testing.ts";
import { closeScope, EndlessStream, expectEmptyAndClose, openEffect } from "./lifetimes.effect-testing.ts";
import { Drain, Endless, isEmpty, open, turn, until } from "./lifetimes.testing.ts";
import {
  Handled,
  type Leak,
  type Responder,
  type SessionReadable,
  type SessionWritable,
  type StreamError,
} from "./index.ts";

const collect = collector();

function collector(): () => void {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
  if (Bun !== undefined) return () => Bun.gc(true);
  if (gc !== undefined) return gc;
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

/** Until it is so, collecting garbage at every turn. */
async function untilCollected(what: () => boolean): Promise<void> {
  for (let n = 0; n < 200; n++) {
    if (what()) return;
    collect();
    await turn();
    await new Promise((resolve) => setTimeout(resolve));
  }
  throw new Error(`never came true: ${what.toString()}`);
}

async function collectAll(): Promise<void> {
  for (let n = 0; n < 5; n++) {
    collect();
    await turn();
  }
}

// What a test lets go of is made in functions of its own, so that no variable of the test keeps it.

describe("a handle of the plain door that is dropped", () => {
  const WAYS: Record<string, (numbers: SessionReadable<number>) => unknown> = {
    unused: () => undefined,
    "after a read": async (numbers) => {
      const reader = numbers.getReader();
      await reader.read();
      reader.releaseLock();
    },
    "in the middle of an iteration": async (numbers) => {
      await numbers[Symbol.asyncIterator]().next();
    },
    "with its reader": async (numbers) => {
      await numbers.getReader().read();
    },
  };
  for (const [name, use] of Object.entries(WAYS))
    for (const signal of [undefined, new AbortController().signal])
      it(`${name}, is stopped and reported${signal === undefined ? "" : ", though its call had a signal"}`, async () => {
        const leaks: Leak[] = [];
        const source = new Endless();
        const ends = await open(
          { onLeak: (leak) => void leaks.push(leak), traceLeaks: true },
          { handlers: { count: () => ({ numbers: source }) } },
        );
        const drop = async (): Promise<void> => {
          const options = signal === undefined ? {} : { signal, timeout: 60_000 };
          const { numbers } = await ends.a.call<{ numbers: SessionReadable<number> }>("count", {}, options);
          expect(ends.a.stats().streams).toBe(1);
          await use(numbers);
        };
        await drop();
        await untilCollected(() => leaks.length > 0);
        expect(leaks).toMatchObject([
          { kind: "readable", stack: expect.stringContaining("made here") as string },
        ]);
        expect(ends.a.stats().streams).toBe(0);
        await until(() => source.left === 1);
        expect(ends.heard.b.of("stop")).toBe(1);
        await Plain.expectEmptyAndClose(ends);
      });

  it("as a writable, is reset and reported", async () => {
    const leaks: Leak[] = [];
    const drain = new Drain();
    const ends = await open(
      { onLeak: (leak) => void leaks.push(leak) },
      { handlers: { upload: () => ({ into: drain.stream }) } },
    );
    const drop = async (): Promise<void> => {
      const { into } = await ends.a.call<{ into: SessionWritable }>("upload");
      await into.getWriter().write(new Uint8Array(1));
    };
    await drop();
    await untilCollected(() => leaks.length > 0);
    expect(leaks).toMatchObject([{ kind: "writable", stack: undefined }]);
    await until(() => drain.aborted.length === 1);
    await Plain.expectEmptyAndClose(ends);
  });

  it("in a handler that has answered, is stopped there", async () => {
    const leaks: Leak[] = [];
    const source = new Endless();
    const ends = await open(
      {},
      {
        onLeak: (leak) => void leaks.push(leak),
        handlers: {
          peek: ({ numbers }: { numbers: SessionReadable }) =>
            void numbers
              .getReader()
              .read()
              .catch(() => {}),
        },
      },
    );
    await ends.a.call("peek", { numbers: source });
    await untilCollected(() => leaks.length > 0);
    await until(() => source.left === 1);
    expect(ends.heard.a.of("stop")).toBe(1);
    await Plain.expectEmptyAndClose(ends);
  });

  it("after it is over, is no leak", async () => {
    const leaks: Leak[] = [];
    const ends = await open(
      { onLeak: (leak) => void leaks.push(leak) },
      { handlers: { give: () => ({ one: new Blob(["x"]), two: new Blob(["x"]) }) } },
    );
    const drop = async (): Promise<void> => {
      const { one, two } = await ends.a.call<Record<"one" | "two", SessionReadable>>("give");
      await new Response(one).text();
      await two.cancel();
    };
    for (let n = 0; n < 10; n++) await drop();
    await collectAll();
    expect(leaks).toEqual([]);
    await Plain.expectEmptyAndClose(ends);
  });
});

describe("a handle of the plain door in use is no leak", () => {
  const USES: Record<string, (numbers: SessionReadable) => unknown> = {
    "parked in an iteration": (numbers) =>
      void numbers[Symbol.asyncIterator]()
        .next()
        .catch(() => {}),
    "parked in a read": (numbers) =>
      void numbers
        .getReader()
        .read()
        .catch(() => {}),
    piped: (numbers) => void numbers.pipeTo(new WritableStream()).catch(() => {}),
    "kept by its iterator": (numbers) => numbers[Symbol.asyncIterator](),
  };
  for (const [name, use] of Object.entries(USES))
    it(name, async () => {
      const leaks: Leak[] = [];
      const ends = await open(
        { onLeak: (leak) => void leaks.push(leak) },
        { handlers: { wait: () => ({ numbers: new ReadableStream() }) } },
      );
      const start = async (): Promise<unknown> => {
        const { numbers } = await ends.a.call<{ numbers: SessionReadable }>("wait");
        return use(numbers);
      };
      const kept: unknown[] = [await start()];
      await collectAll();
      expect(leaks).toEqual([]);
      expect(ends.a.stats().streams).toBe(1);
      expect(kept).toHaveLength(1);
      await ends.a.close();
      await ends.b.closed;
      expect(isEmpty(ends.a) && isEmpty(ends.b)).toBe(true);
    });
});

describe("a handle of the Effect door", () => {
  type Numbers = Stream.Stream<number, StreamError>;
  const opened = async (): Promise<
    Awaited<ReturnType<typeof openEffect>> & { leaks: Leak[]; source: EndlessStream; drains: Drain[] }
  > => {
    const leaks: Leak[] = [];
    const source = new EndlessStream();
    const drains: Drain[] = [];
    const sink = (): WritableStream => {
      const drain = new Drain();
      drains.push(drain);
      return drain.stream;
    };
    const handlers = { both: () => Effect.sync(() => ({ numbers: source.stream, into: sink() })) };
    const ends = await openEffect({ onLeak: (leak) => void leaks.push(leak) }, { handlers });
    return { ...ends, leaks, source, drains };
  };
  interface Both {
    readonly numbers: Numbers;
    readonly into: Sink.Sink<void, Uint8Array, never, StreamError>;
  }

  it("that is dropped unused, in a scope that stays open, is stopped or reset, and reported", async () => {
    const { leaks, source, drains, ...ends } = await opened();
    const scope = Scope.makeUnsafe();
    const drop = async (): Promise<void> => {
      await Effect.runPromise(Effect.asVoid(Scope.provide(ends.a.call<Both>("both"), scope)));
    };
    await drop();
    await untilCollected(() => leaks.length === 2);
    expect(leaks.map(({ kind }) => kind).toSorted()).toEqual(["readable", "writable"]);
    await until(() => source.left === 1 && drains[0]!.aborted.length === 1);
    await closeScope(scope);
    await expectEmptyAndClose(ends);
  });

  it("in use is no leak: derived, running, or passed on", async () => {
    const { leaks, ...ends } = await opened();
    const scope = Scope.makeUnsafe();
    const call = (): Promise<Both> => Effect.runPromise(Scope.provide(ends.a.call<Both>("both"), scope));
    const derive = async (): Promise<Numbers> => Stream.map((await call()).numbers, (n) => n + 1);
    const run = async (): Promise<() => void> =>
      Effect.runCallback(Stream.runForEach((await call()).numbers, () => Effect.promise(turn)));
    const into = async (): Promise<() => void> =>
      Effect.runCallback(Stream.run(Stream.never as Stream.Stream<Uint8Array>, (await call()).into));
    const derived = await derive();
    const interrupts = [await run(), await into()];
    // Six handles, of which three are used.
    await untilCollected(() => leaks.length === 3);
    await collectAll();
    expect(leaks.map(({ kind }) => kind).toSorted()).toEqual(["readable", "writable", "writable"]);
    expect(await Effect.runPromise(Stream.runCollect(Stream.take(derived, 2)))).toEqual([1, 2]);
    for (const interrupt of interrupts) interrupt();
    await closeScope(scope);
    await expectEmptyAndClose(ends);
  });

  it("passed on is no leak", async () => {
    const leaks: Leak[] = [];
    const source = new EndlessStream();
    const onLeak = (leak: Leak): void => void leaks.push(leak);
    const far = await openEffect(
      { onLeak },
      { handlers: { count: () => Effect.succeed({ numbers: source.stream }) } },
    );
    const near = await openEffect({}, { onLeak, handlers: { count: () => far.a.call("count") } });
    const scope = Scope.makeUnsafe();
    const { numbers } = await Effect.runPromise(
      Scope.provide(near.a.call<{ numbers: Numbers }>("count"), scope),
    );
    await collectAll();
    expect(leaks).toEqual([]);
    expect(await Effect.runPromise(Stream.runCollect(Stream.take(numbers, 3)))).toEqual([0, 1, 2]);
    await until(() => source.left === 1);
    await closeScope(scope);
    await expectEmptyAndClose(near);
    await expectEmptyAndClose(far);
  });
});

describe("a responder that is dropped", () => {
  it("is answered for: -32603", async () => {
    const steps: string[] = [];
    const claim = {
      request: (_: unknown, responder: Responder, { defer }: { defer: unknown }) => {
        steps.push(`${responder.isSettled} ${typeof defer}`);
        return Handled.yes;
      },
    };
    const ends = await open({}, { chain: [claim] });
    const call = ends.a.call("anything").catch((error: unknown) => error);
    let answer: unknown;
    void call.then((error) => (answer = error));
    await until(() => steps.length === 1);
    await untilCollected(() => answer !== undefined);
    expect(answer).toMatchObject({ _tag: "RpcError", code: -32603, message: "the call was not answered" });
    await Plain.expectEmptyAndClose(ends);
  });

  it("is not answered for while somebody keeps it", async () => {
    const kept: Responder[] = [];
    const claim = { request: (_: unknown, responder: Responder) => (kept.push(responder), Handled.yes) };
    const ends = await open({}, { chain: [claim] });
    const call = ends.a.call("anything");
    await until(() => kept.length === 1);
    await collectAll();
    expect(ends.a.stats().calls).toBe(1);
    kept.pop()!.respond("kept");
    expect(await call).toBe("kept");
    await Plain.expectEmptyAndClose(ends);
  });
});
