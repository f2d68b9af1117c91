// ARCHITECTURE §4: caller aborts before the answer, and how a handler settles. From the Effect door.
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Fiber from "effect/Fiber";
import * as Scope from "effect/Scope";
import * as Sink from "effect/Sink";
import * as Stream from "effect/Stream";
import { describe, expect, it } from "vitest";
import { closeScope, EndlessStream, expectEmptyAndClose, openEffect } from "./lifetimes.effect-testing.ts";
import { CANCEL, Endless, endlessBytes, expectEmpty, quiet, turn, until } from "./lifetimes.testing.ts";
import { RpcError, type StreamError } from "./index.ts";

type Call = Effect.Effect<unknown, unknown, Scope.Scope>;

const inScope = (call: Call): Effect.Effect<unknown> => Effect.exit(Effect.scoped(call));

const WAYS: Record<string, (call: Call) => Effect.Effect<unknown>> = {
  "an interrupted fiber": (call) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkDetach(inScope(call));
      yield* Effect.promise(quiet);
      yield* Fiber.interrupt(fiber);
    }),
  "Effect.timeout": (call) => inScope(Effect.timeout(call, 5)),
  "the session's own timeout": (call) => inScope(call),
  "a race lost": (call) => inScope(Effect.race(call, Effect.promise(quiet))),
  "a failing sibling": (call) =>
    inScope(Effect.all([call, Effect.andThen(Effect.promise(quiet), Effect.fail("x"))], { concurrency: 2 })),
  "a scope that a child of it is forked in": (call) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make();
      yield* Effect.forkIn(Scope.provide(call, scope), scope, { startImmediately: true });
      yield* Effect.promise(quiet);
      yield* Scope.close(scope, Exit.void);
    }),
};

describe.each(Object.entries(WAYS))("a caller that gives up by %s", (way, giveUp) => {
  it("waits for nothing any more, its streams are let go of, and the peer hears one cancel", async () => {
    const bytes = endlessBytes();
    const numbers = new EndlessStream();
    const drained: unknown[] = [];
    const into = Sink.forEach(() => Effect.never).pipe(
      Sink.ensuring(Effect.sync(() => void drained.push("into"))),
    );
    let interrupted = 0;
    const ends = await openEffect(
      {},
      {
        handlers: {
          forever: ({ into: sink }: { into: Sink.Sink<void, number> }) =>
            Stream.run(Stream.concat(Stream.make(1), Stream.never), sink).pipe(
              Effect.ensuring(Effect.sync(() => void interrupted++)),
            ),
        },
      },
    );
    const { a, b, heard } = ends;
    const params = { bytes: bytes.stream, numbers: numbers.stream, into };
    const options = way === "the session's own timeout" ? { timeout: 5 } : {};
    const call = a.call("forever", params, options);
    // C5: the peer's own deadline passes, too, and its answer might be here first.
    ends.wire.a.pause();
    const after = await Effect.runPromise(Effect.map(giveUp(call), () => a.stats()));
    ends.wire.a.resume();
    expect(after).toMatchObject({ calls: 0, streams: 0, queued: 0, credit: 0 });
    await until(() => bytes.reasons.length + numbers.left + drained.length === 3);
    await until(() => b.stats().handlers === 0);
    await expectEmpty(ends);
    expect([heard.b.of(CANCEL), heard.a.of("error"), interrupted]).toEqual([1, 1, 1]);
    expect(a.stats().faults + b.stats().faults).toBe(0);
    await expectEmptyAndClose(ends);
  });
});

