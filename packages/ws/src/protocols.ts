/** Frames from the first byte (H4, W1). */
export const SLUICE = "sluice.v1";
/** One JSON-RPC message per text message. */
const JSONRPC = "jsonrpc";

/** What is offered and accepted, best first. */
export const PROTOCOLS: readonly string[] = [SLUICE, JSONRPC];

/**
 * Picks a subprotocol of those a client offers (RFC 6455 section 4.2.2): the first of ours. `undefined` where it offers
 * none, which speaks as `jsonrpc` does; `null` where it offers only others.
 */
export function choose(
  offered: string | null | undefined,
  ours: readonly string[],
): string | undefined | null {
  const names = (offered ?? "").split(",").map((name) => name.trim());
  if (names.length === 1 && names[0] === "") return undefined;
  return ours.find((name) => names.includes(name)) ?? null;
}
