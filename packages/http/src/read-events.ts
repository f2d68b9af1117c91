import { TransportError } from "@sluice/transport";
import { createParser, type EventSourceMessage } from "eventsource-parser";

/** What reading a body tells besides its events. */
export interface EventHints {
  /** The id to go on from, before the event that has it is given. */
  onId(id: string): void;
  /** How long to wait before going on. */
  onRetry(ms: number): void;
}

/**
 * The events of a body, as they come; an event that is cut off in its middle is none. Ends with the body, throws as its
 * reads do, and throws a `TransportError` of code `protocol` where an event is above `most` UTF-16 units. Leaving the
 * loop, and the signal, cancel the body.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  most: number,
  signal: AbortSignal,
  hints: EventHints,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  let events: EventSourceMessage[] = [];
  let size: "within" | "beyond" = "within";
  const parser = createParser({
    // What is not complete: the fields beside the data count, too.
    maxBufferSize: most + 1024,
    onEvent(event) {
      if (event.data.length > most) size = "beyond";
      else if (size === "within") events.push(event);
    },
    onId: (id) => hints.onId(id),
    onRetry: (ms) => hints.onRetry(ms),
    onError: (error) => void (error.type === "max-buffer-size-exceeded" && (size = "beyond")),
  });
  const tooLarge = (): boolean => size === "beyond";
  const decoder = new TextDecoder();
  const reader = body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      const ready = events;
      events = [];
      yield* ready;
      if (tooLarge())
        throw new TransportError("protocol", `an event has at most ${most} bytes here (limits.message)`);
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}
