// Halves as Effect's `Stream` and `Sink`. A stream emits arrays and grants when it is pulled; a wake-up is a
// signal that carries nothing, so a pull that is interrupted and pulled again loses nothing.
import * as Cause from "effect/Cause";
import * as Channel from "effect/Channel";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Pull from "effect/Pull";
import * as Scope from "effect/Scope";
import * as Sink from "effect/Sink";
import * as Stream from "effect/Stream";
import { CancelledError } from "@sluice/core";
import { StreamCode, StreamError, type Half, type ReceiveHalf, type SendHalf } from "@sluice/streams";
import { encodeChunk } from "./chunks.ts";
import { watch, type LeakOptions } from "./leaks.ts";
import { codeOf, textOf } from "./stream-code.ts";

export type Batch<A> = readonly [A, ...A[]];
/** Chunks handed on at once: a per-chunk turn of a fiber costs ten times as much. */
const BATCH = 64;

/** What stands for a handle: every stream made from one keeps it, and so does a run. It is watched for leaks. */
interface Way {
  locked: boolean;
}

/** Handles of the Effect door, so that one can be passed on as it is (L7). Keeps the way for as long as the handle. */
export const handles: WeakMap<object, { readonly half: Half; readonly way: object }> = new WeakMap();

/** What the peer writes. Can be run once; leaving it early tells the peer to stop. */
export function streamOf<A>(half: ReceiveHalf, leaks: LeakOptions): Stream.Stream<A, StreamError> {
  const way = wayTo(half, leaks);
  const stream = Stream.fromChannel(
    Channel.fromTransform<Batch<A>, StreamError, void, unknown, unknown, unknown, StreamError, never, never>(
      (_upstream, scope) =>
        Effect.suspend(() => {
          if (half.taken) return Effect.fail(inUse());
          way.locked = true;
          return runOf<A>(half, scope, () => {
            way.locked = false;
          });
        }),
    ),
  );
  handles.set(stream, { half, way });
  return stream;
}

function wayTo(half: Half, leaks: LeakOptions): Way {
  const way = { locked: false };
  watch(way, half, leaks);
  return way;
}

/** The pull of a half's one run. `onFailed` is called when the half is over with an error while nobody pulls. */
export function runOf<A>(
  half: ReceiveHalf,
  scope: Scope.Scope,
  onStop: () => void,
  onFailed?: () => void,
): Effect.Effect<Pull.Pull<Batch<A>, StreamError>> {
  half.taken = true;
  const stop = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
    Effect.sync(() => {
      onStop();
      const why = Exit.isSuccess(exit) ? undefined : Cause.squash(exit.cause);
      if (why instanceof StreamError) half.stop(codeOf(why), textOf(why));
      else half.stop(StreamCode.cancelled, Exit.isSuccess(exit) ? "enough" : "cancelled");
    });
  return Effect.as(Scope.addFinalizerExit(scope, stop), pullOf<A>(half, onFailed));
}

function pullOf<A>(half: ReceiveHalf, onFailed: (() => void) | undefined): Pull.Pull<Batch<A>, StreamError> {
  const working =
    onFailed === undefined
      ? undefined
      : (): void => {
          if (half.isOver && half.error !== undefined) onFailed();
        };
  const step: Pull.Pull<Batch<A>, StreamError> = Effect.suspend(() => {
    const batch = take<A>(half);
    if (batch !== undefined) {
      half.onReadable = working;
      return Effect.succeed(batch);
    }
    if (!half.isOver) return park;
    return half.error === undefined ? Cause.done() : Effect.fail(half.error);
  });
  const park: Pull.Pull<Batch<A>, StreamError> = Effect.callback((resume) => {
    half.onReadable = (): void => {
      half.onReadable = undefined;
      resume(step);
    };
    if (half.hasData || half.isOver) half.onReadable();
  });
  return step;
}

