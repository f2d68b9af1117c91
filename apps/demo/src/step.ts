import type { Session } from "@sluice/session";
import type { Arguments } from "./arguments.ts";
import type { Screen } from "./screen.ts";
import type { Peer } from "./transports.ts";

/** What a step works with. */
export interface Stage {
  readonly session: Session;
  readonly peer: Peer;
  readonly args: Arguments;
  readonly screen: Screen;
}

/** What a step found: whether it held, a sentence for people, figures for machines. */
export interface Outcome {
  readonly ok: boolean;
  readonly says: string;
  readonly figures: Readonly<Record<string, number | string | boolean>>;
}

export interface Step {
  readonly name: string;
  readonly title: string;
  run(stage: Stage): Promise<Outcome>;
}

export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))] ?? 0;
}

export function round(value: number, digits: number = 2): number {
  return Number(value.toFixed(digits));
}
