// What one seed's run is like, before it begins: two ends, a link between them and what will go wrong with it.
import { Headers } from "@sluice/codec";
import { jsonrpc, lsp } from "@sluice/codec";
import { LIMITS, type CoreOptions, type Limits } from "@sluice/core";
import type { Random } from "./random.ts";

const KiB = 1024;

export interface LinkSetup {
  /** ms, at most. */
  readonly delay: number;
  /** In how many of a hundred deliveries chunks are cut or joined. */
  readonly resegment: number;
  /** Bytes that may be on their way before the transport is full. */
  readonly capacity: number;
}

/** How the link goes. `fin`: one direction ends, and only its reader hears; `loss`: both ends lose it at once. */
export interface Cut {
  readonly direction: 0 | 1;
  /** After so many bytes, or messages. */
  readonly after: number;
  readonly kind: "fin" | "loss" | "loss with error";
}

export interface Setup {
  readonly options: readonly [CoreOptions, CoreOptions];
  readonly links: readonly [LinkSetup, LinkSetup];
  readonly cut: Cut | undefined;
  readonly steps: number;
  /** ms until the program is over. */
  readonly length: number;
  /** Many calls with a little of everything, or few with streams of many windows. */
  readonly kind: "calls" | "streams";
}

export function setup(random: Random): Setup {
  const unit = random.chance(60) ? "bytes" : "messages";
  const kind = random.pick(["calls", "streams"] as const);
  const start = random.chance(15);
  const headers = random.chance(30);
  const plain = random.chance(4);
  const options = (role: "initiator" | "acceptor"): CoreOptions => {
    const theirs = limits(random, plain);
    return {
      role,
      unit,
      limits: theirs,
      encodings: random.pick([["frames", "json"], ["json", "frames"], ["json"], ["frames", "json"]]),
      framesFromStart: start && !plain,
      ...(headers ? { framing: (all: Limits) => new Headers(all) } : {}),
      ...(random.chance(20) ? { keepAlive: random.pick([5, 20, 60]) } : {}),
      dialect: plain ? lsp : jsonrpc,
    };
  };
  return {
    options: [options("initiator"), options("acceptor")],
    links: [link(random), link(random)],
    cut: random.chance(25) ? cut(random, unit) : undefined,
    steps: kind === "calls" ? random.between(3, 50) : random.between(2, 12),
    length: random.pick([20, 100, 300]),
    kind,
  };
}

function limits(random: Random, plain: boolean): Limits {
  const window = random.pick([4 * KiB, 4 * KiB, 5000, 8 * KiB, 16 * KiB, 64 * KiB]);
  const all = {
    ...LIMITS,
    window,
    windowMax: window * random.pick([1, 2, 3, 16]),
    unread: random.pick([4 * KiB, 32 * KiB, LIMITS.unread]),
    highWater: random.pick([1, 100, 4 * KiB, 64 * KiB]),
    streams: random.pick([1, 3, 8, LIMITS.streams, LIMITS.streams]),
    calls: random.pick([1, 2, 4, LIMITS.calls]),
    waiting: random.pick([1, 3, LIMITS.waiting, LIMITS.waiting]),
    pending: random.pick([2, LIMITS.pending, LIMITS.pending, LIMITS.pending]),
    // A plain peer does not say how much it takes.
    message: plain ? LIMITS.message : random.pick([12 * KiB, 64 * KiB, LIMITS.message]),
    greeting: 1000,
    ping: random.pick([30, 100]),
    handler: random.pick([20, LIMITS.handler, LIMITS.handler, LIMITS.handler]),
    grace: random.pick([10, 100]),
    drain: random.pick([30, 200]),
  };
  return { ...all, item: random.pick([2000, 30_000, all.message]) };
}

function link(random: Random): LinkSetup {
  return {
    delay: random.pick([0, 0, 1, 5, 30]),
    resegment: random.pick([0, 20, 100]),
    capacity: random.pick([1, 4 * KiB, 64 * KiB, Number.POSITIVE_INFINITY]),
  };
}

function cut(random: Random, unit: "bytes" | "messages"): Cut {
  return {
    direction: random.below(2) as 0 | 1,
    after: random.chance(20) ? random.below(1000) : random.size(unit === "bytes" ? 64 * KiB : 64),
    kind: random.pick(["fin", "loss", "loss with error"]),
  };
}
