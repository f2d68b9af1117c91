// ARCHITECTURE §4: reader leaves early. Every way out of a `Stream` from the Effect door.
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Fiber from "effect/Fiber";
import * as Scope from "effect/Scope";
import * as Sink from "effect/Sink";
import * as Stream from "effect/Stream";
import { describe, expect, it } from "vitest";
import { closeScope, EndlessStream, expectEmptyAndClose, openEffect } from "./lifetimes.effect-testing.ts";
import { until, quiet } from "./lifetimes.testing.ts";
import { StreamError } from "./index.ts";

type Numbers = Stream.Stream<number, StreamError>;

/** Leaves a stream. `scope` is the one its call was made in. */
type Leave = (numbers: Numbers, scope: Scope.Closeable) => Effect.Effect<unknown, unknown>;

const read = (numbers: Numbers): Effect.Effect<unknown, StreamError> => Stream.runDrain(numbers);
const stuck = (numbers: Numbers): Effect.Effect<unknown, StreamError> =>
  Stream.runForEach(numbers, () => Effect.never);

const WAYS: Record<string, Leave> = {
  "Stream.take": (numbers) => Stream.runCollect(Stream.take(numbers, 3)),
  "Stream.runHead": (numbers) => Stream.runHead(numbers),
  "a sink that has enough": (numbers) => Stream.run(numbers, Sink.take(3)),
  "a consumer that fails": (numbers) => Effect.exit(Stream.runForEach(numbers, () => Effect.fail("enough"))),
  "a consumer that dies": (numbers) =>
    Effect.exit(
      Stream.runForEach(numbers, () => {
        throw new Error("bug");
      }),
    ),
  "its scope, never having been run": (_, scope) => Effect.promise(() => closeScope(scope)),
  "its scope, in the middle of a run": (numbers, scope) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkDetach(Effect.exit(stuck(numbers)));
      yield* Effect.yieldNow;
      yield* Scope.close(scope, Exit.void);
      yield* Fiber.interrupt(fiber);
    }),
  "an interrupted fiber, working": (numbers) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkDetach(stuck(numbers));
      yield* Effect.yieldNow;
      yield* Fiber.interrupt(fiber);
    }),
  "Effect.timeout": (numbers) => Effect.exit(Effect.timeout(stuck(numbers), 1)),
  "a race lost": (numbers) => Effect.race(stuck(numbers), Effect.promise(quiet)),
  "a failing sibling": (numbers) =>
    Effect.exit(Effect.all([stuck(numbers), Effect.fail("sibling")], { concurrency: 2 })),
  "Stream.toAsyncIterable and break": (numbers) =>
    Effect.promise(async () => {
      for await (const _ of Stream.toAsyncIterable(numbers)) break;
    }),
  "Stream.toReadableStream and cancel": (numbers) =>
    Effect.promise(async () => {
      const reader = Stream.toReadableStream(numbers).getReader();
      await reader.read();
      await reader.cancel();
    }),
};

describe.each(Object.entries(WAYS))("a reader that leaves by %s", (_, leave) => {
  it("has nothing here at once, and the peer hears one stop", async () => {
    const source = new EndlessStream();
    const ends = await openEffect(
      {},
      { handlers: { count: () => Effect.succeed({ numbers: source.stream }) } },
    );
    const { a, b, heard, wire } = ends;
    const scope = Scope.makeUnsafe();
    const { numbers } = await Effect.runPromise(Scope.provide(a.call<{ numbers: Numbers }>("count"), scope));
    await until(() => a.stats().unread > 0);
    expect(a.stats()).toMatchObject({ streams: 1, stopping: 0 });

    wire.b.pause();
    // Before whatever comes next in the fiber.
    const after = await Effect.runPromise(Effect.map(leave(numbers, scope), () => a.stats()));
    expect(after).toMatchObject({ streams: 0, stopping: 1, unread: 0, granted: 0 });
    expect(b.stats()).toMatchObject({ streams: 1 });

    wire.b.resume();
    await until(() => source.left > 0);
    expect(b.stats()).toMatchObject({ streams: 0, queued: 0, credit: 0 });
    await until(() => a.stats().stopping === 0);
    expect([source.left, heard.b.of("stop"), heard.a.of("reset"), heard.a.of("end")]).toEqual([1, 1, 1, 0]);
    expect(a.stats().faults + b.stats().faults).toBe(0);
    await closeScope(scope);
    await expectEmptyAndClose(ends);
  });
});

describe("a reader that leaves", () => {
  it("while it waits, by interruption, has let go when the interruption returns", async () => {
    const ends = await openEffect(
      {},
      { handlers: { wait: () => Effect.succeed({ numbers: Stream.never }) } },
    );
    const { a, heard } = ends;
    const scope = Scope.makeUnsafe();
    const { numbers } = await Effect.runPromise(Scope.provide(a.call<{ numbers: Numbers }>("wait"), scope));
    const fiber = Effect.runFork(read(numbers));
    await until(() => ends.b.stats().streams === 1);
    fiber.interruptUnsafe();
    expect(a.stats()).toMatchObject({ streams: 0, stopping: 1 });
    await until(() => heard.b.of("stop") === 1);
    await closeScope(scope);
    await expectEmptyAndClose(ends);
  });

  it("keeps the application's code", async () => {
    const ends = await openEffect(
      {},
      { handlers: { count: () => Effect.succeed({ numbers: new EndlessStream().stream }) } },
    );
    const fail = Effect.gen(function* () {
      const { numbers } = yield* ends.a.call<{ numbers: Numbers }>("count");
      yield* Stream.runForEach(numbers, () => Effect.fail(new StreamError(4711, "us", "seen it")));
    });
    const exit = await Effect.runPromiseExit(Effect.scoped(fail));
    expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ code: 4711 });
    await until(() => ends.heard.b.of("stop") === 1);
    expect(ends.heard.b.frames).toContainEqual(
      expect.objectContaining({ type: "stop", code: 4711, message: "seen it" }),
    );
    await expectEmptyAndClose(ends);
  });

  it("cannot run its stream again", async () => {
    const ends = await openEffect(
      {},
      { handlers: { some: () => Effect.succeed({ numbers: Stream.make(1, 2) }) } },
    );
    const twice = Effect.gen(function* () {
      const { numbers } = yield* ends.a.call<{ numbers: Numbers }>("some");
      expect(yield* Stream.runCollect(numbers)).toEqual([1, 2]);
      yield* Stream.runCollect(numbers);
    });
    await expect(Effect.runPromise(Effect.scoped(twice))).rejects.toMatchObject({
      message: "this stream is in use",
    });
    await expectEmptyAndClose(ends);
  });

  it("in a handler does the same to what the caller sends", async () => {
    const source = new EndlessStream();
    const ends = await openEffect(
      {},
      {
        handlers: {
          peek: ({ numbers }: { numbers: Numbers }) => Stream.runCollect(Stream.take(numbers, 2)),
        },
      },
    );
    const call = Effect.scoped(ends.a.call("peek", { numbers: source.stream }));
    expect(await Effect.runPromise(call)).toEqual([0, 1]);
    await until(() => source.left === 1);
    expect(ends.heard.a.of("stop")).toBe(1);
    await expectEmptyAndClose(ends);
  });
});
