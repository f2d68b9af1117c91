import type { Table } from "@sluice/streams";

export type Phase = "greeting" | "open" | "draining" | "finishing" | "ended";
export type PhaseEvent = "greeted" | "drain" | "input ended" | "end";

/** `finishing` (L2): the peer sends no more; what runs may still answer. `draining` (C6): no new calls run. */
export const PHASE: Table<Phase, PhaseEvent> = {
  greeting: { greeted: "open", end: "ended" },
  open: { drain: "draining", "input ended": "finishing", end: "ended" },
  draining: { "input ended": "finishing", end: "ended" },
  finishing: { end: "ended" },
  ended: {},
};
