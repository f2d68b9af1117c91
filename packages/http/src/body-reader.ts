/** What one read of a body brought. `late`: nothing in time. `stopped`: we want no more. `cut`: the body failed. */
export type BodyRead =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "done" }
  | { readonly kind: "late" }
  | { readonly kind: "stopped" }
  | { readonly kind: "cut"; readonly cause: unknown };

/** Reads a body with a bound on how long it may bring nothing, and can be stopped in the middle of a read. */
export class BodyReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #state: "open" | "stopped" = "open";
  #settle: (read: BodyRead) => void = () => {};

  constructor(body: ReadableStream<Uint8Array> | null) {
    this.#reader = body?.getReader();
  }

  get stopped(): boolean {
    return this.#state === "stopped";
  }

  /** Never rejects. `ms`: how long to wait. */
  next(ms: number): Promise<BodyRead> {
    const reader = this.#reader;
    if (this.stopped) return Promise.resolve({ kind: "stopped" });
    if (reader === undefined) return Promise.resolve({ kind: "done" });
    return new Promise<BodyRead>((resolve) => {
      const timer = setTimeout(() => resolve({ kind: "late" }), ms);
      this.#settle = (read) => {
        clearTimeout(timer);
        resolve(read);
      };
      reader.read().then(
        ({ done, value }) => this.#settle(done ? { kind: "done" } : { kind: "bytes", bytes: value }),
        (cause: unknown) => this.#settle({ kind: "cut", cause }),
      );
    });
  }

  /** Ends a read under way. The body is left as it is: a server's runtime drops the rest once it has been answered. */
  stop(): void {
    this.#state = "stopped";
    this.#settle({ kind: "stopped" });
  }

  /** Stops, and tells the other end of the body that nobody wants the rest. */
  cancel(): void {
    this.stop();
    this.#reader?.cancel().catch(() => {});
  }
}
