export interface TextLineStreamOptions {
  /** A lone CR ends a line, too. */
  allowCR?: boolean;
}
export declare class TextLineStream extends TransformStream<string, string> {
  constructor(options?: TextLineStreamOptions);
}
