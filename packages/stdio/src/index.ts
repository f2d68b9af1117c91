// Picks for the runtime it runs on, where the package's export conditions did not.
import type { Transport } from "@sluice/transport";
import { parent as onBun } from "./bun.ts";
import { parent as onDeno } from "./deno.ts";
import { parent as onNode, type ParentOptions } from "./node.ts";

export { ChildExitError, spawn } from "./node.ts";
export type { ChildTransport, ExitStatus, ParentOptions, SpawnOptions } from "./node.ts";

/** The transport of a process that speaks over its standard input and output: see `node.ts`. */
export const parent: (options?: ParentOptions) => Transport =
  "Bun" in globalThis ? onBun : "Deno" in globalThis ? onDeno : onNode;
