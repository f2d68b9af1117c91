import { expect, it } from "vitest";
import { Pair } from "./testing.ts";

it("L2: a peer that has said goodbye is not kept waiting for handlers that still run", () => {
  const pair = Pair.greeted();
  const call = pair.a.call("slow");
  pair.settle();
  pair.a.core.close("enough");
  pair.settle(); // the goodbye; the call runs on
  expect(pair.b.core.stats().handlers).toBe(1);
  pair.b.core.inputEnded(pair.now);
  expect(pair.b.seen.ended).toMatchObject([{ code: "closed", by: "peer" }]);
  expect(pair.b.seen.calls[0]!.cancelled).toBe(pair.b.seen.ended[0]);
  expect(call.outcomes).toHaveLength(1);
});
