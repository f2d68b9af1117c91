// @ts-self-types="./buffer.d.ts"
export * from "deno-std/streams/buffer.js";
