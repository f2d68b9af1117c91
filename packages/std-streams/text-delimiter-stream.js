// @ts-self-types="./text-delimiter-stream.d.ts"
export * from "deno-std/streams/text_delimiter_stream.js";
