export interface LimitedBytesTransformStreamOptions {
  /** Throw a RangeError instead of ending at the limit. */
  error?: boolean;
}
export declare class LimitedBytesTransformStream extends TransformStream<Uint8Array, Uint8Array> {
  constructor(size: number, options?: LimitedBytesTransformStreamOptions);
}
