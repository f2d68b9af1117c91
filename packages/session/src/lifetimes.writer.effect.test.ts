// ARCHITECTURE §4: writer gives up; writer ends and reader drains. From the Effect door.
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Fiber from "effect/Fiber";
import * as Scope from "effect/Scope";
import type * as Sink from "effect/Sink";
import * as Stream from "effect/Stream";
import { describe, expect, it } from "vitest";
import { closeScope, expectEmptyAndClose, openEffect } from "./lifetimes.effect-testing.ts";
import { Drain, until } from "./lifetimes.testing.ts";
import { bytes } from "./effect.ts";
import { StreamError } from "./index.ts";

type Into = Sink.Sink<void, Uint8Array, never, StreamError>;

const chunks = Stream.make(new Uint8Array(10), new Uint8Array(10));
const endless = Stream.concat(chunks, Stream.never);

type GiveUp = (into: Into, scope: Scope.Closeable) => Effect.Effect<unknown, unknown>;

const WAYS: Record<string, GiveUp> = {
  "a stream that fails": (into) =>
    Effect.exit(Stream.run(Stream.concat(chunks, Stream.fail("broken")), into)),
  "a stream that dies": (into) => Effect.exit(Stream.run(Stream.concat(chunks, Stream.die("bug")), into)),
  "an interrupted fiber": (into) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkDetach(Stream.run(endless, into));
      yield* Effect.yieldNow;
      yield* Fiber.interrupt(fiber);
    }),
  "Effect.timeout": (into) => Effect.exit(Effect.timeout(Stream.run(endless, into), 1)),
  "its scope, never having been run": (_, scope) => Effect.promise(() => closeScope(scope)),
  "its scope, in the middle of a run": (into, scope) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkDetach(Effect.exit(Stream.run(endless, into)));
      yield* Effect.yieldNow;
      yield* Scope.close(scope, Exit.void);
      yield* Fiber.interrupt(fiber);
    }),
  "a chunk it cannot carry": (into) =>
    Effect.exit(Stream.run(Stream.make("text") as unknown as typeof chunks, into)),
};

describe.each(Object.entries(WAYS))("a writer that gives up by %s", (_, giveUp) => {
  it("has nothing here at once, and the peer hears one reset", async () => {
    const drain = new Drain();
    const ends = await openEffect({}, { handlers: { upload: () => Effect.succeed({ into: drain.stream }) } });
    const { a, b, heard, wire } = ends;
    const scope = Scope.makeUnsafe();
    const { into } = await Effect.runPromise(Scope.provide(a.call<{ into: Into }>("upload"), scope));
    expect(a.stats()).toMatchObject({ streams: 1 });

    wire.b.pause();
    const after = await Effect.runPromise(Effect.map(giveUp(into, scope), () => a.stats()));
    expect(after).toMatchObject({ streams: 0, stopping: 0, queued: 0, credit: 0 });
    expect(b.stats()).toMatchObject({ streams: 1 });

    wire.b.resume();
    await until(() => drain.aborted.length > 0);
    expect([heard.b.of("reset"), heard.b.of("end"), drain.closed]).toEqual([1, 0, 0]);
    expect(a.stats().faults + b.stats().faults).toBe(0);
    await closeScope(scope);
    await expectEmptyAndClose(ends);
  });
});

describe("a stream in params that", () => {
  const upload = (
    source: Stream.Stream<Uint8Array, unknown>,
  ): Promise<{ got: Exit.Exit<number, StreamError>; resets: number }> =>
    (async () => {
      let got: Exit.Exit<number, StreamError> | undefined;
      const ends = await openEffect(
        {},
        {
          handlers: {
            upload: ({ body }: { body: Stream.Stream<Uint8Array, StreamError> }) =>
              Effect.map(
                Effect.exit(
                  Stream.runFold(
                    body,
                    () => 0,
                    (n, chunk) => n + chunk.length,
                  ),
                ),
                (exit) => {
                  got = exit;
                },
              ),
          },
        },
      );
      await Effect.runPromise(Effect.scoped(ends.a.call("upload", { body: bytes(source) })));
      await expectEmptyAndClose(ends);
      return { got: got!, resets: ends.heard.b.of("reset") };
    })();

  it("ends is gone on both ends", async () => {
    const { got, resets } = await upload(Stream.make(new Uint8Array(5), new Uint8Array(7)));
    expect([got, resets]).toEqual([Exit.succeed(12), 0]);
  });

  it("fails resets, and keeps a code of the application's", async () => {
    const { got, resets } = await upload(
      Stream.concat(chunks, Stream.fail(new StreamError(2000, "us", "no more"))),
    );
    expect(got).toMatchObject({
      _tag: "Failure",
      cause: { reasons: [{ error: { code: 2000, message: "no more" } }] },
    });
    expect(resets).toBe(1);
  });

  it("dies resets without a word of why", async () => {
    const { got, resets } = await upload(Stream.concat(chunks, Stream.die("the password is 1234")));
    expect(got).toMatchObject({ cause: { reasons: [{ error: { code: 4, message: "failed" } }] } });
    expect(resets).toBe(1);
  });
});

describe("a sink of the peer's", () => {
  it("ends when what is run into it ends", async () => {
    const drain = new Drain();
    const ends = await openEffect({}, { handlers: { upload: () => Effect.succeed({ into: drain.stream }) } });
    const program = Effect.gen(function* () {
      const { into } = yield* ends.a.call<{ into: Into }>("upload");
      yield* Stream.run(chunks, into);
      const again = yield* Effect.exit(Stream.run(chunks, into));
      expect(Exit.isFailure(again)).toBe(true);
    });
    await Effect.runPromise(Effect.scoped(program));
    await until(() => drain.closed === 1);
    expect([ends.heard.b.of("reset"), drain.aborted.length]).toEqual([0, 0]);
    await expectEmptyAndClose(ends);
  });

  it("tells who runs into it why its reader left", async () => {
    const into = new WritableStream({
      write: () => {
        throw new StreamError(3000, "us", "disk full");
      },
    });
    const ends = await openEffect({}, { handlers: { upload: () => Effect.succeed({ into }) } });
    const program = Effect.gen(function* () {
      const result = yield* ends.a.call<{ into: Into }>("upload");
      return yield* Effect.flip(Stream.run(Stream.forever(chunks), result.into));
    });
    expect(await Effect.runPromise(Effect.scoped(program))).toMatchObject({
      code: 3000,
      message: "disk full",
    });
    await expectEmptyAndClose(ends);
  });
});
