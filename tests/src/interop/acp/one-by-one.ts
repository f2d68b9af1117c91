// The SDK keeps no order between messages that came in one chunk: what awaits an answer may run before the notifications
// that came ahead of it, a request's handler before those of notifications. The cases are about the order on the wire,
// so the SDK is given one message in each macrotask.
import { setImmediate } from "node:timers";
import type { AnyMessage, Stream } from "@agentclientprotocol/sdk";

/** The stream, whose messages are read one in each macrotask. */
export function oneByOne({ writable, readable }: Stream): Stream {
  const line = new TransformStream<AnyMessage, AnyMessage>({
    async transform(message, controller) {
      controller.enqueue(message);
      await new Promise<void>((resolve) => setImmediate(resolve));
    },
  });
  return { writable, readable: readable.pipeThrough(line) };
}
