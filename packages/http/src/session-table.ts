import { TransportError } from "@sluice/transport";
import type { HttpLimits } from "./limits.ts";
import type { ServerSession } from "./server-session.ts";

interface Entry {
  /** undefined while the request that opens it is looked at. */
  session: ServerSession | undefined;
  readonly client: string | undefined;
  /** When a request or response of it was last seen under way. */
  seen: number;
}

/**
 * The sessions of a handler by their ids, which are 128 random bits: whoever knows one speaks for its client, and nobody
 * guesses one. A session without anything under way for `idle` is ended; one look at all of them each quarter of
 * that finds it, so it may live that much longer.
 */
export class SessionTable {
  readonly #limits: HttpLimits;
  readonly #entries = new Map<string, Entry>();
  readonly #byClient = new Map<string, number>();
  #look: ReturnType<typeof setInterval> | undefined;

  constructor(limits: HttpLimits) {
    this.#limits = limits;
  }

  /** Sessions, without those that are being opened. */
  get size(): number {
    let size = 0;
    for (const { session } of this.#entries.values()) if (session !== undefined) size++;
    return size;
  }

  /** Which limit stands in the way of one more session of this client; undefined where none does. */
  full(client: string | undefined): "sessions" | "sessionsPerClient" | undefined {
    if (this.#entries.size >= this.#limits.sessions) return "sessions";
    const own = client === undefined ? 0 : (this.#byClient.get(client) ?? 0);
    return own >= this.#limits.sessionsPerClient ? "sessionsPerClient" : undefined;
  }

  /** A place for a session, which counts from now on, and its id. */
  reserve(client: string | undefined): string {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#entries.set(id, { session: undefined, client, seen: Date.now() });
    if (client !== undefined) this.#byClient.set(client, (this.#byClient.get(client) ?? 0) + 1);
    this.#look ??= setInterval(() => this.#expire(), this.#limits.idle / 4);
    return id;
  }

  /** Takes the place; nothing where it was removed meanwhile. */
  add(id: string, session: ServerSession): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.session = session;
  }

  /** The session a request names, and from now on not idle. */
  get(id: string): ServerSession | undefined {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.seen = Date.now();
    return entry?.session;
  }

  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    if (entry.client !== undefined) {
      const left = (this.#byClient.get(entry.client) ?? 1) - 1;
      if (left > 0) this.#byClient.set(entry.client, left);
      else this.#byClient.delete(entry.client);
    }
    if (this.#entries.size > 0) return;
    clearInterval(this.#look);
    this.#look = undefined;
  }

  /** Ends all of them. */
  abort(error: TransportError): void {
    for (const { session } of this.#entries.values()) session?.abort(error);
  }

  #expire(): void {
    const now = Date.now();
    for (const entry of this.#entries.values()) {
      if (entry.session === undefined || entry.session.open > 0) entry.seen = now;
      else if (now - entry.seen >= this.#limits.idle)
        entry.session.abort(
          new TransportError("timeout", `the session had no request for ${this.#limits.idle} ms`),
        );
    }
  }
}
