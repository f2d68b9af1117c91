import type { Stats } from "@sluice/core";

/** What must be zero once everything in a session has been released. */
const HELD: readonly (keyof Stats)[] = [
  "calls",
  "handlers",
  "waiting",
  "streams",
  "stopping",
  "queued",
  "unread",
  "outbox",
  "granted",
  "credit",
];

/** @throws Error that says what a session still holds: calls, handlers, streams, bytes. For tests. */
export function assertNoLeaks(session: { stats(): Stats }): void {
  const stats = session.stats();
  const held = HELD.filter((name) => stats[name] !== 0).map((name) => `${stats[name]} ${name}`);
  if (held.length > 0) throw new Error(`the session still holds ${held.join(", ")}`);
}
