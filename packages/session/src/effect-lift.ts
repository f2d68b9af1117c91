// Effect's `Stream` and `Sink` on their way out: each runs in a fiber of its own, which ends with its half.
import { RefusedError, type HostStream } from "@sluice/core";
import type { Half, ReceiveHalf, SendHalf, StreamError } from "@sluice/streams";
import * as Cause from "effect/Cause";
import * as Channel from "effect/Channel";
import type * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import type * as Fiber from "effect/Fiber";
import * as Sink from "effect/Sink";
import * as Stream from "effect/Stream";
import { handles, reset, runOf, write, type Batch } from "./effect-stream.ts";
import { ended } from "./fiber.ts";
import type { Lifetime } from "./lifetime.ts";
import { lift, type Lifter } from "./lift.ts";
import { SessionReadable } from "./readable.ts";
import { codeOf, textOf } from "./stream-code.ts";
import { SessionWritable } from "./writable.ts";

/** Where the fibers of streams run: with which services, and how long at most. */
export interface StreamHome<R> {
  readonly context: Context.Context<R>;
  readonly lifetime: () => Lifetime;
}

/** A lifter for `Stream` and `Sink`: each runs in a fiber of its own, with the session's services. */
export function lifterTo<R>(home: StreamHome<R>): Lifter {
  return (value, of = "items") => {
    const handle = handles.get(value);
    if (handle !== undefined) return passOn(value, handle.half);
    if (Stream.isStream(value)) {
      const stream = value as Stream.Stream<unknown, unknown, R>;
      return {
        of,
        by: "sender",
        attach: (half) => void (half.kind === "send" && send(stream, half, home)),
      };
    }
    if (Sink.isSink(value)) {
      const sink = value as Sink.Sink<unknown, unknown, unknown, unknown, R>;
      return {
        of,
        by: "receiver",
        attach: (half) => void (half.kind === "receive" && receive(half, sink, home)),
      };
    }
    return undefined;
  };
}

// As the plain door does it: no fiber, and reasons keep their codes both ways.
function passOn(handle: object, half: Half): HostStream {
  if (half.taken) throw new RefusedError("S2", "a stream that is in use cannot be sent");
  const asPlain = (): HostStream | undefined => {
    const plain = half.kind === "send" ? new SessionWritable(half, {}) : new SessionReadable(half, {});
    handles.set(plain, handles.get(handle)!); // which keeps the way in use
    return lift(plain, undefined);
  };
  return {
    of: half.of,
    by: half.kind === "send" ? "receiver" : "sender",
    attach: (other) => {
      // Its life is passed on, too: it no longer hangs on the scope of its call.
      takeOver(half)?.();
      asPlain()?.attach(other);
    },
    discard: (reason) => asPlain()?.discard?.(reason),
  };
}

function send<R>(stream: Stream.Stream<unknown, unknown, R>, half: SendHalf, home: StreamHome<R>): void {
  if (half.isOver) return;
  half.taken = true;
  const onReleased = takeOver(half);
  const run = Stream.runForEachArray(stream, (chunks) => write(half, chunks));
  const fiber = fork(run, home, () => undefined);
  fiber.addObserver((exit) => {
    if (Exit.isFailure(exit)) reset(half, exit.cause);
    if (half.isOver) return onReleased?.();
    half.onReleased = onReleased;
    half.end();
  });
  if (half.isOver) return fiber.interruptUnsafe();
  half.onOver = (error): void => {
    if (error !== undefined) fiber.interruptUnsafe();
  };
}

function receive<R>(
  half: ReceiveHalf,
  sink: Sink.Sink<unknown, unknown, unknown, unknown, R>,
  home: StreamHome<R>,
): void {
  const onReleased = takeOver(half);
  let interrupt = nothing;
  const stream = Stream.fromChannel(
    Channel.fromTransform<Batch<unknown>, StreamError, void, unknown, unknown, unknown, never, never, never>(
      (_upstream, scope) => Effect.suspend(() => runOf<unknown>(half, scope, nothing, () => interrupt())),
    ),
  );
  const fiber = fork(Stream.run(stream, sink), home, () => half.error);
  interrupt = (): void => fiber.interruptUnsafe();
  fiber.addObserver((exit) => {
    if (Exit.isFailure(exit)) {
      const error = Cause.squash(exit.cause);
      half.stop(codeOf(error), textOf(error));
    }
    onReleased?.();
  });
}

// What hangs on the half: for whoever keeps it until a fiber has ended, or passes the half on.
function takeOver(half: Half): (() => void) | undefined {
  const { onReleased } = half;
  half.onReleased = undefined;
  return onReleased;
}

// A session that ends waits for it; where it has failed by then, without its leave.
function fork<E, R>(
  effect: Effect.Effect<unknown, E, R>,
  { context, lifetime }: StreamHome<R>,
  failed: () => Error | undefined,
): Fiber.Fiber<unknown, E> {
  const fiber = Effect.runForkWith(context)(effect);
  if (fiber.pollUnsafe() !== undefined) return fiber;
  const life = lifetime().fork("a stream");
  life.onClose = (): Promise<void> | undefined => {
    if (failed() !== undefined) fiber.interruptUnsafe();
    return ended(fiber);
  };
  fiber.addObserver(() => void life.close());
  return fiber;
}

function nothing(): void {}
