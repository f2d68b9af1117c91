import { createParser, type EventSourceMessage } from "eventsource-parser";
import { EventMeter } from "./event-meter.ts";
import { McpError } from "./mcp-error.ts";

/** What reading a body tells besides its events. */
export interface EventHints {
  /** The id to go on from, before the event that has it is given. */
  onId(id: string): void;
  /** How long to wait before going on, in ms. */
  onRetry(ms: number): void;
}

/**
 * The events of a body, as they come; one that is cut off in its middle is none. Ends with the body, and with the
 * signal; throws as the body's reads do, and an `McpError` of kind `overflow` where an event has more than `most` bytes,
 * behind those that came before it. Leaving the loop cancels the body.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  most: number,
  signal: AbortSignal,
  hints: EventHints,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  let events: EventSourceMessage[] = [];
  const parser = createParser({
    onEvent: (event) => void events.push(event),
    onId: (id) => hints.onId(id),
    onRetry: (ms) => hints.onRetry(ms),
  });
  const meter = new EventMeter(most);
  const decoder = new TextDecoder();
  const reader = body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => {}); // whoever reads has left
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return;
      parser.feed(decoder.decode(value.subarray(0, meter.take(value)), { stream: true }));
      const ready = events;
      events = [];
      yield* ready;
      if (meter.state === "beyond")
        throw new McpError("overflow", `an event has at most ${most} bytes here (limits.message)`);
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}
