export interface HeartbeatOptions {
  /** ms between two questions; `Infinity` for no heartbeat. */
  readonly interval: number;
  /** Asks the far end for a sign of life. */
  ping(): void;
  /** True while nothing is read, so that nothing can be heard. */
  deaf(): boolean;
  /** No sign of life came within an interval. Called once. */
  dead(): void;
}

/** W5: asks for a sign of life every interval, and calls `dead` where none came by the next. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #state: "heard" | "asked" = "heard";

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    if (options.interval !== Number.POSITIVE_INFINITY) this.#plan(options.interval, () => this.#beat());
  }

  /** The far end has shown that it lives. */
  heard(): void {
    this.#state = "heard";
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #beat(): void {
    // Our own process may have been busy: what has arrived meanwhile is read before the verdict.
    if (this.#state === "asked") this.#plan(1, () => this.#judge());
    else this.#ask();
  }

  #judge(): void {
    if (this.#state === "asked" && !this.#options.deaf()) this.#options.dead();
    else this.#ask();
  }

  #ask(): void {
    this.#state = "asked";
    this.#options.ping();
    this.#plan(this.#options.interval, () => this.#beat());
  }

  #plan(ms: number, then: () => void): void {
    this.#timer = setTimeout(then, ms);
    // A heartbeat alone does not keep a process, where timers can be told so; the connection does.
    if (typeof this.#timer === "object") this.#timer.unref();
  }
}
