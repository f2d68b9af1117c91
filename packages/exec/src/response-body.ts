import { SessionReadable } from "@sluice/session";
import type { Deadlines } from "./http-deadlines.ts";

/** Where a body comes from: one piece at a time, each when it is asked for. */
export interface BodySource {
  /** Asked again only once it has settled; may stay unsettled after `cancel`. */
  next(): Promise<{ readonly done?: boolean; readonly value?: Uint8Array | undefined }>;
  /** Nobody wants more of it. */
  cancel(reason?: unknown): unknown;
}

export function sourceOf(body: ReadableStream<Uint8Array>): BodySource {
  // Straight from the stream's half, without the machinery of a web stream; and it can be left while it waits.
  if (body instanceof SessionReadable) {
    const chunks = body[Symbol.asyncIterator]();
    return { next: () => chunks.next(), cancel: () => chunks.return?.() };
  }
  const reader = body.getReader();
  return { next: () => reader.read(), cancel: (reason) => reader.cancel(reason) };
}

/** The body of a response that has none. */
export function emptyBody(deadlines: Deadlines): ReadableStream<Uint8Array> {
  deadlines.arrived();
  deadlines.end();
  return new ReadableStream({ start: (controller) => controller.close() });
}

/**
 * A body that ends as `deadlines` say. Cut short by its reader or a deadline, `source` is cancelled at once, and whoever
 * sends it is told. `translate` makes its errors into ours.
 */
export function guardedBody(
  source: BodySource,
  deadlines: Deadlines,
  translate: (error: unknown) => unknown = (error) => error,
  onOver: () => void = () => {},
): ReadableStream<Uint8Array> {
  deadlines.arrived();
  const { signal } = deadlines;
  let onAbort: () => void;
  let state: "open" | "over" = "open";
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        onAbort = (): void => {
          letGo(signal.reason);
          controller.error(signal.reason);
          over();
        };
        if (signal.aborted) onAbort();
        else signal.addEventListener("abort", onAbort, { once: true });
      },
      async pull(controller) {
        deadlines.waiting();
        try {
          const { value } = await source.next();
          deadlines.heard();
          if (state === "over") return;
          if (value !== undefined) return controller.enqueue(value);
          over();
          controller.close();
        } catch (error) {
          over();
          controller.error(deadlines.why(translate(error), "failed to read http/request response body"));
        }
      },
      cancel(reason) {
        over();
        letGo(reason);
      },
    },
    { highWaterMark: 0 },
  );

  // Whoever reads is told otherwise, or has left.
  function letGo(reason: unknown): void {
    Promise.resolve(source.cancel(reason)).catch(() => {});
  }

  function over(): void {
    signal.removeEventListener("abort", onAbort);
    deadlines.end();
    if (state === "over") return;
    state = "over";
    onOver();
  }
}
