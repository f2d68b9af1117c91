// A result that will not be sent, because it cannot be or because its call has been answered: its streams were given away
// with it and have no other owner.
import type { Host, HostStream } from "./host.ts";
import { mentionStreams } from "./mention-out.ts";

/** Lets go of the streams in a value. */
export function discard(host: Host, value: unknown, reason: Error): void {
  const found = new Map<object, HostStream>();
  const lift = (object: object): HostStream | undefined => {
    const stream = host.lift(object);
    if (stream !== undefined) found.set(object, stream);
    return stream;
  };
  try {
    mentionStreams(value, lift, () => 0);
  } catch {
    // A circle, a getter that throws, a stream somebody else uses: what was found before it is let go of.
  }
  for (const stream of found.values()) stream.discard?.(reason);
}
