import { TransportError, type Chunk, type TransportEvents } from "@sluice/transport";

/** Who is told what became of what was delivered. */
export interface DeliveryOwner {
  /** The user has been told of the end of the far end's direction. */
  onEndTold(): void;
  /** A callback of the user threw. */
  onThrow(error: TransportError): void;
}

/**
 * What a transport tells its user: nothing before `start`, no data while paused, the end after all data, `onClose` last
 * and once. Whoever reads waits for `ready` before it reads on: so no more is held here than one read has brought.
 */
export class Delivery {
  readonly #owner: DeliveryOwner;
  readonly #label: string;
  #events: TransportEvents | undefined;
  #state: "waiting" | "flowing" | "paused" | "over" = "waiting";
  /** A user who pauses and resumes within a callback gets the next one after it. */
  #turn: "idle" | "passing" = "idle";
  #held: Chunk[] = [];
  #end: "none" | "held" | "told" = "none";
  /** What `onClose` says, where it is over before the start. */
  #close: { readonly error: TransportError | undefined } | undefined;
  #wake: () => void = () => {};

  constructor(label: string, owner: DeliveryOwner) {
    this.#label = label;
    this.#owner = owner;
  }

  /** All that came was delivered, and its end. */
  get complete(): boolean {
    return this.#end === "told";
  }

  get over(): boolean {
    return this.#state === "over";
  }

  start(events: TransportEvents): void {
    this.#events = events;
    if (this.#state === "waiting") this.#state = "flowing";
    // Not in our caller's turn: it may not be ready for events yet.
    queueMicrotask(() => {
      if (this.#close !== undefined) events.onClose(this.#close.error);
      else this.#passOn();
    });
  }

  pause(): void {
    if (this.#state !== "over") this.#state = "paused";
  }

  resume(): void {
    if (this.#events === undefined || this.#state !== "paused") return;
    this.#state = "flowing";
    this.#passOn();
  }

  /** Data; held while the user does not want it. */
  push(chunk: Chunk): void {
    if (this.#state === "over") return;
    this.#held.push(chunk);
    this.#passOn();
  }

  /** The far end sends no more. */
  end(): void {
    if (this.#end !== "none") return;
    this.#end = "held";
    this.#passOn();
  }

  drain(): void {
    this.#tell((events) => events.onDrain());
  }

  /** Over: drops what is held. */
  close(error?: TransportError): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#held = [];
    this.#wake();
    if (this.#events === undefined) this.#close = { error };
    else queueMicrotask(() => this.#events?.onClose(error));
  }

  /** Resolves when all was delivered and more is wanted, or it is over, or `ready` is called again. */
  ready(): Promise<void> {
    this.#wake();
    if (this.#state === "over" || (this.#state === "flowing" && this.#held.length === 0))
      return Promise.resolve();
    return new Promise<void>((resolve) => (this.#wake = resolve));
  }

  #passOn(): void {
    if (this.#turn === "passing") return;
    this.#turn = "passing";
    while (this.#state === "flowing" && this.#held.length > 0) {
      const chunk = this.#held.shift() as Chunk;
      this.#tell((events) => events.onData(chunk));
    }
    if (this.#state === "flowing" && this.#end === "held") {
      this.#end = "told";
      this.#tell((events) => events.onEnd());
      if (!this.over) this.#owner.onEndTold();
    }
    this.#turn = "idle";
    if (this.#state === "flowing") this.#wake();
  }

  #tell(what: (events: TransportEvents) => void): void {
    if (this.#state === "over" || this.#events === undefined) return;
    try {
      what(this.#events);
    } catch (cause) {
      this.#owner.onThrow(
        new TransportError("aborted", `a callback of the transport to ${this.#label} threw`, { cause }),
      );
    }
  }
}
