// A WebSocket as a transport: the same on every runtime, over what the runtime's WebSocket can do (`Socket`).
//
// A WebSocket has no half-close. Where both ends speak frames, an empty message stands for it (W2): each direction ends
// by itself, and Close follows when both have. With a plain peer Close ends both at once.
//
// What arrives while nobody wants it (before the start, or paused) is held. Most runtimes can also stop reading, which
// holds the sender back; for the others what is held has a limit.
import {
  BusyPoll,
  TransportError,
  type Chunk,
  type CloseCause,
  type Transport,
  type TransportEvents,
} from "@sluice/transport";
import { CLOSE_CODE, GOING_AWAY, LOST, raised, reasonOf, TOO_BIG, UNSUPPORTED } from "./close-codes.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Held } from "./held.ts";
import type { WsLimits } from "./limits.ts";
import { Pool } from "./pool.ts";
import { SLUICE } from "./protocols.ts";
import type { Socket, SocketEvents } from "./socket.ts";
import { judge } from "./verdict.ts";

/** Made by the runtime's file once a connection is open; the runtime's events go to it as `SocketEvents`. */
export class WsTransport implements Transport, SocketEvents {
  readonly unit = "messages";
  readonly label: string;
  readonly encoding?: "frames";
  readonly #socket: Socket;
  readonly #limits: WsLimits;
  readonly #heartbeat: Heartbeat | undefined;
  readonly #onOver: () => void;
  #events: TransportEvents | undefined;
  #sending: "open" | "full" | "ended" = "open";
  #receiving: "open" | "ended" | "told" = "open";
  #reading: "waiting" | "flowing" | "paused" = "waiting";
  #life: "open" | "closing" | "dropped" | "over" = "open";
  readonly #held: Held = new Held();
  /** What is said in the Close that follows the end of both directions. */
  #reason = "";
  #closedWith = 0;
  /** Why we end, where that is known before the socket has closed. */
  #failure: TransportError | undefined;
  /** The socket has closed; told once what is held has been passed on. */
  #verdict: { readonly error: TransportError | undefined } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #pool: Pool = new Pool();
  readonly #poll: BusyPoll = new BusyPoll();
  readonly #sent = (message: Chunk): void => this.#pool.give(message);
  readonly #drained = (): void => {
    if (this.#sending !== "full" || this.#life !== "open") return;
    this.#sending = "open";
    this.#guarded((events) => events.onDrain());
  };

