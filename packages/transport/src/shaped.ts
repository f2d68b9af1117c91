// A bad link for tests: it delays, cuts bytes up, is narrow, stands still, breaks. Both directions of the transport it
// is put around go through a lane each. With a clock and a seed of the test's own, a run can be repeated exactly.
import { TransportError } from "./error.ts";
import { Lane, type Shape } from "./lane.ts";
import { memoryPair, type MemoryPairOptions } from "./memory.ts";
import type { Chunk, Transport, TransportEvents } from "./transport.ts";

/** Bytes in one lane at which the sender is told to stop. */
const FULL = 64 * 1024;

/** The same transport behind a bad link. A break closes both ends, this one with code `read`. */
export function shaped(transport: Transport, shape: Shape): Transport {
  return new ShapedTransport(transport, shape);
}

/** A memory pair with a bad link between its ends. */
export function shapedPair(shape: Shape, options?: MemoryPairOptions): [Transport, Transport] {
  const [left, right] = memoryPair(options);
  return [shaped(left, shape), right];
}

class ShapedTransport implements Transport {
  readonly unit: "bytes" | "messages";
  readonly label: string;
  readonly #inner: Transport;
  readonly #out: Lane;
  readonly #in: Lane;
  #left: number;
  #events: TransportEvents | undefined;
  #why: Parameters<Transport["close"]> = [];
  #sending: "open" | "full" | "ended" | "passed" = "open";
  #receiving: "open" | "full" | "ended" | "passed" = "open";
  #life: "open" | "closing" | "over" = "open";
  #error: TransportError | undefined;

  constructor(inner: Transport, shape: Shape) {
    this.#inner = inner;
    this.unit = inner.unit;
    this.label = inner.label;
    this.#left = shape.cutAfter ?? Infinity;
    this.#out = new Lane(
      shape,
      0,
      inner.unit,
      (chunk) => this.#carry(chunk, (part) => inner.write([part])),
      () => this.#sent(),
    );
    this.#in = new Lane(
      shape,
      1,
      inner.unit,
      (chunk) => this.#carry(chunk, (part) => this.#give(part)),
      () => this.#received(),
    );
  }

  start(events: TransportEvents): void {
    this.#events = events;
    this.#inner.start({
      onData: (chunk) => {
        this.#in.push(chunk);
        if (this.#in.waiting > FULL && this.#receiving === "open") {
          this.#receiving = "full";
          this.#inner.pause();
        }
      },
      onDrain: () => this.#out.release(),
      onEnd: () => {
        this.#receiving = "ended";
        this.#received();
      },
      onClose: (error) => {
        if (this.#life !== "open") return;
        this.#life = "closing";
        this.#error = error;
        this.#received();
      },
    });
  }

  write(chunks: readonly Chunk[]): boolean {
    if (this.#life !== "open" || this.#sending === "ended" || this.#sending === "passed") return false;
    for (const chunk of chunks) {
      if (this.unit === "bytes" && typeof chunk === "string") {
        throw new TypeError("this transport carries bytes: encode text before writing it");
      }
    }
    for (const chunk of chunks) this.#out.push(chunk);
    if (this.#out.waiting > FULL) this.#sending = "full";
    return this.#sending === "open";
  }

  pause(): void {
    this.#in.hold();
  }

  resume(): void {
    this.#in.release();
    this.#received();
  }

  close(...why: Parameters<Transport["close"]>): void {
    if (this.#sending === "ended" || this.#sending === "passed") return;
    this.#sending = "ended";
    this.#why = why;
    this.#sent();
  }

  abort(error?: TransportError): void {
    if (this.#life === "over") return;
    this.#over(error);
    this.#inner.abort(error);
  }

  /** Hands a chunk on as far as the link reaches. */
  #carry(chunk: Chunk, to: (chunk: Chunk) => boolean): boolean {
    if (chunk.length <= this.#left) {
      this.#left -= chunk.length;
      return to(chunk);
    }
    // A message arrives whole or not at all.
    if (this.unit === "bytes" && this.#left > 0) to((chunk as Uint8Array).slice(0, this.#left));
    this.abort(new TransportError("read", `the link to ${this.label} broke`));
    return false;
  }

  #give(chunk: Chunk): boolean {
    this.#tell((events) => events.onData(chunk));
    return true;
  }

  #sent(): void {
    if (this.#sending === "ended" && this.#out.empty && this.#life === "open") {
      this.#sending = "passed";
      this.#inner.close(...this.#why);
    }
    if (this.#sending === "full" && this.#out.waiting <= FULL / 2) {
      this.#sending = "open";
      this.#tell((events) => events.onDrain());
    }
  }

  #received(): void {
    if (this.#receiving === "full" && this.#in.waiting <= FULL / 2) {
      this.#receiving = "open";
      this.#inner.resume();
    }
    if (!this.#in.empty || this.#in.holding || this.#life === "over") return;
    if (this.#receiving === "ended") {
      this.#receiving = "passed";
      this.#tell((events) => events.onEnd());
    }
    if (this.#life === "closing") this.#over(this.#error);
  }

  #tell(what: (events: TransportEvents) => void): void {
    if (this.#life === "over" || this.#events === undefined) return;
    try {
      what(this.#events);
    } catch (cause) {
      this.abort(new TransportError("aborted", "a callback of this transport threw", { cause }));
    }
  }

  #over(error: TransportError | undefined): void {
    this.#life = "over";
    this.#in.kill();
    this.#out.kill();
    queueMicrotask(() => this.#events?.onClose(error));
  }
}
