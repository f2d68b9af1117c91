// Drives a machine over a transport: carries bytes both ways and keeps the clock. What one chunk from the wire, or one
// turn of the application, makes it say goes out in one write.
import type { Fault, SessionError } from "@sluice/core";
import type { Chunk, CloseCause, Transport, TransportError, TransportEvents } from "@sluice/transport";
import type { CallParameters, Host } from "./host.ts";
import { Machine } from "./machine.ts";
import type { PendingCall, Waiter } from "./calls.ts";
import type { MachineOptions } from "./options.ts";
import type { Request } from "./requests.ts";

export interface DriverOptions extends Omit<MachineOptions, "unit" | "allocate"> {
  readonly onFault: (fault: Fault) => void;
  /** Must answer it, now or later. Must not throw. */
  readonly run: (request: Request) => void;
}

export class Driver implements Host, TransportEvents {
  readonly machine: Machine;
  /** Settles once the transport is gone, with the reason the session ended. */
  readonly closed: Promise<SessionError>;
  readonly #options: DriverOptions;
  readonly #transport: Transport;
  #resolveClosed!: (error: SessionError) => void;
  #writable = true;
  #reading: "flowing" | "paused" = "flowing";
  #flushing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #drained: (() => void)[] = [];

  /** @throws TypeError for a transport that carries text only */
  constructor(transport: Transport, options: DriverOptions) {
    if (transport.encoding === "json")
      throw new TypeError(
        `${transport.label} carries text, and rapace's frames are bytes: use stdio, TCP or WebSocket`,
      );
    this.#options = options;
    this.#transport = transport;
    const { unit } = transport;
    this.machine = new Machine({ ...options, unit, allocate: transport.allocate?.bind(transport) }, this);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  start(): void {
    this.#transport.start(this);
    this.machine.start();
  }

  get now(): number {
    return performance.now();
  }

  /** `Machine.call`. One that is the only one goes out here and now: there is nothing to share a write with. */
  call(
    method: number,
    payload: Uint8Array,
    waiter: Waiter,
    parameters: CallParameters,
  ): PendingCall | undefined {
    if (this.#flushing || this.machine.calls.size > 0)
      return this.machine.call(method, payload, waiter, parameters);
    this.#flushing = true;
    try {
      return this.machine.call(method, payload, waiter, parameters);
    } finally {
      this.#flush();
    }
  }

  /** Settles once what is queued so far has been handed to the transport, or the session is over. */
  handedOver(): Promise<void> {
    if (this.machine.outbox.bytes === 0 || this.machine.error !== undefined) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  // What the transport tells.

  onData(chunk: Chunk): void {
    this.#flushing = true;
    try {
      this.machine.receive(chunk, this.now);
    } finally {
      this.#flush();
    }
  }
  onDrain(): void {
    this.#writable = true;
    this.#flush();
  }
  onEnd(): void {
    this.machine.inputEnded();
  }
  onClose(cause?: TransportError): void {
    this.machine.transportLost(cause);
    clearTimeout(this.#timer);
    this.#resolveClosed(this.machine.error!);
  }

  // What the machine tells.

  wake(now: boolean): void {
    if (now && this.machine.error === undefined) return this.#write();
    if (this.#flushing) return;
    this.#flushing = true;
    void SOON.then(this.#flush);
  }

  // A transport may deliver what it has held before `resume` returns; it is asked when nobody is in the middle of anything.
  pause(paused: boolean): void {
    this.#reading = paused ? "paused" : "flowing";
    if (paused) this.#transport.pause();
    else void SOON.then(this.#resume);
  }

  schedule(): void {
    const { next } = this.machine.deadlines;
    if (next === undefined || next >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = next;
    this.#timer = setTimeout(this.#tick, Math.max(0, next - this.now));
  }

  request(request: Request): void {
    this.#options.run(request);
  }
  fault(fault: Fault): void {
    this.#options.onFault(fault);
  }

  // The last word is flushed; then there is one deadline for the transport to go.
  ended(reason: SessionError): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#transport.abort(), this.machine.limits.close);
    this.#handOver();
    if (reason.by === "transport") return this.#transport.abort();
    const last = this.machine.outbox.last();
    if (last.length > 0) this.#transport.write(last);
    this.#transport.close(reason.message, CAUSE[reason.code]);
  }

  readonly #flush = (): void => {
    this.#flushing = false;
    this.#write();
    if (this.#drained.length > 0 && this.machine.outbox.bytes === 0) this.#handOver();
  };

  #write(): void {
    const { machine } = this;
    while (this.#writable && machine.error === undefined && !machine.outbox.isEmpty) {
      const chunks = machine.flush();
      if (chunks.length === 0) break;
      this.#writable = this.#transport.write(chunks);
    }
  }

  readonly #resume = (): void => {
    if (this.#reading === "flowing") this.#transport.resume();
  };

  readonly #tick = (): void => {
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.machine.tick(this.now);
    if (this.machine.error === undefined) this.schedule();
  };

  #handOver(): void {
    const waiting = this.#drained;
    this.#drained = [];
    for (const resolve of waiting) resolve();
  }
}

const CAUSE: Readonly<Record<SessionError["code"], CloseCause>> = {
  closed: "done",
  drained: "done",
  lost: "failed",
  protocol: "protocol",
  limit: "limit",
  greeting: "protocol",
  timeout: "timeout",
};

// A microtask. On Node this costs half of what queueMicrotask does.
const SOON: Promise<void> = Promise.resolve();
