import type { Handler } from "@sluice/session";

/** One part of what a connection can be asked: by method, and what is to be done when the connection is gone. */
export interface MethodTable {
  readonly handlers: Readonly<Record<string, Handler>>;
  close(): void;
}

/** As codex names what a method belongs to, when it is asked too early. */
export function familyOf(method: string): string {
  const [first = method] = method.split("/");
  return FAMILIES[first] ?? method.replace("/", " ");
}

const FAMILIES: Readonly<Record<string, string>> = { process: "process", fs: "filesystem", http: "http" };

/** What never waits behind other calls. */
export function runsAtOnce(method: string): boolean {
  return AT_ONCE.has(method);
}

const AT_ONCE: ReadonlySet<string> = new Set([
  "environment/info",
  "environment/status",
  "process/signal",
  "process/terminate",
  "process/write",
  "fs/close",
  "http/request/cancel",
  // Takes its place in the lanes by itself: one that still waits for it can be cancelled.
  "http/request",
]);
