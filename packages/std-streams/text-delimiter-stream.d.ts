import type { DelimiterStreamOptions } from "./delimiter-stream.d.ts";
export declare class TextDelimiterStream extends TransformStream<string, string> {
  constructor(delimiter: string, options?: DelimiterStreamOptions);
}