  /** @param onOver called once the socket has closed, also where nobody has started the transport */
  constructor(
    socket: Socket,
    protocol: string,
    label: string,
    limits: WsLimits,
    onOver: () => void = () => {},
  ) {
    this.#socket = socket;
    this.#limits = limits;
    this.#onOver = onOver;
    this.label = label;
    if (protocol === SLUICE) this.encoding = "frames";
    if (socket.ping === undefined) return;
    this.#heartbeat = new Heartbeat({
      interval: limits.heartbeat,
      ping: () => socket.ping!(),
      deaf: () => this.#reading === "paused",
      dead: () => this.abort(new TransportError("timeout", `${label} gives no sign of life (W5)`)),
    });
  }

  allocate(bytes: number): Uint8Array {
    return this.#pool.take(bytes);
  }

  start(events: TransportEvents): void {
    this.#events = events;
    if (this.#reading === "waiting") this.#reading = "flowing";
    // Not in our caller's turn: it may not be ready for events yet.
    queueMicrotask(() => this.#passOn());
  }

  write(chunks: readonly Chunk[]): boolean {
    // A socket that has seen a Close takes messages and forgets them; its own event says why.
    if (this.#sending === "ended" || this.#life !== "open" || !this.#socket.open) return false;
    if (this.encoding === "frames" && chunks.some((chunk) => typeof chunk === "string"))
      throw new TypeError("frames are spoken here: encode text before writing it (W1)");
    const together = chunks.length > 1;
    if (together) this.#socket.cork?.();
    // W2: an empty message is the end.
    for (const chunk of chunks) if (chunk.length > 0 || this.encoding === undefined) this.#send(chunk);
    if (together) this.#socket.uncork?.();
    if (this.#sending === "full") return false;
    const { highWater } = this.#limits;
    if (this.#socket.buffered < highWater) return true;
    this.#sending = "full";
    this.#socket.whenBelow(highWater / 2, this.#drained);
    return false;
  }

  pause(): void {
    this.#reading = "paused";
    this.#socket.pause?.();
  }

  resume(): void {
    if (this.#events === undefined) return;
    this.#reading = "flowing";
    this.#socket.resume?.();
    this.#passOn();
  }

  close(reason: string = "", cause: CloseCause = "done"): void {
    if (this.#sending === "ended" || this.#life !== "open") return;
    this.#sending = "ended";
    this.#reason = reason;
    if (this.encoding === undefined || cause !== "done") return this.#shut(CLOSE_CODE[cause], reason);
    this.#send(new Uint8Array(0));
    if (this.#receiving !== "open") this.#shut(CLOSE_CODE.done, reason);
  }

  abort(error?: TransportError): void {
    if (this.#life === "dropped" || this.#life === "over") return;
    this.#failure = error;
    this.#sending = "ended";
    this.#held.clear();
    this.#life = "dropped";
    if (this.#verdict === undefined) return this.#drop();
    // The socket has closed before, and what came until then is not passed on any more.
    this.#verdict = { error };
    queueMicrotask(() => this.#passOn());
  }

  /** The server that accepted this is closing. */
  goAway(reason: string): void {
    if (this.#life !== "open") return;
    this.#failure = new TransportError("aborted", `the server closed: ${reason}`);
    this.#shut(GOING_AWAY, reason);
  }

  // What the socket tells.

  onMessage(message: Chunk): void {
    this.#heartbeat?.heard();
    if (this.#receiving !== "open" || this.#life === "dropped" || this.#failure !== undefined) return;
    if (message.length > this.#limits.message)
      return this.#refuse(TOO_BIG, `a message of more than ${this.#limits.message} bytes (W4)`);
    if (this.encoding === "frames") {
      if (typeof message === "string") return this.#refuse(UNSUPPORTED, "text where frames are spoken (W1)");
      if (message.length === 0) return this.#ended();
    }
    if (this.#reading === "flowing" && this.#held.isEmpty) return this.#give(message);
    this.#held.push(message);
    if (this.#held.bytes > this.#limits.held)
      this.#refuse(CLOSE_CODE.limit, `more than ${this.#limits.held} bytes while nobody reads (limits.held)`);
  }

  onSign(): void {
    this.#heartbeat?.heard();
  }

  onClosed(code: number, reason: string, cause?: unknown): void {
    if (this.#life === "over" || this.#verdict !== undefined) return;
    const error =
      this.#life === "dropped" ? this.#failure : (this.#failure ?? this.#judge(code, reason, cause));
    if (error === undefined && this.#receiving === "open") this.#receiving = "ended";
    if (this.#life !== "dropped") this.#life = "closing";
    this.#sending = "ended";
    this.#verdict = { error };
    this.#heartbeat?.stop();
    clearTimeout(this.#timer);
    this.#onOver();
    this.#passOn();
  }

  #judge(code: number, reason: string, cause: unknown): TransportError | undefined {
    const receiving = this.#receiving === "open" ? "open" : "ended";
    const sending = this.#sending === "ended" ? "ended" : "open";
    return judge({ code, reason, cause, sent: this.#closedWith, sending, receiving, label: this.label });
  }

  /** The far end broke a rule: it is told, and nothing more of it is passed on. */
  #refuse(code: number, what: string): void {
    this.#failure = new TransportError("protocol", `${this.label} sent ${what}`);
    this.#shut(code, what);
  }

  #ended(): void {
    this.#receiving = "ended";
    if (this.#sending === "ended") this.#shut(CLOSE_CODE.done, this.#reason);
    this.#passOn();
  }

  #shut(code: number, reason: string): void {
    if (this.#life !== "open") return;
    this.#life = "closing";
    this.#sending = "ended";
    this.#closedWith = code;
    try {
      this.#socket.close(code, reasonOf(reason));
    } catch (cause) {
      return this.onClosed(LOST, "", cause);
    }
    // A paused socket would not read the answer.
    this.#socket.resume?.();
    this.#await(this.#socket.buffered);
  }

  /** Who is only slow to take what was sent before the Close is waited for, unless it is we who cut it short. */
  #await(buffered: number): void {
    this.#timer = setTimeout(() => {
      const left = this.#socket.buffered;
      if (left < buffered && this.#failure === undefined) return this.#await(left);
      const what = `${this.label} did not answer Close within ${this.#limits.close} ms (limits.close)`;
      if (this.#receiving === "open") this.#failure ??= new TransportError("timeout", what);
      this.#drop();
    }, this.#limits.close);
  }

  #drop(): void {
    clearTimeout(this.#timer);
    if (this.#socket.terminate === undefined) {
      this.#socket.close(raised(LOST), "aborted");
      queueMicrotask(() => this.onClosed(LOST, ""));
    } else {
      this.#socket.terminate();
      this.#timer = setTimeout(() => this.onClosed(LOST, ""), this.#limits.close);
    }
  }

  #send(message: Chunk): void {
    try {
      this.#poll.wrote(message.length);
      this.#socket.send(message, this.#sent);
    } catch (cause) {
      const error = new TransportError("write", `writing to ${this.label} failed`, { cause });
      queueMicrotask(() => this.abort(error)); // not in our caller's turn
    }
  }

  /** Whether messages go on to the user; a callback may have changed that. */
  get #passes(): boolean {
    return this.#reading === "flowing" && this.#life !== "dropped";
  }

  #passOn(): void {
    while (this.#passes && !this.#held.isEmpty) this.#give(this.#held.take());
    if (this.#reading === "waiting" || (!this.#held.isEmpty && this.#life !== "dropped")) return;
    if (this.#receiving === "ended" && this.#life !== "dropped") {
      this.#receiving = "told";
      this.#guarded((events) => events.onEnd());
    }
    if (this.#verdict === undefined || this.#life === "over") return;
    this.#life = "over";
    const events = this.#events;
    this.#events = undefined;
    events?.onClose(this.#verdict.error);
  }

  #give(message: Chunk): void {
    this.#poll.came(message.length);
    try {
      this.#events?.onData(message);
    } catch (cause) {
      this.#threw(cause);
    }
    this.#poll.waits();
  }

  #guarded(tell: (events: TransportEvents) => void): void {
    if (this.#events === undefined || this.#life === "dropped") return;
    try {
      tell(this.#events);
    } catch (cause) {
      this.#threw(cause);
    }
  }

  #threw(cause: unknown): void {
    const what = `a callback of the transport to ${this.label} threw`;
    this.abort(new TransportError("aborted", what, { cause }));
  }
}
