// Which objects are streams on their way out, and how each gets its half.
import { RefusedError, type HostStream } from "@sluice/core";
import { StreamOf } from "./kinds.ts";
import { discard, pumpIn, pumpOut, sourceOfIterable, sourceOfReadable, type Source } from "./pump.ts";
import { SessionReadable } from "./readable.ts";
import { SessionWritable } from "./writable.ts";

/** Lifts what another door calls a stream. */
export type Lifter = (value: object, of: "bytes" | "items" | undefined) => HostStream | undefined;

/** Asked for every object in params and results, so plain ones leave by the first line. */
export function lift(value: object, more: Lifter | undefined): HostStream | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype === Object.prototype || prototype === Array.prototype) && !(Symbol.asyncIterator in value))
    return undefined;
  if (value instanceof StreamOf) {
    const stream = liftAs(value.stream, value.of, more);
    if (stream !== undefined) return stream;
    throw new RefusedError("S1", "bytes() and items() take a readable, a writable or an async iterable");
  }
  return liftAs(value, undefined, more);
}

function liftAs(
  value: object,
  of: "bytes" | "items" | undefined,
  more: Lifter | undefined,
): HostStream | undefined {
  if (value instanceof ReadableStream) {
    checkFree(value);
    const kind = of ?? (value instanceof SessionReadable ? value.of : "bytes");
    return sending(kind, () => sourceOfReadable(value));
  }
  if (value instanceof WritableStream) {
    checkFree(value);
    const kind = of ?? (value instanceof SessionWritable ? value.of : "bytes");
    return {
      of: kind,
      by: "receiver",
      attach: (half) => void (half.kind === "receive" && pumpIn(half, value)),
      discard: (reason) => void value.abort(reason).catch(() => {}),
    };
  }
  const lifted = more?.(value, of);
  if (lifted !== undefined) return lifted;
  if (value instanceof Blob) return sending(of ?? "bytes", () => sourceOfReadable(value.stream()));
  if (Symbol.asyncIterator in value) {
    const iterable = value as AsyncIterable<unknown>;
    return sending(of ?? "items", () => sourceOfIterable(iterable));
  }
  return undefined;
}

function sending(of: "bytes" | "items", open: () => Source): HostStream {
  return {
    of,
    by: "sender",
    attach: (half) => void (half.kind === "send" && pumpOut(open, half)),
    discard: (reason) => discard(open, reason),
  };
}

function checkFree(stream: ReadableStream | WritableStream): void {
  if (stream.locked)
    throw new RefusedError("S2", "a stream that is locked cannot be sent: somebody else uses it");
}
