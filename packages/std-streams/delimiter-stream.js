// @ts-self-types="./delimiter-stream.d.ts"
export * from "deno-std/streams/delimiter_stream.js";
