import type { SendHalf } from "@sluice/streams";
import { expect, it } from "vitest";
import { Pair, TestStream } from "./testing.ts";

it("S11: a stream of the request that nobody took stays while a stream of the result may still read it", () => {
  const pair = Pair.greeted();
  pair.b.takes = false;
  const body = new TestStream("bytes", "sender");
  const lines = new TestStream("items", "sender");
  const released: string[] = [];
  const call = pair.a.call("grep", { body });
  pair.settle();
  const incoming = pair.b.seen.calls[0]!;
  incoming.onReleased = (): void => void released.push("call");
  incoming.succeed({ lines });
  pair.settle();
  expect(call.outcomes).toHaveLength(1);
  expect(body.send.state).toBe("open");
  expect(released).toEqual([]);

  (lines.half as SendHalf).end();
  pair.settle();
  expect(body.send.state).toBe("reset");
  expect(released).toEqual(["call"]);
});

it("S11: without a stream in the answer it is dropped with the answer", () => {
  const pair = Pair.greeted();
  pair.b.takes = false;
  const body = new TestStream("bytes", "sender");
  pair.a.call("ignore", { body });
  pair.settle();
  pair.b.seen.calls[0]!.succeed(null);
  pair.settle();
  expect(body.send.error?.code).toBe(0);
});
