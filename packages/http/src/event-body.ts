import { KEEP_ALIVE } from "./sse.ts";

/** Who fills a body. */
export interface EventBodyOwner {
  /** The reader has room: `send` something, now or later. */
  onRoom(): void;
  /** Nobody reads any more, and we have not closed it. */
  onGone(): void;
}

/**
 * The body of one response of events. It holds nothing but what it begins with: the reader pulls, so that what a slow
 * client does not take waits where it is counted.
 */
export class EventBody {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #owner: EventBodyOwner;
  readonly #encoder: TextEncoder = new TextEncoder();
  readonly #timer: ReturnType<typeof setInterval>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  /** What is sent first: it makes servers send the headers at once. */
  #opening: string;
  #state: "open" | "wanted" | "over" = "open";

  constructor(owner: EventBodyOwner, opening: string, keepAlive: number) {
    this.#owner = owner;
    this.#opening = opening;
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#pulled(),
        cancel: () => this.gone(),
      },
      { highWaterMark: 0 },
    );
    this.#timer = setInterval(() => {
      if (this.#state === "wanted") this.send(KEEP_ALIVE);
    }, keepAlive);
  }

  /** Whether `send` may be called. */
  get wanted(): boolean {
    return this.#state === "wanted";
  }

  send(text: string): void {
    this.#state = "open";
    this.#controller.enqueue(this.#encoder.encode(text));
  }

  /** Ends it, after `last`. */
  close(last: string = ""): void {
    if (this.#state === "over") return;
    const unread = this.#opening + last;
    this.#over();
    try {
      if (unread !== "") this.#controller.enqueue(this.#encoder.encode(unread));
      this.#controller.close();
    } catch {
      // Whoever read it has gone in this very moment.
    }
  }

  /** Whoever read it has gone. */
  gone(): void {
    if (this.#state === "over") return;
    this.#over();
    this.#owner.onGone();
  }

  #pulled(): void {
    if (this.#state === "over") return;
    const opening = this.#opening;
    this.#opening = "";
    this.#state = "wanted";
    if (opening === "") this.#owner.onRoom();
    else this.send(opening);
  }

  #over(): void {
    this.#state = "over";
    this.#opening = "";
    clearInterval(this.#timer);
  }
}
