// A machine alone with a peer that the test plays, frame by frame, under a clock that the test keeps.
import type { Fault, SessionError } from "@sluice/core";
import type { Waiter } from "./calls.ts";
import { FLAG, type Frame } from "./frame.ts";
import type { FrameHead } from "./frame-writer.ts";
import type { CallParameters, Host } from "./host.ts";
import { Machine } from "./machine.ts";
import type { MachineOptions } from "./options.ts";
import type { Request } from "./requests.ts";
import { brief, frameBytes, framesIn, join, text } from "./frames.testing.ts";
import type { Reader } from "./reader.ts";

type Outcome = { readonly result: Uint8Array } | { readonly error: Error };

export class Scripted implements Host {
  readonly machine: Machine;
  readonly seen: { requests: Request[]; faults: Fault[]; ended: SessionError[]; paused: boolean[] } = {
    requests: [],
    faults: [],
    ended: [],
    paused: [],
  };
  now = 0;

  constructor(options: Partial<MachineOptions> = {}) {
    this.machine = new Machine({ unit: "bytes", role: "initiator", ...options }, this);
    this.machine.start();
  }

  wake(): void {}
  schedule(): void {}
  pause(paused: boolean): void {
    this.seen.paused.push(paused);
  }
  request(request: Request): void {
    this.seen.requests.push(request);
  }
  fault(fault: Fault): void {
    this.seen.faults.push(fault);
  }
  ended(error: SessionError): void {
    this.seen.ended.push(error);
  }

  /** The peer says it. */
  says(head: Partial<FrameHead>, payload: Uint8Array = new Uint8Array(0)): this {
    this.machine.receive(frameBytes(head, payload), this.now);
    return this;
  }

  /** What the machine has said since it was asked last. */
  said(): Frame[] {
    const chunks: Uint8Array[] = [];
    for (let more = this.machine.flush(); more.length > 0; more = this.machine.flush()) chunks.push(...more);
    return framesIn(join(chunks));
  }
  brief(): string[] {
    return this.said().map(brief);
  }

  call(
    method = 7,
    payload: Uint8Array = new Uint8Array(0),
    parameters: Partial<CallParameters> = {},
  ): Called {
    const outcomes: Outcome[] = [];
    const waiter: Waiter = {
      result: (result) => outcomes.push({ result }),
      error: (error) => outcomes.push({ error }),
    };
    return { call: this.machine.call(method, payload, waiter, { now: this.now, ...parameters }), outcomes };
  }

  advance(ms: number): void {
    this.now += ms;
    this.machine.tick(this.now);
  }
}

export interface Called {
  readonly call: ReturnType<Machine["call"]>;
  /** Never more than one. */
  readonly outcomes: Outcome[];
}

/** Flags of what peers say. */
export const REQUEST: number = FLAG.data | FLAG.eos;
export const ANSWER: number = FLAG.data | FLAG.eos;
export const STREAM: number = FLAG.data | FLAG.eos | FLAG.noReply;
export const DATA: number = FLAG.data;
export const END: number = FLAG.data | FLAG.eos;
export const ERROR: number = FLAG.error | FLAG.eos;
export const CONTROL: number = FLAG.control | FLAG.eos;

/** What we say to cancel a channel, as `brief`. */
export const cancelOf = (channel: number): string => `0/3 control|eos 020${channel}00`;

/** The chunks that wait for a reader, as text. */
export function readAll(reader: Reader): string[] {
  const all: string[] = [];
  for (let chunk = reader.read(); chunk !== undefined; chunk = reader.read()) all.push(text(chunk));
  return all;
}
