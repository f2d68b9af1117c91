// @ts-self-types="./to-json.d.ts"
export * from "deno-std/streams/to_json.js";
