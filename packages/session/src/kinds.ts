// What may stand in params or a result as a stream, and what it carries. A web stream or an iterable does not say what
// its chunks will be, and the peer must know before the first: `bytes` and `items` say it.

/** Something readable or writable, with what it carries. */
export class StreamOf {
  readonly of: "bytes" | "items";
  readonly stream: object;

  constructor(of: "bytes" | "items", stream: object) {
    this.of = of;
    this.stream = stream;
  }
}

/** Sends `stream` as a stream of bytes: its chunks are `Uint8Array`s. The default for web streams and blobs. */
export function bytes<S extends object>(stream: S): S {
  return new StreamOf("bytes", stream) as unknown as S;
}

/** Sends `stream` as a stream of items: its chunks are JSON values. The default for async iterables. */
export function items<S extends object>(stream: S): S {
  return new StreamOf("items", stream) as unknown as S;
}
