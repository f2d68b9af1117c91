import { EventEmitter } from "node:events";
import type { Input } from "./pipes.ts";

declare const Bun: { readonly stdin: { stream(): ReadableStream<Uint8Array> } };

/**
 * Standard input as a node stream would give it, as far as `Pipes` listens. Read from Bun's own stream: through
 * `process.stdin` small echoes are a quarter slower (78k against 102k a second).
 */
export class BunInput extends EventEmitter implements Input {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> = Bun.stdin.stream().getReader();
  #state: "idle" | "flowing" | "paused" | "over" = "idle";
  #resumed: () => void = () => {};

  /** As with a node stream, the first resume begins. */
  resume(): void {
    const before = this.#state;
    if (before !== "idle" && before !== "paused") return;
    this.#state = "flowing";
    if (before === "idle")
      this.#read().catch((error: unknown) => this.#state !== "over" && this.emit("error", error));
    else this.#resumed();
  }

  pause(): void {
    if (this.#state === "flowing") this.#state = "paused";
  }

  destroy(): void {
    this.#state = "over";
    this.#resumed();
    this.#reader.cancel().catch(() => {});
  }

  async #read(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      while (this.#state === "paused") await new Promise<void>((resolve) => (this.#resumed = resolve));
      if (this.#state === "over") return;
      if (done) break;
      this.emit("data", value);
    }
    this.#state = "over";
    this.emit("end");
  }
}
