// @ts-self-types="./to-transform-stream.d.ts"
export * from "deno-std/streams/to_transform_stream.js";
