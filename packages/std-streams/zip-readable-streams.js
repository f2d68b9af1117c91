// @ts-self-types="./zip-readable-streams.d.ts"
export * from "deno-std/streams/zip_readable_streams.js";
