// ARCHITECTURE §4: session closes, transport lost; scopes and finalizers. From the Effect door.
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Scope from "effect/Scope";
import * as Stream from "effect/Stream";
import { describe, expect, it } from "vitest";
import {
  closeScope,
  EndlessStream,
  expectEmptyAndClose,
  openEffect,
  type EffectEnds,
} from "./lifetimes.effect-testing.ts";
import { isEmpty, quiet, turn, until } from "./lifetimes.testing.ts";
import { StreamError } from "./index.ts";
import type { PlainSession } from "./session.ts";

type Numbers = Stream.Stream<number, StreamError>;

const outcome = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isFailure(exit) ? "failed" : "succeeded";

const note = (steps: string[], step: string): Effect.Effect<void> => Effect.sync(() => void steps.push(step));

const ENDINGS: Record<string, (ends: EffectEnds) => { readonly a: object; readonly b: object }> = {
  "its scope closes": ({ scope }) => {
    void closeScope(scope.a);
    return {
      a: { code: "closed", by: "us", message: "its scope closed" },
      b: { code: "closed", by: "peer", message: "the peer closed the session: its scope closed" },
    };
  },
  "its peer's scope closes": ({ scope }) => {
    void closeScope(scope.b);
    return {
      a: { code: "closed", by: "peer", message: "the peer closed the session: its scope closed" },
      b: { code: "closed", by: "us", message: "its scope closed" },
    };
  },
  "its transport is lost": ({ wire }) => {
    wire.a.abort();
    return { a: { code: "lost", by: "transport" }, b: { code: "lost", by: "transport" } };
  },
};

describe.each(Object.entries(ENDINGS))("when %s", (_, end) => {
  it("every call and stream fails with one reason, handlers are interrupted, and nothing is held", async () => {
    const interrupted: string[] = [];
    const handlers = {
      forever: () => Effect.ensuring(Effect.never, note(interrupted, "handler")),
      count: () =>
        Effect.gen(function* () {
          yield* Effect.addFinalizer(() => note(interrupted, "scope of a stream's handler"));
          return { numbers: Stream.ensuring(new EndlessStream().stream, note(interrupted, "stream")) };
        }),
    };
    const ends = await openEffect({ handlers }, { handlers });
    const failures: unknown[] = [];
    const run = (effect: Effect.Effect<unknown, unknown, Scope.Scope>): void =>
      void Effect.runCallback(Effect.scoped(effect), {
        onExit: (exit) => void failures.push(Exit.isFailure(exit) ? Cause.squash(exit.cause) : exit.value),
      });
    for (const session of [ends.a, ends.b]) {
      run(session.call("forever"));
      run(
        Effect.flatMap(session.call<{ numbers: Numbers }>("count"), ({ numbers }) =>
          Stream.runForEach(numbers, () => Effect.promise(turn)),
        ),
      );
    }
    await quiet();
    for (const session of [ends.a, ends.b])
      expect(session.stats()).toMatchObject({ calls: 1, handlers: 1, streams: 2 });
    const expected = end(ends);
    await until(() => failures.length === 4 && interrupted.length === 6);
    const [a, b] = await Effect.runPromise(Effect.all([ends.a.closed, ends.b.closed]));
    expect([a, b]).toMatchObject([expected.a, expected.b]);
    const reasons = failures.map((error) => (error instanceof StreamError ? error.cause : error));
    expect([a, b].map((reason) => reasons.filter((one) => one === reason).length)).toEqual([2, 2]);
    await expectEmptyAndClose(ends);
  });
});

