// What was sent on event streams, kept so that a client that was cut off can go on where it stopped. Each event names
// the one before it in its stream: whoever replays sees for itself whether something is missing, so that a store may
// forget whatever it must, and a loss is refused and never passed over.
import { HTTP_LIMITS } from "./limits.ts";

/** One event of a stream, as it is kept. */
export interface KeptEvent {
  /** Its place among all events of the session; grows within a stream, with gaps. */
  readonly seq: number;
  /** The `seq` of the event before it in its stream; 0 for the first. */
  readonly previous: number;
  /** Absent: a JSON-RPC message. `end`: the server sends no more. */
  readonly type?: "end";
  readonly data: string;
}

/**
 * Keeps the events of many sessions. What throws or rejects ends the session it is about, with code `write`, or refuses
 * the replay.
 */
export interface EventStore {
  /**
   * Keeps an event. It is sent when this has returned or resolved. May be called again before it has resolved: the order
   * in a stream is that of `seq`.
   */
  append(session: string, stream: number, event: KeptEvent): void | Promise<void>;
  /** What is kept of a stream after `seq`, in order. What has been forgotten is left out. */
  after(session: string, stream: number, seq: number): readonly KeptEvent[] | Promise<readonly KeptEvent[]>;
  /** The session is over: nothing of it will be asked for again. */
  forget(session: string): void | Promise<void>;
}

/** How much is kept of one session. */
export interface EventStoreLimits {
  /** Events. Default 16384. */
  readonly events?: number;
  /** UTF-16 units of their data. Default 16 Mi. The last event is kept whatever its size. */
  readonly bytes?: number;
}

/** Keeps events in memory. At a limit the session's oldest are forgotten, whichever stream they belong to. */
export function memoryEventStore(limits: EventStoreLimits = {}): EventStore {
  const { events: mostEvents = HTTP_LIMITS.keptEvents, bytes: mostBytes = HTTP_LIMITS.keptBytes } = limits;
  const logs = new Map<string, Log>();
  return {
    append(session, stream, event) {
      let log = logs.get(session);
      if (log === undefined) logs.set(session, (log = { entries: [], head: 0, bytes: 0 }));
      log.entries.push({ stream, event });
      log.bytes += event.data.length;
      while (log.entries.length - log.head > mostEvents || log.bytes > mostBytes) {
        if (log.entries.length - log.head === 1) break;
        log.bytes -= log.entries[log.head]!.event.data.length;
        log.entries[log.head++] = NOTHING;
      }
      if (log.head > 256 && log.head * 2 > log.entries.length) {
        log.entries.splice(0, log.head);
        log.head = 0;
      }
    },
    after(session, stream, seq) {
      const log = logs.get(session);
      if (log === undefined) return [];
      const found: KeptEvent[] = [];
      for (let at = log.head; at < log.entries.length; at++) {
        const entry = log.entries[at]!;
        if (entry.stream === stream && entry.event.seq > seq) found.push(entry.event);
      }
      return found;
    },
    forget(session) {
      logs.delete(session);
    },
  };
}

interface Entry {
  readonly stream: number;
  readonly event: KeptEvent;
}

/** `entries[head]` is the oldest that is kept. */
interface Log {
  readonly entries: Entry[];
  head: number;
  bytes: number;
}

const NOTHING: Entry = { stream: -1, event: { seq: 0, previous: 0, data: "" } };
