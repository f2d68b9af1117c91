/** States, the events that move each, and where to. What is not in the table is an error. */
export type Table<S extends string, E extends string> = Readonly<Record<S, Readonly<Partial<Record<E, S>>>>>;

/** An event that its state does not allow: a mistake in the caller, never something a peer can cause. */
export class IllegalMove extends Error {
  readonly _tag: "IllegalMove" = "IllegalMove";
  override readonly name: string = "IllegalMove";
}

/** The state after `event`. @throws IllegalMove where the table has none. */
export function move<S extends string, E extends string>(table: Table<S, E>, state: S, event: E): S {
  const next = table[state][event];
  if (next === undefined) throw new IllegalMove(`no "${event}" in state "${state}"`);
  return next;
}

/** Whether `event` may happen in `state`. */
export function may<S extends string, E extends string>(table: Table<S, E>, state: S, event: E): boolean {
  return table[state][event] !== undefined;
}

/** The table as a Mermaid state diagram; the first state is the initial one. */
export function diagram<S extends string, E extends string>(table: Table<S, E>): string {
  const lines = ["stateDiagram-v2"];
  const states = Object.keys(table) as S[];
  const id = (state: S): string => state.replaceAll(" ", "_"); // Mermaid takes no spaces in an id
  for (const state of states) if (id(state) !== state) lines.push(`  state "${state}" as ${id(state)}`);
  lines.push(`  [*] --> ${id(states[0]!)}`);
  for (const state of states) {
    const moves = Object.entries(table[state]) as [E, S][];
    for (const [event, next] of moves) lines.push(`  ${id(state)} --> ${id(next)}: ${event}`);
    if (moves.length === 0) lines.push(`  ${id(state)} --> [*]`);
  }
  return lines.join("\n");
}
