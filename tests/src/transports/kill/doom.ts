import type { Chunk, Transport } from "@sluice/transport";
import process from "node:process";
import type { Random } from "../../sim/random.ts";

/** When a process kills itself: bytes it has received on its transport, or ms. */
export type Doom = { readonly afterBytes: number } | { readonly afterMs: number };

const MOST_BYTES = 4 * 1024 * 1024;
const MOST_MS = 30;

/** Some by bytes of every order of magnitude, some deep in the streams, some by the clock, which begins with the dialling. */
export function pickDoom(random: Random): Doom {
  if (random.chance(40)) return { afterMs: random.below(MOST_MS * 1000) / 1000 };
  return { afterBytes: random.chance(40) ? random.size(MOST_BYTES) : random.between(0, MOST_BYTES) };
}

/** Starts the clock of a doom that has one. */
export function startClock(doom: Doom): void {
  if ("afterMs" in doom) setTimeout(die, doom.afterMs);
}

/** Dooms a transport that is not started. */
export function countDown(transport: Transport, doom: Doom): void {
  if (!("afterBytes" in doom)) return;
  let left = doom.afterBytes;
  const start = transport.start.bind(transport);
  transport.start = (events) => {
    if (left === 0) die();
    start({
      onData: (chunk: Chunk) => {
        if ((left -= chunk.length) <= 0) die();
        events.onData(chunk);
      },
      onDrain: () => events.onDrain(),
      onEnd: () => events.onEnd(),
      onClose: (error) => events.onClose(error),
    });
  };
}

/** Nothing of this process runs after this: no handler, no flush. */
function die(): void {
  process.kill(process.pid, "SIGKILL");
}
