export interface LimitedTransformStreamOptions {
  /** Throw a RangeError instead of ending at the limit. */
  error?: boolean;
}
export declare class LimitedTransformStream<T> extends TransformStream<T, T> {
  constructor(size: number, options?: LimitedTransformStreamOptions);
}
