import { dial, serve, type Server } from "@sluice/ws";
import type { Transport } from "@sluice/transport";
import { complianceCases, type Pair } from "@sluice/transport/compliance";
import { describe, expect, it } from "vitest";

async function pair(protocols: readonly string[]): Promise<Pair> {
  let accepted: (transport: Transport) => void = () => {};
  const left = new Promise<Transport>((resolve) => (accepted = resolve));
  const server: Server = await serve({ onSession: accepted });
  const right = await dial(server.url, { protocols });
  const ends = { left: await left, right };
  const dispose = async (): Promise<void> => {
    ends.left.abort();
    right.abort();
    await server.close();
  };
  return { ...ends, holdsBack: !("Deno" in globalThis || "Bun" in globalThis), dispose };
}

describe("sluice.v1", () => {
  for (const one of complianceCases) {
    it(one.name, () => expect(one.run(() => pair(["sluice.v1"]))).resolves.toBeUndefined());
  }
});
