// @ts-self-types="./byte-slice-stream.d.ts"
export * from "deno-std/streams/byte_slice_stream.js";
