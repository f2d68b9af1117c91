// What the model explores: which streams a call has, what its ends may do, and which rules hold.
import type { Side } from "./state.ts";

export interface Stream {
  /** Mentioned in the request, or in the answer. */
  readonly in: "request" | "answer";
  readonly writer: Side;
}

export interface Program {
  readonly streams: readonly Stream[];
  /** Whether A may cancel. */
  readonly cancel?: boolean;
  /** Readers read on until the end, and never stop. */
  readonly patient?: boolean;
  /** What a writer may send at once, and write in all. */
  readonly window: number;
  readonly writes: number;
  /** Windows may double once (S6a). */
  readonly growth?: boolean;
}

/** The rules that are known to be needed. All hold in PROTOCOL.md; each can be taken away to see what it is for. */
export interface Rules {
  /** S2a: the streams of an answer nobody waits for are registered and dropped. */
  readonly registersUnwanted: boolean;
  /** S9: an end that has been written and not sent does not count as sent. */
  readonly resetsWhileEnding: boolean;
  /** S10: both sides drop the streams of a request that failed, not only its handler's. */
  readonly bothDropOnError: boolean;
  /** S11: what the handler has not taken is reset where it writes, not only stopped where it reads. */
  readonly dropsUntakenWriters: boolean;
  /** S12: the record of a stopped stream lives until the peer's end or reset. */
  readonly remembersStopped: boolean;
  /** S12: and not longer. */
  readonly forgetsStopped: boolean;
  /** S8: nothing follows an end. */
  readonly endIsLast: boolean;
}

export const RULES: Rules = {
  registersUnwanted: true,
  resetsWhileEnding: true,
  bothDropOnError: true,
  dropsUntakenWriters: true,
  remembersStopped: true,
  forgetsStopped: true,
  endIsLast: true,
};
