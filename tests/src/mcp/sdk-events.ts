import type { EventStore } from "@modelcontextprotocol/server";

/** An event store for the SDK's server that counts: what it was given comes back once, and in order. */
export function countingStore(): EventStore {
  type Message = Parameters<EventStore["storeEvent"]>[1];
  const streams = new Map<string, { readonly id: string; readonly message: Message }[]>();
  const streamOf = (id: string): string => id.slice(0, id.lastIndexOf("/"));
  return {
    async storeEvent(stream, message) {
      const log = streams.get(stream) ?? [];
      streams.set(stream, log);
      const id = `${stream}/${log.length}`;
      log.push({ id, message });
      return id;
    },
    async getStreamIdForEventId(id) {
      return streams.has(streamOf(id)) ? streamOf(id) : undefined;
    },
    async replayEventsAfter(last, { send }) {
      const stream = streamOf(last);
      const log = streams.get(stream) ?? [];
      for (const { id, message } of log.slice(log.findIndex((one) => one.id === last) + 1)) {
        // What primes a client is stored as an event, too, and is no message.
        if (Object.keys(message).length > 0) await send(id, message);
      }
      return stream;
    },
  };
}
