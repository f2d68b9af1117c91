// @ts-self-types="./early-zip-readable-streams.d.ts"
export * from "deno-std/streams/early_zip_readable_streams.js";
