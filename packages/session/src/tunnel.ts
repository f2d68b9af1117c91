// Two streams of bytes, one each way, as one thing: what a socket, a pipe or a terminal is. Each direction ends by
// itself, so a half-close is the end of one of them.

/** One end of a tunnel. */
export interface Duplex<T = Uint8Array> {
  readonly readable: ReadableStream<T>;
  readonly writable: WritableStream<T>;
}

/**
 * Makes a tunnel: `near` to keep, `far` to put into params or a result, where it arrives as a `Duplex`.
 * Ending `near.writable` ends what the peer reads and leaves the other direction open.
 */
export function tunnel<T = Uint8Array>(): { readonly near: Duplex<T>; readonly far: Duplex<T> } {
  const there = new TransformStream<T, T>();
  const back = new TransformStream<T, T>();
  return {
    near: { readable: back.readable, writable: there.writable },
    far: { readable: there.readable, writable: back.writable },
  };
}
