// @ts-self-types="./to-array-buffer.d.ts"
export * from "deno-std/streams/to_array_buffer.js";
