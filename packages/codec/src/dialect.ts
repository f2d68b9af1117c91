// How one family of peers spells JSON-RPC. A dialect is data: nothing else in Sluice asks which one it is.
import type { Id } from "./message.ts";

/** How a conversation differs from plain JSON-RPC 2.0. Make your own by spreading one of these. */
export interface Dialect {
  readonly name: string;
  /** The `jsonrpc: "2.0"` member. `required`: written and demanded. `sent`: written, not demanded. `omitted`: neither. */
  readonly version: "required" | "sent" | "omitted";
  /** How a cancel is spelt; undefined where the protocol has none. */
  readonly cancel: CancelSpelling | undefined;
  /** `answered` as JSON-RPC 2.0 section 6 says, or `refused` with one -32600. */
  readonly batches: "answered" | "refused";
  /** A request whose id is null: `answered` with id null, or `refused` with -32600. Never left in silence. */
  readonly nullIds: "answered" | "refused";
  /** Ids such as 1.5, which JSON-RPC discourages: echoed, or refused with -32600. */
  readonly fractionalIds: "answered" | "refused";
  /** The id of an error that answers what has none: what is no message, or has an id nobody can read. */
  readonly noId: null | -1;
  /** An object that has a member twice: the last one is `taken`, as JSON.parse does, or it is `refused` with -32600. */
  readonly duplicateKeys: "taken" | "refused";
  /** Integers past 2^53: `rounded`, as JSON.parse does, or `kept` as `JSON.rawJSON` objects and so written as they came, for relays. */
  readonly bigIntegers: "rounded" | "kept";
  /** Whether the session greets with `$/hello` (H1) or speaks the protocol as it is (H5). */
  readonly greets: boolean;
}

export interface CancelSpelling {
  readonly method: string;
  /** The member of params that holds the id of the call. */
  readonly member: string;
}

/** JSON-RPC 2.0, and the one in which two Sluice peers find each other. */
export const jsonrpc: Dialect = {
  name: "jsonrpc",
  version: "required",
  cancel: { method: "$/cancelRequest", member: "id" },
  batches: "answered",
  nullIds: "answered",
  fractionalIds: "answered",
  noId: null,
  duplicateKeys: "taken",
  bigIntegers: "rounded",
  greets: true,
};

/** Language Server Protocol 3.17, base protocol. */
export const lsp: Dialect = {
  ...jsonrpc,
  name: "lsp",
  batches: "refused",
  nullIds: "refused",
  greets: false,
};

/** Agent Client Protocol. Its second version knows batches, and its Rust peers answer them. */
export const acp: Dialect = {
  ...jsonrpc,
  name: "acp",
  greets: false,
  cancel: { method: "$/cancel_request", member: "requestId" },
};

/** Model Context Protocol, 2025-06-18 and later. */
export const mcp: Dialect = {
  ...lsp,
  name: "mcp",
  cancel: { method: "notifications/cancelled", member: "requestId" },
  fractionalIds: "refused",
};

/** The codex app-server and exec-server: JSON-RPC without the `jsonrpc` member, and without a cancel. */
export const codex: Dialect = {
  ...lsp,
  name: "codex",
  version: "omitted",
  cancel: undefined,
  noId: -1,
  duplicateKeys: "refused",
};

/** The params of a cancel for `id`. */
export function cancelParams(spelling: CancelSpelling, id: Id): Record<string, Id> {
  return { [spelling.member]: id };
}

/** The id a cancel names, or undefined where its params are not what they should be. */
export function cancelledId(spelling: CancelSpelling, params: unknown): Id | undefined {
  if (typeof params !== "object" || params === null || !Object.hasOwn(params, spelling.member))
    return undefined;
  const id = (params as Record<string, unknown>)[spelling.member];
  return typeof id === "number" || typeof id === "string" ? id : undefined;
}
