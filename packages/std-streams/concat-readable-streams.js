// @ts-self-types="./concat-readable-streams.d.ts"
export * from "deno-std/streams/concat_readable_streams.js";
