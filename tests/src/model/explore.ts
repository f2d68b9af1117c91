// Every interleaving of a program, breadth first: the first fault found is one of the shortest.
import { Model } from "./model.ts";
import { RULES, type Program, type Rules } from "./rules.ts";
import { State } from "./state.ts";

export interface Explored {
  readonly states: number;
  /** All there are, not only as many as were allowed. */
  readonly complete: boolean;
  /** The first state in which a rule is broken, and how it came to be. */
  readonly broken: Found | undefined;
  /** The first in which nothing can happen and something is left. */
  readonly stuck: Found | undefined;
  /** The first from which there is no way to an empty end. */
  readonly lost: Found | undefined;
  /** The most frames for gone streams in one run (S13). */
  readonly late: number;
}

interface Found {
  readonly what: string;
  readonly how: readonly string[];
}

export function explore(program: Program, rules: Partial<Rules> = {}, most: number = 1_000_000): Explored {
  const model = new Model(program, { ...RULES, ...rules });
  const ids = new Map<string, number>();
  const states: State[] = [];
  const parents: number[] = [];
  const names: string[] = [];
  const before: number[][] = [];
  const reach = (state: State, parent: number, name: string): void => {
    const { key } = state;
    let id = ids.get(key);
    if (id === undefined) {
      id = states.length;
      ids.set(key, id);
      states.push(state);
      parents.push(parent);
      names.push(name);
      before.push([]);
    }
    if (parent >= 0) before[id]!.push(parent);
  };
  const found = (what: string, id: number): Found => {
    const how: string[] = [];
    for (let at = id; parents[at]! >= 0; at = parents[at]!) how.push(names[at]!);
    return { what, how: how.reverse() };
  };

  let broken: Found | undefined;
  let stuck: Found | undefined;
  let late = 0;
  const good: number[] = [];
  reach(new State(program.streams.length), -1, "");
  let id = 0;
  for (; id < states.length && states.length < most; id++) {
    const state = states[id]!;
    late = Math.max(late, state.late);
    if (state.broken !== "") {
      broken ??= found(state.broken, id);
      continue;
    }
    const moves = model.moves(state);
    if (state.isEmpty && state.isQuiet && state.call === "done") good.push(id);
    if (moves.length === 0 && !state.isEmpty) stuck ??= found("nothing can happen", id);
    for (const { name, to } of moves) reach(to, id, name);
  }
  const complete = id === states.length;

  // From where an empty end can be reached.
  const safe = new Uint8Array(states.length);
  for (const at of good) safe[at] = 1;
  for (let at = good.pop(); at !== undefined; at = good.pop())
    for (const from of before[at]!)
      if (safe[from] === 0) {
        safe[from] = 1;
        good.push(from);
      }
  const unsafe = complete ? states.findIndex((state, at) => safe[at] === 0 && state.broken === "") : -1;
  const lost = unsafe < 0 ? undefined : found("no way to an empty end", unsafe);
  return { states: states.length, complete, broken, stuck, lost, late };
}
