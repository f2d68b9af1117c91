import { TransportError, type Chunk, type Transport, type TransportEvents } from "@sluice/transport";
import { Pipes, type Input, type Output } from "./pipes.ts";
import { divertPrints } from "./stray-prints.ts";

/** How a process speaks with whoever started it. */
export interface ParentOptions {
  /**
   * What becomes of `console.log` and `process.stdout.write`, which would break a message on the wire.
   * `stderr` (default): they go to standard error, until the process ends. `leave`: as ever.
   */
  readonly strayPrints?: "stderr" | "leave";
}

/** Standard input and output of this process; what differs between runtimes. */
export interface OwnStreams {
  readonly input: Input;
  readonly output: Output;
  /** Ends standard output for the other side, once its stream is closed. */
  closeOutput(): void;
}

export class Parent implements Transport {
  readonly unit = "bytes";
  readonly label = "parent process";
  readonly quotes = true;
  readonly #streams: OwnStreams;
  readonly #pipes: Pipes;
  #life: "open" | "closing" | "over" = "open";
  #input: "open" | "ended" = "open";
  #output: "open" | "ended" = "open";
  #events: TransportEvents | undefined;

  constructor(open: () => OwnStreams, options: ParentOptions) {
    this.#streams = open();
    if (options.strayPrints !== "leave") divertPrints();
    this.#streams.output.on("close", () => this.#streams.closeOutput());
    this.#pipes = new Pipes(this.#streams.input, this.#streams.output, this.label, {
      onInputEnd: (tell) => {
        tell();
        this.#input = "ended";
        this.#settle();
      },
      onOutputEnd: () => {
        this.#output = "ended";
        this.#settle();
      },
      onFailure: (error) => this.abort(error),
    });
  }

  start(events: TransportEvents): void {
    this.#events = events;
    this.#pipes.start(events);
  }

  write(chunks: readonly Chunk[]): boolean {
    return this.#pipes.write(chunks);
  }

  pause(): void {
    this.#pipes.pause();
  }

  resume(): void {
    this.#pipes.resume();
  }

  close(): void {
    if (this.#life !== "open") return;
    this.#life = "closing";
    this.#pipes.end();
  }

  abort(error?: TransportError): void {
    if (this.#life === "over") return;
    this.#life = "over";
    this.#pipes.destroy();
    queueMicrotask(() => this.#events?.onClose(error));
  }

  #settle(): void {
    if (this.#life !== "closing" || this.#input === "open" || this.#output === "open") return;
    this.#life = "over";
    this.#pipes.destroy();
    this.#events?.onClose();
  }
}
