import { round, type Outcome, type Stage, type Step } from "../step.ts";

const CALLS = 20_000;
const IN_FLIGHT = 64;

export const calls: Step = {
  name: "calls",
  title: "Calls in both directions",
  async run({ session }: Stage): Promise<Outcome> {
    const begun = performance.now();
    let left = CALLS;
    let wrong = 0;
    const lane = async (): Promise<void> => {
      while (left-- > 0) {
        const sum = await session.call<number>("math/add", { a: left, b: 1 });
        if (!Number.isInteger(sum)) wrong++;
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
    const callsPerSecond = Math.round((CALLS * 1000) / (performance.now() - begun));
    const { theirs, ours } = await session.call<{ theirs: number; ours: number }>("clock/compare");
    const back = Math.abs(theirs - ours) < 60_000;
    return {
      ok: wrong === 0 && back,
      says: `${CALLS.toLocaleString("en-US")} calls, ${callsPerSecond.toLocaleString("en-US")} a second with ${IN_FLIGHT} in flight; the peer called back for our clock`,
      figures: {
        calls: CALLS,
        calls_per_s: callsPerSecond,
        wrong,
        called_back: back,
        clock_apart_ms: round(ours - theirs),
      },
    };
  },
};
