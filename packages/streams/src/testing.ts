// For the tests of this package: halves whose session only writes down what they tell it.
import { DATA_LIMIT } from "@sluice/codec";
import { ReceiveHalf, type ReceiveHost, type ReceiveOptions } from "./receive-half.ts";
import { SendHalf, type Piece, type SendHost } from "./send-half.ts";

export const KiB = 1024;

export class Told implements SendHost, ReceiveHost {
  readonly log: unknown[][] = [];
  unread = 0;

  ready(half: SendHalf): void {
    this.log.push(["ready", half.id]);
  }
  reset(half: SendHalf, code: number, message: string, data: unknown): void {
    this.log.push(["reset", half.id, code, message, ...(data === undefined ? [] : [data])]);
  }
  grant(half: ReceiveHalf, offset: number): void {
    this.log.push(["grant", half.id, offset]);
  }
  stop(half: ReceiveHalf, code: number): void {
    this.log.push(["stop", half.id, code]);
  }
  released(half: ReceiveHalf): void {
    this.log.push(["released", half.id]);
  }
  unreadBy(delta: number): void {
    this.unread += delta;
  }
  /** What was told since the last time. */
  take(): unknown[][] {
    return this.log.splice(0);
  }
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
export function text(bytes: unknown): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes as Uint8Array);
}

export interface SendSetup {
  readonly told: Told;
  readonly half: SendHalf;
}

export function sender(
  of: "bytes" | "items" = "bytes",
  window: number = 64 * KiB,
  highWater: number = 64 * KiB,
): SendSetup {
  const told = new Told();
  return { told, half: new SendHalf(1, of, window, highWater, told) };
}

/** Everything that can go out now. */
export function pullAll(half: SendHalf, max: number = DATA_LIMIT): Piece[] {
  const pieces: Piece[] = [];
  for (let piece = half.pull(max); piece !== undefined; piece = half.pull(max)) pieces.push(piece);
  return pieces;
}

export interface ReceiveSetup {
  readonly told: Told;
  readonly half: ReceiveHalf;
}

export function receiver(
  of: "bytes" | "items" = "bytes",
  options: Partial<ReceiveOptions> = {},
): ReceiveSetup {
  const told = new Told();
  return {
    told,
    half: new ReceiveHalf(1, of, { window: 4 * KiB, item: 1024 * KiB, depth: 128, ...options }, told),
  };
}

/** A data frame of a byte stream. */
export function chunk(bytes: Uint8Array | string): {
  size: number;
  payload: Uint8Array;
  item: false;
  more: false;
} {
  const payload = typeof bytes === "string" ? utf8(bytes) : bytes;
  return { size: payload.length, payload, item: false, more: false };
}

/** An item, or a part of one, as binary frames carry it. */
export function part(
  json: string,
  more = false,
): { size: number; payload: Uint8Array; item: true; more: boolean } {
  const payload = utf8(json);
  return { size: payload.length, payload, item: true, more };
}

/** An item as the JSON encoding carries it. */
export function whole(value: unknown): {
  size: number;
  payload: { value: unknown };
  item: true;
  more: false;
} {
  return { size: utf8(JSON.stringify(value)).length, payload: { value }, item: true, more: false };
}
