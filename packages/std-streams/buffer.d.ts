export declare class Buffer {
  constructor(ab?: ArrayBufferLike | ArrayLike<number>);
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>>;
  get writable(): WritableStream<Uint8Array>;
  get length(): number;
  get capacity(): number;
  bytes(options?: { copy: boolean }): Uint8Array<ArrayBuffer>;
  empty(): boolean;
  truncate(n: number): void;
  reset(): void;
  grow(n: number): void;
}
