import type { Deadlines } from "./http-deadlines.ts";

/** The body of a response that has none. */
export function emptyBody(deadlines: Deadlines): ReadableStream<Uint8Array> {
  deadlines.arrived();
  deadlines.end();
  return new ReadableStream({ start: (controller) => controller.close() });
}

/**
 * A body that ends as `deadlines` say. Cut short by its reader or a deadline, `body` is cancelled at once, and whoever
 * sends it is told. `translate` makes its errors into ours.
 */
export function guardedBody(
  body: ReadableStream<Uint8Array>,
  deadlines: Deadlines,
  translate: (error: unknown) => unknown = (error) => error,
  onOver: () => void = () => {},
): ReadableStream<Uint8Array> {
  deadlines.arrived();
  const reader = body.getReader();
  const { signal } = deadlines;
  let onAbort: () => void;
  let state: "open" | "over" = "open";
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        onAbort = (): void => {
          reader.cancel(signal.reason).catch(() => {}); // whoever reads is told by the next line
          controller.error(signal.reason);
          over();
        };
        if (signal.aborted) onAbort();
        else signal.addEventListener("abort", onAbort, { once: true });
      },
      async pull(controller) {
        deadlines.waiting();
        try {
          const { done, value } = await reader.read();
          deadlines.heard();
          if (state === "over") return;
          if (!done) return controller.enqueue(value);
          over();
          controller.close();
        } catch (error) {
          over();
          controller.error(deadlines.why(translate(error), "failed to read http/request response body"));
        }
      },
      cancel(reason) {
        over();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );

  function over(): void {
    signal.removeEventListener("abort", onAbort);
    deadlines.end();
    if (state === "over") return;
    state = "over";
    onOver();
  }
}
