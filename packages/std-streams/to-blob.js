// @ts-self-types="./to-blob.d.ts"
export * from "deno-std/streams/to_blob.js";
