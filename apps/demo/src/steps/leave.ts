import type { Stats } from "@sluice/session";
import type { Outcome, Stage, Step } from "../step.ts";

export const leave: Step = {
  name: "leave",
  title: "Leaving a stream early: it is gone on both ends",
  async run({ session, screen }: Stage): Promise<Outcome> {
    const stream = await session.call<AsyncIterable<Uint8Array>>("bytes/endless");
    const before = await session.call<Stats>("stats");
    let read = 0;
    for await (const chunk of stream) {
      read += chunk.length;
      if (read > 1024 * 1024) break; // tells the peer to stop
    }
    const inTheSameTick = session.stats().streams;
    const there = await session.call<Stats>("stats");
    const here = session.stats();
    screen.line(`streams before: ${before.streams} there; after the break: ${inTheSameTick} here, at once`);
    const ok = before.streams === 1 && inTheSameTick === 0 && there.streams === 0 && here.stopping === 0;
    return {
      ok,
      says: `${here.streams} streams open here and ${there.streams} there, ${here.stopping + there.stopping} stopping, ${here.unread} bytes unread`,
      figures: {
        bytes_read: read,
        streams_open_before: before.streams,
        streams_open_in_the_same_tick: inTheSameTick,
        streams_open_here: here.streams,
        streams_open_there: there.streams,
        streams_stopping_here: here.stopping,
        streams_stopping_there: there.stopping,
        unread_bytes: here.unread,
      },
    };
  },
};
