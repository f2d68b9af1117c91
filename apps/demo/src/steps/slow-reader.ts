import type { Session } from "@sluice/session";
import { percentile, round, type Outcome, type Stage, type Step } from "../step.ts";

const MIB = 1024 * 1024;
const MS = 2000;
const PAUSE = 20;

export const slowReader: Step = {
  name: "slow reader",
  title: "One stream read slowly, while another and the calls keep their pace",
  async run({ session, screen }: Stage): Promise<Outcome> {
    const idle = await pings(session, MS / 4);
    const slow = await open(session);
    const fast = await open(session);
    const until = performance.now() + MS;
    let mostUnread = 0;
    const watch = (): void => {
      mostUnread = Math.max(mostUnread, session.stats().unread);
    };
    const [slowBytes, fastBytes, beside] = await Promise.all([
      read(slow, until, async () => {
        watch();
        await pause(PAUSE);
      }),
      read(fast, until, undefined),
      pings(session, MS),
    ]);
    screen.line(
      `slow stream ${round((slowBytes / MIB) * (1000 / MS), 1)} MiB/s, fast stream ${Math.round((fastBytes / MIB) * (1000 / MS))} MiB/s`,
    );
    const p99 = percentile(beside, 99);
    return {
      ok: beside.length > 0 && fastBytes > slowBytes && mostUnread < 64 * MIB,
      says: `calls took ${round(percentile(beside, 50))} ms (p50) and ${round(p99)} ms (p99) beside both, ${round(percentile(idle, 50))} ms and ${round(percentile(idle, 99))} ms with nothing beside them`,
      figures: {
        pings: beside.length,
        ping_p50_ms: round(percentile(beside, 50), 3),
        ping_p99_ms: round(p99, 3),
        idle_p50_ms: round(percentile(idle, 50), 3),
        idle_p99_ms: round(percentile(idle, 99), 3),
        slow_mib_per_s: round((slowBytes / MIB) * (1000 / MS)),
        fast_mib_per_s: round((fastBytes / MIB) * (1000 / MS)),
        most_unread_bytes: mostUnread,
      },
    };
  },
};

function open(session: Session): Promise<AsyncIterable<Uint8Array>> {
  return session.call<AsyncIterable<Uint8Array>>("bytes/endless");
}

async function read(
  stream: AsyncIterable<Uint8Array>,
  until: number,
  between: (() => Promise<void>) | undefined,
): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (performance.now() >= until) break;
    await between?.();
  }
  return bytes;
}

async function pings(session: Session, ms: number): Promise<number[]> {
  const times: number[] = [];
  for (const until = performance.now() + ms; performance.now() < until; await pause(2)) {
    const begun = performance.now();
    await session.call("math/add", { a: 1, b: 2 });
    times.push(performance.now() - begun);
  }
  return times;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
