import type { Transport } from "../transport.ts";
import { End, type Reactions } from "./end.ts";

/** Two joined transports, neither started, and what they can do. */
export interface Pair {
  readonly left: Transport;
  readonly right: Transport;
  /** Most bytes that may be on the way when a sender is told to stop. Default 16 MiB: two sockets' buffers. */
  readonly bound?: number;
  /** False where a paused receiver cannot hold its sender back, as with a browser's WebSocket. Default true. */
  readonly holdsBack?: boolean;
  /** False where a close ends both directions, as on a WebSocket of a plain peer. Default true. */
  readonly halfCloses?: boolean;
  /** Lets go of everything, also where the transports are still open. */
  dispose(): Promise<void>;
}

/** One rule of the contract. `run` makes what it needs, and rejects with the reason where the rule is broken. */
export interface ComplianceCase {
  readonly name: string;
  run(make: () => Promise<Pair>): Promise<void>;
}

/** A pair in the hands of a case: `near` acts, `far` is acted upon. */
export interface Ends {
  readonly near: End;
  readonly far: End;
  readonly bound: number;
  readonly holdsBack: boolean;
  readonly halfCloses: boolean;
}

/** How the ends react; they are not started yet where `start` is false. */
export interface Setup {
  readonly near?: (end: () => End) => Reactions;
  readonly far?: (end: () => End) => Reactions;
  readonly start?: boolean;
}

/** The end closes its direction as soon as the other has. */
export function closeOnEnd(end: () => End): Reactions {
  return { onEnd: () => end().transport.close() };
}

/** The case twice: once the left acts, once the right. */
export function bothWays(name: string, setup: Setup, act: (ends: Ends) => Promise<void>): ComplianceCase[] {
  return (["left", "right"] as const).map((side) => ({
    name: `${name} (the ${side} acts)`,
    run: async (make) => {
      const pair = await make();
      try {
        const far = side === "left" ? "right" : "left";
        const ends: { near: End; far: End } = {
          near: new End(
            `the ${side}`,
            pair[side],
            setup.near?.(() => ends.near),
          ),
          far: new End(
            `the ${far}`,
            pair[far],
            setup.far?.(() => ends.far),
          ),
        };
        if (setup.start !== false) {
          ends.near.start();
          ends.far.start();
        }
        const { bound = 16 * 1024 * 1024, holdsBack = true, halfCloses = true } = pair;
        await act({ ...ends, bound, holdsBack, halfCloses });
        ends.near.verify();
        ends.far.verify();
      } finally {
        await pair.dispose();
      }
    },
  }));
}
