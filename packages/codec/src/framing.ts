import type { ByteQueue } from "./byte-queue.ts";
import type { DecodeError } from "./error.ts";

/**
 * Says where a message ends in a run of bytes. One object for one direction of one conversation: it remembers how far
 * it has looked.
 */
export interface Framing {
  readonly name: string;
  /**
   * Takes one message from the queue. Undefined: it is not all there yet. A `DecodeError` that is not fatal has
   * already been skipped, so that reading can go on.
   */
  read(input: ByteQueue): string | DecodeError | undefined;
  /** True where part of a message has left the queue already: an end of input has cut it, as where bytes are left over. */
  readonly partial: boolean;
  /**
   * Bytes of whole messages that have left the queue and were not read, where it takes several at once: they go back before
   * something else reads on.
   */
  unread?(): Uint8Array;
  /** What stands before and after a message of `bytes` bytes: ASCII. */
  prefix(bytes: number): string;
  readonly suffix: string;
}
