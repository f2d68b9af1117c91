// The draft of the protocol's second version.
export * from "./generated/v2.ts";
export * from "./generated/v2-methods.ts";
