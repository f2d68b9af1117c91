// @ts-self-types="./text-line-stream.d.ts"
export * from "deno-std/streams/text_line_stream.js";