describe("a handler that settles", () => {
  it("without touching a stream it was given has it stopped", async () => {
    const bytes = endlessBytes();
    const numbers = new EndlessStream();
    const ends = await openEffect({}, { handlers: { ignore: () => Effect.succeed("done") } });
    const call = ends.a.call("ignore", { bytes: bytes.stream, numbers: numbers.stream, into: Sink.drain });
    expect(await Effect.runPromise(Effect.scoped(call))).toBe("done");
    await until(() => bytes.reasons.length + numbers.left === 2);
    expect([ends.heard.a.of("stop"), ends.heard.a.of("reset")]).toEqual([2, 1]);
    await expectEmptyAndClose(ends);
  });

  it("with a stream that reads the request's, later, keeps it until that is over", async () => {
    const ends = await openEffect(
      {},
      {
        handlers: {
          after: ({ numbers }: { numbers: Stream.Stream<number, StreamError> }) =>
            Effect.succeed({
              all: Stream.concat(Stream.fromEffect(Effect.as(Effect.promise(turn), 0)), numbers),
            }),
        },
      },
    );
    const program = Effect.gen(function* () {
      const { all } = yield* ends.a.call<{ all: Stream.Stream<number, StreamError> }>("after", {
        numbers: Stream.make(1, 2),
      });
      return yield* Stream.runCollect(all);
    });
    expect(await Effect.runPromise(Effect.scoped(program))).toEqual([0, 1, 2]);
    await expectEmptyAndClose(ends);
  });

  it("with a failure, a defect or an interruption of its own is answered with an error", async () => {
    const told: unknown[] = [];
    const ends = await openEffect(
      {},
      {
        onHandlerError: (error) => void told.push(error),
        handlers: {
          rpc: () => Effect.fail(new RpcError(4000, "no", { why: 1 })),
          fail: () => Effect.fail("secret"),
          die: () => Effect.die("secret"),
          thrown: () => {
            throw new Error("secret");
          },
          interrupt: () => Effect.interrupt,
        },
      },
    );
    const code = async (method: string): Promise<unknown> => {
      const numbers = new EndlessStream();
      const call = Effect.scoped(ends.a.call(method, { numbers: numbers.stream }));
      const exit = await Effect.runPromiseExit(call);
      await until(() => numbers.left === 1);
      return Exit.isFailure(exit) ? (Cause.squash(exit.cause) as RpcError).code : undefined;
    };
    expect(await code("rpc")).toBe(4000);
    for (const method of ["fail", "die", "thrown"]) expect(await code(method)).toBe(-32603);
    expect(await code("interrupt")).toBe(-32800);
    expect(told).toHaveLength(3);
    expect(JSON.stringify(ends.heard.a.frames)).not.toContain("secret");
    await expectEmptyAndClose(ends);
  });

  it("with a result that cannot be sent has the streams in it let go of", async () => {
    const source = new Endless();
    const ends = await openEffect(
      {},
      { handlers: { big: () => Effect.succeed({ numbers: source, big: 1n }) } },
    );
    const exit = await Effect.runPromiseExit(Effect.scoped(ends.a.call("big")));
    expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ code: -32603 });
    await until(() => source.left === 1);
    await expectEmptyAndClose(ends);
  });

  it("with nothing has answered null", async () => {
    const ends = await openEffect({}, { handlers: { nothing: () => Effect.void } });
    expect(await Effect.runPromise(Effect.scoped(ends.a.call("nothing")))).toBe(null);
    await expectEmptyAndClose(ends);
  });
});

describe("streams of a result", () => {
  it("are attached in the tick the answer arrives, and stopped there where their scope is closed by then", async () => {
    const source = new EndlessStream();
    const ends = await openEffect(
      {},
      { handlers: { count: () => Effect.succeed({ numbers: source.stream }) } },
    );
    const { a, heard, wire } = ends;
    const scope = Scope.makeUnsafe();
    wire.a.pause();
    const called = Effect.runPromise(Scope.provide(a.call("count"), scope));
    await until(() => source.left === 0 && ends.b.stats().streams === 1);
    await closeScope(scope); // the fiber goes on: it is nobody's child
    wire.a.resume();
    await called;
    expect(a.stats()).toMatchObject({ calls: 0, streams: 0 });
    await until(() => source.left === 1);
    expect(heard.b.of("stop")).toBe(1);
    await expectEmptyAndClose(ends);
  });

  it("of a call that was interrupted before its answer came are stopped where they come from", async () => {
    const source = new EndlessStream();
    const ends = await openEffect(
      {},
      { handlers: { count: () => Effect.succeed({ numbers: source.stream }) } },
    );
    const { a, heard, wire } = ends;
    const scope = Scope.makeUnsafe();
    wire.a.pause();
    const fiber = Effect.runFork(Scope.provide(a.call("count"), scope));
    await until(() => ends.b.stats().streams === 1);
    fiber.interruptUnsafe();
    expect(a.stats()).toMatchObject({ calls: 0, streams: 0 });
    wire.a.resume();
    await until(() => source.left === 1);
    expect([heard.b.of(CANCEL), heard.b.of("stop"), a.stats().faults]).toEqual([1, 1, 0]);
    await closeScope(scope);
    await expectEmptyAndClose(ends);
  });

  it("hang on the scope of their call alone, and go one by one before it", async () => {
    const ends = await openEffect(
      {},
      { handlers: { some: () => Effect.succeed({ one: Stream.make(1), two: new EndlessStream().stream }) } },
    );
    const { a } = ends;
    const scope = Scope.makeUnsafe();
    type Some = Record<"one" | "two", Stream.Stream<number, StreamError>>;
    const { one, two } = await Effect.runPromise(Scope.provide(a.call<Some>("some"), scope));
    expect(await Effect.runPromise(Stream.runCollect(one))).toEqual([1]);
    expect(a.stats().streams).toBe(1);
    expect(await Effect.runPromise(Stream.runCollect(Stream.take(two, 1)))).toEqual([0]);
    expect(a.stats().streams).toBe(0);
    await closeScope(scope);
    await expectEmptyAndClose(ends);
  });
});
