// @ts-self-types="./limited-bytes-transform-stream.d.ts"
export * from "deno-std/streams/limited_bytes_transform_stream.js";