function take<A>(half: ReceiveHalf): Batch<A> | undefined {
  const first = half.read() as A | undefined;
  if (first === undefined) return undefined;
  const batch: [A, ...A[]] = [first];
  while (batch.length < BATCH && half.hasData) {
    const next = half.read() as A | undefined;
    if (next === undefined) break;
    batch.push(next);
  }
  return batch;
}

/**
 * What the peer reads. The stream ends when what is run into it ends, and the run is done once the end is on its way; it is
 * reset when that fails. Can be run once.
 */
export function sinkOf<A>(half: SendHalf, leaks: LeakOptions): Sink.Sink<void, A, never, StreamError> {
  const way = wayTo(half, leaks);
  const sink = Sink.fromTransform<A, void, StreamError, never>((upstream, scope) =>
    Effect.suspend(() => {
      if (half.taken) return Effect.fail(inUse());
      half.taken = way.locked = true;
      const close = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
        Effect.sync(() => {
          way.locked = false;
          if (Exit.isFailure(exit)) reset(half, exit.cause);
        });
      const loop = Effect.forever(Effect.flatMap(upstream, (chunks) => write(half, chunks)));
      const done = Pull.catchDone(loop, () => Effect.as(end(half), [undefined] as const));
      return Effect.andThen(Scope.addFinalizerExit(scope, close), done);
    }),
  );
  handles.set(sink, { half, way });
  return sink;
}

function inUse(): StreamError {
  return new StreamError(StreamCode.internal, "us", "this stream is in use");
}

/** Gives a stream up for the reason an effect failed. */
export function reset(half: SendHalf, cause: Cause.Cause<unknown>): void {
  const error = Cause.hasInterruptsOnly(cause) ? new CancelledError() : Cause.squash(cause);
  half.reset(codeOf(error), textOf(error), "us", { cause: error });
}

export function write(half: SendHalf, chunks: readonly unknown[]): Effect.Effect<void, StreamError> {
  return Effect.suspend(() => {
    try {
      for (const chunk of chunks) {
        if (half.error !== undefined) return Effect.fail(half.error);
        half.write(encodeChunk(half.of, chunk));
      }
    } catch (error) {
      return Effect.fail(error as StreamError);
    }
    return half.hasRoom || half.isOver ? Effect.void : parkWriter(half);
  });
}

/** Ends it, and waits until the end is on its way: a scope that is closed before that gives the stream up. */
function end(half: SendHalf): Effect.Effect<void, StreamError> {
  return Effect.callback((resume) => {
    const over = (error: StreamError | undefined): void =>
      resume(error === undefined ? Effect.void : Effect.fail(error));
    if (half.isOver) return over(half.error);
    half.onOver = over;
    half.end();
    return undefined;
  });
}

function parkWriter(half: SendHalf): Effect.Effect<void, StreamError> {
  return Effect.callback((resume) => {
    half.onRoom = (): void => {
      half.onRoom = undefined;
      resume(half.error === undefined ? Effect.void : Effect.fail(half.error));
    };
  });
}

/** Hangs a half on a scope: closing the scope lets go of it. A scope that is closed lets go of it here and now. */
export function hang(half: Half, scope: Scope.Scope): void {
  // A child scope, because a finalizer cannot be taken out of a scope again: the child goes when the half does.
  const child = Scope.forkUnsafe(scope);
  let released = false;
  const letGo = Effect.sync(() => {
    // What is left of a session that has ended can still be read.
    if (released) return;
    if (half.kind === "send") half.reset(StreamCode.cancelled, "its scope closed");
    else half.stop(StreamCode.cancelled, "its scope closed");
  });
  half.onReleased = (): void => {
    released = true;
    closeNow(child);
  };
  Effect.runSync(Scope.addFinalizer(child, letGo));
}

function closeNow(scope: Scope.Closeable): void {
  const finalizers = Scope.closeUnsafe(scope, Exit.void);
  if (finalizers !== undefined) Effect.runSync(finalizers);
}
