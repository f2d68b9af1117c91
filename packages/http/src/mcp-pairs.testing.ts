import { asText, type Pair } from "@sluice/transport/compliance";
import { dial } from "./dial.ts";
import type { DialOptions, HandlerOptions } from "./options.ts";
import { connected, direct, URL_OF_DIRECT } from "./pairs.testing.ts";

/** Both ends of a session over the mcp wire, as the compliance kit wants them. What is cut is resumed at once. */
export async function mcpPair(
  options: DialOptions = {},
  serverOptions: Partial<HandlerOptions> = {},
): Promise<Pair> {
  const server = direct({ ...serverOptions, limits: { retry: 0, ...serverOptions.limits } });
  const client = dial(URL_OF_DIRECT, { fetch: server.fetch, limits: { backoff: [1, 10] }, ...options });
  const left = connected(asText(client, "initiator"));
  const right = asText(await server.accepted(), "acceptor");
  return { left, right, dispose: () => server.handler.close("the test is over") };
}
