// Server-sent events, as the HTML standard's section 9.2 spells them. Whatever the data holds, each of its lines gets a
// prefix of its own, so nothing in a message can end its event or begin a field.

/** One event. Without `type` it is a message. */
export interface SseEvent {
  /** What a client that was cut off names to go on after this event. */
  readonly id?: string;
  readonly type?: string;
  /** Any text. Its line ends, of whatever kind, arrive as `\n`. */
  readonly data: string;
}

/** A comment: proxies and timers see that the stream lives, clients ignore it. */
export const KEEP_ALIVE = ": still here\n\n";

/** Tells a client that is cut off to come back after so many ms. */
export function encodeRetry(ms: number): string {
  return `retry: ${Math.max(0, Math.ceil(ms))}\n\n`;
}

/** @throws TypeError where an id or a type holds what would end its line. */
export function encodeEvent(event: SseEvent): string {
  const id = event.id === undefined ? "" : field("id", event.id);
  const type = event.type === undefined ? "" : field("event", event.type);
  const { data } = event;
  // JSON has no line ends inside its strings, so that what comes from a session has one line.
  const lines = /[\r\n]/.test(data) ? data.split(/\r\n|\r|\n/).join("\ndata: ") : data;
  return `${id}${type}data: ${lines}\n\n`;
}

function field(name: string, value: string): string {
  // NUL, as an id that holds one is ignored (HTML 9.2.6).
  if (/[\r\n\0]/.test(value)) throw new TypeError(`an event's ${name} must not hold line ends or NUL`);
  return `${name}: ${value}\n`;
}
