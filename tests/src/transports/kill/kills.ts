import { Random } from "../../sim/random.ts";
import { KINDS, type KindName } from "../kinds.ts";
import type { Runtime } from "../runtimes.ts";
import { pickDoom } from "./doom.ts";
import { Round, type Kill } from "./round.ts";

export interface KillsOptions {
  readonly kind: KindName;
  readonly runtime: Runtime;
  /** How many; a client and a server in turn. */
  readonly times: number;
  readonly seed: number;
  /** Called after each. */
  readonly onKill?: () => void;
}

/** One in so many rounds also sees the server close in order. */
const CLOSES = 4;

/** Rounds at a time: in each only two processes work. */
const ROUNDS = 2;

/** Kills so many times, at moments that follow from the seed. Never rejects. */
export async function runKills({
  kind,
  runtime,
  times,
  seed,
  onKill,
}: KillsOptions): Promise<readonly Kill[]> {
  const kills: Kill[] = [];
  const rounds = Math.ceil(times / 2);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let round = next++; round < rounds; round = next++) {
      const random = Random.of(seed, KINDS.indexOf(kind) * 1_000_000 + round);
      for (const kill of await runRound(kind, runtime, random, Math.min(2, times - 2 * round))) {
        kills.push(kill);
        onKill?.();
      }
    }
  };
  await Promise.all(Array.from({ length: ROUNDS }, work));
  return kills;
}

/**
 * Deno 2.9 never ends by itself once a request was answered while its body was being read and its connection was lost. So
 * there a server that takes large bodies closes before a client of its is killed, and not after that.
 */
function closesFirst(kind: KindName, runtime: Runtime): boolean {
  return runtime === "deno" && kind === "http frames";
}

async function runRound(kind: KindName, runtime: Runtime, random: Random, times: number): Promise<Kill[]> {
  const kills: Kill[] = [];
  const round = new Round(kind, runtime);
  const [first, second, closes] = [pickDoom(random), pickDoom(random), random.below(CLOSES) === 0];
  const early = closes && closesFirst(kind, runtime);
  try {
    const before = early ? await round.closeServer() : [];
    const kill = await round.killClient(first);
    const after = closes && !early ? await round.closeServer() : [];
    kills.push({ ...kill, wrong: [...before, ...kill.wrong, ...after] });
    if (times > 1) kills.push(await round.killServer(second));
  } catch (error) {
    const victim = kills.length === 0 ? "client" : "server";
    const doom = kills.length === 0 ? first : second;
    kills.push({ victim, doom, ms: 0, ends: [], wrong: [(error as Error).message] });
  } finally {
    await round.stop();
  }
  return kills;
}
