// @ts-self-types="./limited-transform-stream.d.ts"
export * from "deno-std/streams/limited_transform_stream.js";
