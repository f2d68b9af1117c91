import { describe, expect, it } from "vitest";
import {
  asText,
  compliancePeer,
  complianceCases,
  remoteCases,
  type Pair,
  type RemotePair,
} from "./compliance.ts";
import { memoryPair } from "./memory.ts";
import { shapedPair } from "./shaped.ts";
import type { Chunk, Transport } from "./transport.ts";
import { fromWebStreams, toWebStreams } from "./web.ts";

const dispose = async (): Promise<void> => {};
const units = ["bytes", "messages"] as const;

/** A clock without time: what is due later comes in a later turn. */
const soon = (fn: () => void): void => {
  const { port1, port2 } = new MessageChannel();
  port1.addEventListener("message", () => {
    port1.close();
    fn();
  });
  port1.start();
  port2.postMessage(undefined);
};

/** Two identity streams, crossed. */
function webPair(unit: "bytes" | "messages"): [Transport, Transport] {
  const room = { highWaterMark: 64 * 1024, size: (chunk?: Chunk) => chunk?.length ?? 0 };
  const there = new TransformStream<Chunk, Chunk>({}, room, room);
  const back = new TransformStream<Chunk, Chunk>({}, room, room);
  return [
    fromWebStreams({ readable: back.readable, writable: there.writable }, { unit }),
    fromWebStreams({ readable: there.readable, writable: back.writable }, { unit }),
  ];
}

/** A memory pair whose left end went to web streams and back. */
function thereAndBack(unit: "bytes" | "messages"): [Transport, Transport] {
  const [left, right] = memoryPair({ unit });
  return [fromWebStreams(toWebStreams(left), { unit }), right];
}

const kinds: Record<string, (unit: "bytes" | "messages") => [Transport, Transport]> = {
  "a memory pair": (unit) => memoryPair({ unit }),
  "a shaped pair": (unit) => shapedPair({ seed: 7, schedule: soon }, { unit }),
  "web streams": webPair,
  "a transport that went to web streams and back": thereAndBack,
};

for (const [kind, make] of Object.entries(kinds)) {
  for (const unit of units) {
    describe(`${kind} of ${unit}`, () => {
      const pair = async (): Promise<Pair> => {
        const [left, right] = make(unit);
        return { left, right, dispose };
      };
      for (const one of complianceCases) {
        it(one.name, () => expect(one.run(pair)).resolves.toBeUndefined());
      }
    });
  }
}

describe("a memory pair of messages that carries chunks as text", () => {
  const pair = async (): Promise<Pair> => {
    const [left, right] = memoryPair({ unit: "messages" });
    return { left: asText(left, "initiator"), right: asText(right, "acceptor"), dispose };
  };
  for (const one of complianceCases) {
    it(one.name, () => expect(one.run(pair)).resolves.toBeUndefined());
  }
});

describe("the remote cases over a memory pair", () => {
  const pair = async (): Promise<RemotePair> => {
    const [near, far] = memoryPair();
    void compliancePeer(far);
    return { near, dispose };
  };
  for (const one of remoteCases) {
    it(one.name, () => expect(one.run(pair)).resolves.toBeUndefined());
  }
});
