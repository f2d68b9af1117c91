import type { Stage } from "./stage.ts";

/** A call of ours, and what became of it. */
export async function ours(
  { session, peer }: Stage,
  method: string,
): Promise<{ id: number; done: Promise<unknown> }> {
  const done = session.call(method).catch((failed: unknown) => failed);
  return { id: (await peer.until((said) => said["method"] === method))["id"] as number, done };
}
