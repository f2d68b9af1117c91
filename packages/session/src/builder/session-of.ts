// What a connection asks of its session.
import { withDefaults, type Limits } from "@sluice/core";
import type { SessionOptions } from "../connect.ts";
import type { ConnectOptions } from "./component.ts";
import type { Role } from "./role.ts";

/** Whether it only answers who is there, or has a function of its own that drives it. */
export type Mode = "reactive" | "driving";

// The core hands everything over: what may wait is bounded by the connection's queue, which pauses reading.
const MANY = 2 ** 40;
const UNBOUNDED = { calls: MANY, waiting: MANY, waitingBytes: MANY };
/** ms between the last answers, once the grace is over, and the end. */
const LAST = 50;

/** `given` with the limits that are the connection's affair taken off. */
export function sessionOf(
  role: Role,
  mode: Mode,
  given: ConnectOptions,
): { readonly side: "initiator" | "acceptor"; readonly options: SessionOptions; readonly limits: Limits } {
  const limits = withDefaults(given.limits);
  const { side = "initiator" } = role.options;
  // One that waits for whoever is there can hear a greeting, and need not.
  const mayBeGreeted = side === "acceptor" && mode === "reactive";
  const greets = given.streams ?? mayBeGreeted;
  const options: SessionOptions = {
    ...given,
    dialect: { ...role.dialect, greets },
    limits: {
      ...given.limits,
      ...UNBOUNDED,
      grace: limits.grace + LAST,
      ...(mayBeGreeted && { greeting: Number.POSITIVE_INFINITY }),
    },
  };
  return { side, options, limits };
}
