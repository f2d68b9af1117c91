export type DelimiterDisposition = "suffix" | "prefix" | "discard";
export interface DelimiterStreamOptions {
  disposition?: DelimiterDisposition;
}
export declare class DelimiterStream extends TransformStream<Uint8Array, Uint8Array> {
  constructor(delimiter: Uint8Array, options?: DelimiterStreamOptions);
}
