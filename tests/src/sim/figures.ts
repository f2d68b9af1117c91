// What a run did, so that a simulation that does nothing can be seen.
import type { World } from "./world.ts";

export type Figures = Readonly<Record<string, number>>;

export function count(world: World): Figures {
  const figures: Record<string, number> = {};
  const add = (what: string, n = 1): void => void (figures[what] = (figures[what] ?? 0) + n);
  add("events", world.trace.events);
  add("bytes", world.wire.bytes[0] + world.wire.bytes[1]);
  for (const { outcome, settled } of world.ledger.calls) {
    const { name, code } = (outcome ?? {}) as { name?: string; code?: number | string };
    if (settled === 0) add("call: open");
    else if (name === undefined) add("call: result");
    else add(`call: ${name}${typeof code === "number" ? ` ${code >= 4000 ? "of its handler" : code}` : ""}`);
  }
  for (const { reader, writer, seen } of world.ledger.streams.values()) {
    const ends = `${writer?.state ?? "nobody"} → ${seen ?? reader?.state ?? "nobody"}`;
    add(`stream: ${ends}`);
    if (writer !== undefined && writer.window.sent > 70_000) add("stream: beyond 70 kB");
  }
  for (const end of world.ends)
    add(`session: ${end.error === undefined ? "open" : `${end.error.code} by ${end.error.by}`}`);
  return figures;
}

export function sum(all: Record<string, number>, more: Figures): void {
  for (const [what, n] of Object.entries(more)) all[what] = (all[what] ?? 0) + n;
}
