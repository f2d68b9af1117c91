// Halves as Effect's `Stream` and `Sink`, and back. A stream emits arrays and grants when it is pulled; a wake-up is a
// signal that carries nothing, so a pull that is interrupted and pulled again loses nothing.
import * as Cause from "effect/Cause";
import * as Channel from "effect/Channel";
import type * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Pull from "effect/Pull";
import * as Scope from "effect/Scope";
import * as Sink from "effect/Sink";
import * as Stream from "effect/Stream";
import type { HostStream } from "@sluice/core";
import { StreamCode, StreamError, type Half, type ReceiveHalf, type SendHalf } from "@sluice/streams";
import { encodeChunk } from "./chunks.ts";
import { codeOf, textOf } from "./stream-code.ts";

type Batch<A> = readonly [A, ...A[]];
/** Chunks handed on at once: a per-chunk turn of a fiber costs ten times as much. */
const BATCH = 64;

/** What the peer writes. Can be run once; leaving it early tells the peer to stop. */
export function streamOf<A>(half: ReceiveHalf): Stream.Stream<A, StreamError> {
  return Stream.fromChannel(
    Channel.fromTransform<Batch<A>, StreamError, void, unknown, unknown, unknown, StreamError, never, never>(
      (_upstream, scope) =>
        Effect.suspend(() => {
          if (half.taken)
            return Effect.fail(new StreamError(StreamCode.internal, "us", "this stream is in use"));
          half.taken = true;
          const stop = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
            Effect.sync(() => half.stop(StreamCode.cancelled, Exit.isSuccess(exit) ? "enough" : "cancelled"));
          return Effect.as(Scope.addFinalizerExit(scope, stop), pullOf<A>(half));
        }),
    ),
  );
}

function pullOf<A>(half: ReceiveHalf): Pull.Pull<Batch<A>, StreamError> {
  const step: Pull.Pull<Batch<A>, StreamError> = Effect.suspend(() => {
    const batch = take<A>(half);
    if (batch !== undefined) return Effect.succeed(batch);
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

/** What the peer reads. The stream ends when what is run into it ends, and is reset when that fails. */
export function sinkOf<A>(half: SendHalf): Sink.Sink<void, A, never, StreamError> {
  return Sink.fromTransform<A, void, StreamError, never>((upstream, scope) =>
    Effect.suspend(() => {
      half.taken = true;
      const close = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
        Effect.sync(() =>
          Exit.isSuccess(exit)
            ? half.end()
            : half.reset(StreamCode.cancelled, "what was written to it failed"),
        );
      const loop = Effect.forever(Effect.flatMap(upstream, (chunks) => write(half, chunks)));
      const done = Pull.catchDone(loop, () => Effect.succeed([undefined] as const));
      return Effect.andThen(Scope.addFinalizerExit(scope, close), done);
    }),
  );
}

function write(half: SendHalf, chunks: readonly unknown[]): Effect.Effect<void, StreamError> {
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

function parkWriter(half: SendHalf): Effect.Effect<void, StreamError> {
  return Effect.callback((resume) => {
    half.onRoom = (): void => {
      half.onRoom = undefined;
      resume(half.error === undefined ? Effect.void : Effect.fail(half.error));
    };
  });
}

/** A lifter for `Stream` and `Sink`: each runs in a fiber of its own, with the session's services. */
export function lifterWith<R>(
  context: Context.Context<R>,
): (value: object, of: "bytes" | "items" | undefined) => HostStream | undefined {
  return (value, of = "items") => {
    if (Stream.isStream(value)) {
      const stream = value as Stream.Stream<unknown, unknown, R>;
      return {
        of,
        by: "sender",
        attach: (half) => void (half.kind === "send" && send(stream, half, context)),
      };
    }
    if (Sink.isSink(value)) {
      const sink = value as Sink.Sink<unknown, unknown, unknown, unknown, R>;
      return {
        of,
        by: "receiver",
        attach: (half) => void (half.kind === "receive" && receive(half, sink, context)),
      };
    }
    return undefined;
  };
}

function send<R>(
  stream: Stream.Stream<unknown, unknown, R>,
  half: SendHalf,
  context: Context.Context<R>,
): void {
  half.taken = true;
  const run = Stream.runForEachArray(stream, (chunks) => write(half, chunks));
  const interrupt = Effect.runCallbackWith(context)(run, {
    onExit: (exit) => {
      if (Exit.isSuccess(exit)) half.end();
      else {
        const error = Cause.squash(exit.cause);
        half.reset(codeOf(error), textOf(error), "us", { cause: error });
      }
    },
  });
  if (half.isOver) return;
  half.onOver = (error): void => {
    if (error !== undefined) interrupt();
  };
}

function receive<R>(
  half: ReceiveHalf,
  sink: Sink.Sink<unknown, unknown, unknown, unknown, R>,
  context: Context.Context<R>,
): void {
  Effect.runCallbackWith(context)(Stream.run(streamOf<unknown>(half), sink), {
    onExit: (exit) => {
      if (Exit.isSuccess(exit)) return;
      const error = Cause.squash(exit.cause);
      half.stop(codeOf(error), textOf(error));
    },
  });
}

/** Hangs a half on a scope: closing the scope lets go of it. A scope that is closed lets go of it here and now. */
export function hang(half: Half, scope: Scope.Scope): void {
  // A child scope, because a finalizer cannot be taken out of a scope again: the child goes when the half does.
  const child = Scope.forkUnsafe(scope);
  const letGo = Effect.sync(() => {
    if (half.kind === "send") half.reset(StreamCode.cancelled, "its scope closed");
    else half.stop(StreamCode.cancelled, "its scope closed");
  });
  half.onReleased = (): void => closeNow(child);
  Effect.runSync(Scope.addFinalizer(child, letGo));
}

function closeNow(scope: Scope.Closeable): void {
  const finalizers = Scope.closeUnsafe(scope, Exit.void);
  if (finalizers !== undefined) Effect.runSync(finalizers);
}
