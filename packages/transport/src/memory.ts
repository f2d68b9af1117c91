// Two ends in one process. Calls inside a process go through here, so a write only pushes references into the other
// end's inbox, and one microtask hands over all that came in the same turn: no copy, no promise, no object per chunk.
import { TransportError } from "./error.ts";
import type { Chunk, Transport, TransportEvents } from "./transport.ts";

/** How the two ends of a memory pair behave. */
export interface MemoryPairOptions {
  /** Default `bytes`. A pair of `bytes` takes `Uint8Array`s only; `messages` takes text, too. */
  readonly unit?: "bytes" | "messages";
  /** Bytes (for text: UTF-16 units) that may wait for one end before writes to it return false. Default 1 MiB. */
  readonly highWater?: number;
}

/**
 * Two transports joined to each other, labelled `memory`.
 *
 * Chunks are passed by reference and arrive whole, in a microtask after the write. A chunk waits while its receiver is
 * paused or not started. `write` returns false while more than `highWater` waits, and `onDrain` follows once half of
 * that is taken. A `write` of text to a pair of `bytes` throws a `TypeError`. An `abort` drops what waits at both ends;
 * the other end closes with code `aborted`. A callback that throws aborts its own end with the exception as cause.
 */
export function memoryPair(options: MemoryPairOptions = {}): [Transport, Transport] {
  const left = new MemoryEnd(options.unit ?? "bytes", options.highWater ?? 1024 * 1024);
  const right = new MemoryEnd(left.unit, left.highWater);
  left.join(right);
  right.join(left);
  return [left, right];
}

class MemoryEnd implements Transport {
  readonly label = "memory";
  readonly unit: "bytes" | "messages";
  readonly highWater: number;
  #peer: MemoryEnd = this;
  #events: TransportEvents | undefined;
  /** What the peer has sent and we have not taken: `#inbox[#head]` is next, `#tail` is behind the last, `#waiting` is their size. */
  #inbox: (Chunk | undefined)[] = [];
  #head = 0;
  #tail = 0;
  #waiting = 0;
  #sending: "open" | "full" | "ended" = "open";
  #receiving: "open" | "paused" | "ended" = "open";
  #life: "open" | "closing" | "closed" = "open";
  #error: TransportError | undefined;
  #scheduled = false;
  readonly #turn = (): void => this.#deliver();

  constructor(unit: "bytes" | "messages", highWater: number) {
    this.unit = unit;
    this.highWater = highWater;
  }

  join(peer: MemoryEnd): void {
    this.#peer = peer;
  }

  start(events: TransportEvents): void {
    this.#events = events;
    this.#schedule();
  }

  write(chunks: readonly Chunk[]): boolean {
    if (this.#sending === "ended" || this.#life !== "open") return false;
    const peer = this.#peer;
    for (const chunk of chunks) {
      if (this.unit === "bytes") {
        if (typeof chunk === "string")
          throw new TypeError("this transport carries bytes: encode text before writing it");
        if (chunk.length === 0) continue;
      }
      peer.#inbox[peer.#tail++] = chunk;
      peer.#waiting += chunk.length;
    }
    peer.#schedule();
    if (peer.#waiting <= this.highWater) return true;
    this.#sending = "full";
    return false;
  }

  pause(): void {
    if (this.#receiving === "open") this.#receiving = "paused";
  }

  resume(): void {
    if (this.#receiving !== "paused") return;
    this.#receiving = "open";
    this.#schedule();
  }

  close(): void {
    if (this.#sending === "ended") return;
    this.#sending = "ended";
    this.#peer.#schedule();
  }

  abort(error?: TransportError): void {
    if (this.#life !== "open") return;
    const reason = error === undefined ? "" : `: ${error.message}`;
    this.#over(error);
    this.#peer.#over(new TransportError("aborted", `the far end aborted${reason}`, { cause: error }));
  }

  #schedule(): void {
    if (this.#scheduled || this.#events === undefined) return;
    this.#scheduled = true;
    void SOON.then(this.#turn);
  }

  #deliver(): void {
    this.#scheduled = false;
    const events = this.#events;
    if (events === undefined) return;
    if (this.#life === "open") {
      try {
        this.#handOver(events);
      } catch (cause) {
        this.abort(new TransportError("aborted", "a callback of this transport threw", { cause }));
      }
    }
    if (this.#life === "closing") {
      this.#life = "closed";
      events.onClose(this.#error);
    }
  }

  #handOver(events: TransportEvents): void {
    const inbox = this.#inbox;
    while (this.#receiving === "open" && this.#head < this.#tail) {
      const chunk = inbox[this.#head] as Chunk;
      inbox[this.#head++] = undefined;
      this.#waiting -= chunk.length;
      events.onData(chunk);
    }
    // The array keeps its length: one that is emptied gives its memory back and takes it again.
    if (this.#head === this.#tail) this.#head = this.#tail = 0;
    else if (this.#head > 1024) {
      inbox.splice(0, this.#head);
      this.#tail -= this.#head;
      this.#head = 0;
    }

    const peer = this.#peer;
    if (this.#life !== "open") return; // a callback aborted
    if (peer.#sending === "full" && this.#waiting <= this.highWater / 2) peer.#drained();
    if (
      peer.#sending === "ended" &&
      this.#receiving === "open" &&
      this.#tail === 0 &&
      peer.#life === "open"
    ) {
      this.#receiving = "ended";
      events.onEnd();
      // Both directions have ended: over for both. Whoever hears the second end closes them.
      if (this.#life === "open" && peer.#receiving === "ended") {
        this.#over(undefined);
        peer.#over(undefined);
      }
    }
  }

  #drained(): void {
    this.#sending = "open";
    try {
      this.#events?.onDrain();
    } catch (cause) {
      this.abort(new TransportError("aborted", "a callback of this transport threw", { cause }));
    }
  }

  #over(error: TransportError | undefined): void {
    if (this.#life !== "open") return;
    this.#life = "closing";
    this.#error = error;
    this.#inbox.length = this.#head = this.#tail = this.#waiting = 0;
    this.#schedule();
  }
}

// A microtask. On Node this costs half of what queueMicrotask does.
const SOON: Promise<void> = Promise.resolve();
