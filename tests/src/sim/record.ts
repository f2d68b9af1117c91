// What the simulation knows about each stream and call, from what the applications of both ends did and saw.
import type { ReceiveHalf, SendHalf } from "@sluice/streams";
import type { End } from "./end.ts";

export interface StreamRecord {
  readonly id: number;
  readonly of: "bytes" | "items";
  /** Bytes or items the writer has given to its half while that was open. */
  written: number;
  /** The texts of the items. */
  readonly items: string[];
  /** The halves of its writer and its reader. */
  writer: SendHalf | undefined;
  reader: ReceiveHalf | undefined;
  /** Bytes or items read. */
  read: number;
  /** What the reader saw last. */
  seen: "end" | "error" | "stop" | undefined;
}

export interface CallRecord {
  readonly token: number;
  readonly from: End;
  readonly params: string;
  /** How often its handler was started: never more than once. */
  ran: number;
  handler: "none" | "running" | "answered";
  /** Its handler has been told that nobody waits any more. */
  aborted: number;
  /** The answer its handler gave, as it must arrive. */
  answer: { readonly result: string } | { readonly code: number } | undefined;
  /** How often its waiter was told. */
  settled: number;
  outcome: Error | undefined;
  /** The caller's continuation has run. */
  continued: boolean;
  /** Its caller gave it up. */
  givenUp: boolean;
}

export class Ledger {
  readonly streams: Map<number, StreamRecord> = new Map();
  readonly calls: CallRecord[] = [];

  stream(id: number, of: "bytes" | "items"): StreamRecord {
    let record = this.streams.get(id);
    if (record === undefined) {
      record = {
        id,
        of,
        written: 0,
        items: [],
        writer: undefined,
        reader: undefined,
        read: 0,
        seen: undefined,
      };
      this.streams.set(id, record);
    }
    return record;
  }

  call(from: End, params: string): CallRecord {
    const record: CallRecord = {
      token: this.calls.length,
      from,
      params,
      ran: 0,
      handler: "none",
      aborted: 0,
      answer: undefined,
      settled: 0,
      outcome: undefined,
      continued: false,
      givenUp: false,
    };
    this.calls.push(record);
    return record;
  }
}
