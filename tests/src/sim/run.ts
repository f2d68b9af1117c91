// Runs a seed, and makes what fails smaller.
import { count, type Figures } from "./figures.ts";
import { Violation } from "./violation.ts";
import { World } from "./world.ts";

export interface Outcome {
  readonly seed: number;
  readonly hash: number;
  readonly figures: Figures;
  readonly violation: { readonly rule: string; readonly message: string } | undefined;
  readonly trace: readonly string[];
}

export interface Variation {
  readonly recording?: boolean;
  /** Steps of the program to leave out. */
  readonly without?: ReadonlySet<number>;
}

export function run(seed: number, variation: Variation = {}): Outcome {
  const world = new World({ seed, ...variation });
  let violation: Outcome["violation"];
  try {
    world.run();
  } catch (error) {
    const { rule, message } =
      error instanceof Violation ? error : new Violation("crash", String((error as Error)?.stack ?? error));
    violation = { rule, message };
  }
  return { seed, hash: world.trace.hash, figures: count(world), violation, trace: world.trace.lines };
}

/** The same failure with as few steps of its program as leaving out one after the other gives. */
export function shrink(seed: number): {
  readonly outcome: Outcome;
  readonly steps: number;
  readonly of: number;
} {
  const { setup } = new World({ seed });
  const rule = run(seed).violation?.rule;
  const without = new Set<number>();
  for (let n = setup.steps - 1; n >= 0; n--) {
    without.add(n);
    if (run(seed, { without }).violation?.rule !== rule) without.delete(n);
  }
  const outcome = run(seed, { without, recording: true });
  return { outcome, steps: setup.steps - without.size, of: setup.steps };
}
