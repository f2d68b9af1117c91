import { HttpError } from "./http-error.ts";

/** One request the executor has under way, from its params to the last byte of its body. */
export class Upstream {
  readonly requestId: string;
  readonly #abort: AbortController = new AbortController();
  readonly #onOver: (upstream: Upstream) => void;
  #state: "open" | "over" = "open";

  constructor(requestId: string, onOver: (upstream: Upstream) => void) {
    this.requestId = requestId;
    this.#onOver = onOver;
  }

  /** Aborts when it is given up, by whoever asked for it or because they are gone. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  cancel(why: string): void {
    if (this.#state === "open") this.#abort.abort(new HttpError("cancelled", why));
  }

  over(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#onOver(this);
  }
}
