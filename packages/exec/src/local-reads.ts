// The memory that a connection is read into, on Node. By itself Node takes 64 KiB for each read; where the server sends fast,
// twice as much comes at once, with half as many turns, acknowledgements and pieces to pass on.
import { Buffer } from "node:buffer";
import type { OnReadOpts } from "node:net";

/** What a connection holds while little comes. */
const SMALL = 16 * 1024;
// Whole messages of a WebSocket: six of 21 KiB. A body that nobody reads holds three such reads, some 350 KiB.
const LARGE = 126 * 1024;

/**
 * The `onread` of a connection. `push` gets what has come, in memory that nothing is read into any more: it may be kept, changed or
 * transferred away. It says whether there is room for more.
 */
export function readsOf(push: (came: Uint8Array) => boolean): OnReadOpts {
  let memory = Buffer.allocUnsafeSlow(SMALL);
  return {
    buffer: () => memory,
    callback(bytes) {
      const came = memory.subarray(0, bytes);
      // A few bytes must not keep all of it.
      const piece = bytes < memory.length / 2 ? new Uint8Array(came) : came;
      const next = bytes === memory.length ? LARGE : SMALL;
      if (piece === came || memory.length !== next) memory = Buffer.allocUnsafeSlow(next);
      return push(piece);
    },
  };
}
