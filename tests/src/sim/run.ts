// Runs a seed, and makes what fails smaller.
import { Violation } from "./violation.ts";
import { World } from "./world.ts";

export interface Outcome {
  readonly seed: number;
  readonly hash: number;
  readonly events: number;
  readonly bytes: number;
  readonly violation: Violation | undefined;
  readonly trace: readonly string[];
}

export function run(
  seed: number,
  options: { readonly recording?: boolean; readonly without?: ReadonlySet<number> } = {},
): Outcome {
  const world = new World({ seed, ...options });
  let violation: Violation | undefined;
  try {
    world.run();
  } catch (error) {
    violation = error instanceof Violation ? error : new Violation("crash", String((error as Error)?.stack ?? error));
  }
  const { hash, events, lines } = world.trace;
  const [a, b] = world.wire.bytes;
  return { seed, hash, events, bytes: a + b, violation, trace: lines };
}

/** The same failure with as few steps of its program as leaving out one after the other gives. */
export function shrink(seed: number): { readonly without: ReadonlySet<number>; readonly outcome: Outcome } {
  const { setup } = new World({ seed });
  const rule = run(seed).violation?.rule;
  const without = new Set<number>();
  for (let n = setup.steps - 1; n >= 0; n--) {
    without.add(n);
    if (run(seed, { without }).violation?.rule !== rule) without.delete(n);
  }
  return { without, outcome: run(seed, { without, recording: true }) };
}
