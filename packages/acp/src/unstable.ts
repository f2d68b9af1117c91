// The first version of the protocol with what is not yet stable in it: all of its definitions, those of `@sluice/acp` where
// they are the same.
export * from "./generated/unstable.ts";
export * from "./generated/unstable-methods.ts";