describe("closing a session's scope", () => {
  it("waits for its handlers: each has stopped before its finalizers run, and those before the session's", async () => {
    const steps: string[] = [];
    const slowly = (step: string): Effect.Effect<void> =>
      Effect.andThen(Effect.promise(turn), note(steps, step));
    const ends = await openEffect(
      {},
      {
        handlers: {
          slow: () =>
            Effect.gen(function* () {
              yield* Effect.addFinalizer(() => slowly("first finalizer"));
              yield* Effect.addFinalizer((exit) => slowly(`second finalizer: ${outcome(exit)}`));
              return yield* Effect.ensuring(Effect.never, slowly("the handler"));
            }),
        },
      },
    );
    ends.b.plain.defer(() => void steps.push("the session"));
    const call = Effect.runPromiseExit(Effect.scoped(ends.a.call("slow")));
    await until(() => ends.b.stats().handlers === 1);
    await closeScope(ends.scope.b);
    expect(steps).toEqual(["the handler", "second finalizer: failed", "first finalizer", "the session"]);
    expect(Exit.isFailure(await call)).toBe(true);
    await expectEmptyAndClose(ends);
  });

  it("waits for the streams it sends", async () => {
    const steps: string[] = [];
    const slow = Stream.ensuring(
      Stream.concat(Stream.make(1), Stream.never),
      Effect.andThen(Effect.promise(turn), note(steps, "stream")),
    );
    const ends = await openEffect(
      {},
      {
        handlers: {
          count: () =>
            Effect.as(
              Effect.addFinalizer(() => note(steps, "its handler's scope")),
              { numbers: slow },
            ),
        },
      },
    );
    const scope = Scope.makeUnsafe();
    await Effect.runPromise(Scope.provide(ends.a.call("count"), scope));
    await closeScope(ends.scope.b);
    expect(steps.toSorted()).toEqual(["its handler's scope", "stream"]);
    await closeScope(scope);
    await expectEmptyAndClose(ends);
  });

  it("gives up at its one deadline", async () => {
    const ends = await openEffect(
      {},
      { limits: { close: 5 }, handlers: { stuck: () => Effect.uninterruptible(Effect.never) } },
    );
    void Effect.runPromiseExit(Effect.scoped(ends.a.call("stuck")));
    await until(() => ends.b.stats().handlers === 1);
    await closeScope(ends.scope.b);
    expect(ends.b.plain.error).toMatchObject({ message: "its scope closed" });
    await expectEmptyAndClose(ends);
  });

  it("from inside a handler interrupts that handler", async () => {
    const steps: string[] = [];
    const ends = await openEffect(
      {},
      {
        handlers: {
          close: (_: unknown, { session }) =>
            Effect.promise(() => session.close("by the handler")).pipe(
              Effect.onExit((exit) => note(steps, outcome(exit))),
            ),
          closeAndStay: (_: unknown, { session }) => {
            void session.close("by the handler");
            return Effect.onExit(Effect.never, (exit) => note(steps, outcome(exit)));
          },
        },
      },
    );
    const exit = await Effect.runPromiseExit(Effect.scoped(ends.a.call("close")));
    expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ _tag: "SessionError" });
    await until(() => steps.length === 1);
    expect(steps).toEqual(["failed"]);
    await expectEmptyAndClose(ends);
  });

  it("while its greeting is waited for ends that", async () => {
    const { memoryPair } = await import("@sluice/transport");
    const { connect } = await import("./effect.ts");
    const [left, right] = memoryPair();
    const ended: string[] = [];
    right.start({
      onData: () => {},
      onDrain: () => {},
      onEnd: () => right.close(),
      onClose: () => ended.push("closed"),
    });
    const exit = Effect.exit(Effect.scoped(Effect.timeout(connect(left), 1)));
    expect(Exit.isFailure(await Effect.runPromise(exit))).toBe(true);
    await until(() => ended.length === 1);
  });
});

describe("a handler that ends its own session before it waits", () => {
  it("is interrupted", async () => {
    const steps: string[] = [];
    const ends = await openEffect(
      {},
      {
        handlers: {
          leave: (_: unknown, { session }) => {
            void session.close("by the handler");
            return Effect.onExit(Effect.never, (exit) => note(steps, outcome(exit)));
          },
        },
        notifications: {
          leave: (_: unknown, { session }) => {
            void session.close("by the handler");
            return Effect.onExit(Effect.never, (exit) => note(steps, outcome(exit)));
          },
        },
      },
    );
    await Effect.runPromise(ends.a.notify("leave"));
    await until(() => steps.length === 1);
    expect(steps).toEqual(["failed"]);
    await expectEmptyAndClose(ends);
  });
});

describe("a thousand", () => {
  /** Finalizers that a scope holds. */
  const held = ({ state }: Scope.Closeable): number =>
    "finalizers" in state ? (state.finalizers?.size ?? 1) : 0;

  it("scoped calls with streams, one after the other, leave nothing in the session's scope", async () => {
    const ends = await openEffect(
      {},
      {
        handlers: {
          twice: ({ numbers }: { numbers: Numbers }) =>
            Effect.as(
              Effect.addFinalizer(() => Effect.void),
              { doubled: Stream.map(numbers, (n) => 2 * n) },
            ),
        },
        notifications: { note: () => Effect.promise(turn) },
      },
    );
    const { a, b, scope } = ends;
    const before = [held(scope.a), held(scope.b)];
    const one = Effect.gen(function* () {
      const { doubled } = yield* a.call<{ doubled: Numbers }>("twice", { numbers: Stream.make(1, 2, 3) });
      return yield* Stream.runCollect(doubled);
    });
    for (let n = 0; n < 500; n++) await Effect.runPromise(Effect.scoped(one));
    // The scope of the session itself as the scope of the call.
    for (let n = 0; n < 500; n++) {
      await Effect.runPromise(Scope.provide(one, scope.a));
      await Effect.runPromise(a.notify("note"));
    }
    await until(() => isEmpty(a) && isEmpty(b));
    expect([held(scope.a), held(scope.b)]).toEqual(before);
    const lifetimes = [a, b].map(({ plain }) => (plain as PlainSession).lifetime.children);
    expect(lifetimes).toEqual([0, 0]);
    await expectEmptyAndClose(ends);
  });
});
