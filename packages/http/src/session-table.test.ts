import { memoryPair, type TransportError } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import { HTTP_LIMITS } from "./limits.ts";
import type { ServerSession } from "./server-session.ts";
import { SessionTable } from "./session-table.ts";

/** A session that does nothing; `ended` resolves with what it was aborted with. */
function idleSession(open = 0): ServerSession & {
  readonly ended: Promise<TransportError | undefined>;
  open: number;
} {
  let end: (error?: TransportError) => void = () => {};
  const ended = new Promise<TransportError | undefined>((resolve) => (end = resolve));
  const handle = (): Promise<Response> => Promise.resolve(new Response());
  return { transport: memoryPair()[0], open, handle, abort: (error) => end(error), ended };
}

describe("the table of sessions", () => {
  it("gives ids of 128 random bits", () => {
    const table = new SessionTable(HTTP_LIMITS);
    const ids = new Set(Array.from({ length: 1000 }, () => table.reserve(undefined)));
    expect(ids.size).toBe(1000);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    for (const id of ids) table.remove(id);
  });

  it("counts a place from the moment it is reserved, for all and for each client", () => {
    const table = new SessionTable({ ...HTTP_LIMITS, sessions: 3, sessionsPerClient: 2 });
    const first = table.reserve("a");
    table.reserve("a");
    expect(table.full("a")).toBe("sessionsPerClient");
    expect(table.full("b")).toBeUndefined();
    const third = table.reserve("b");
    expect(table.full("c")).toBe("sessions");
    table.remove(third);
    table.remove(first);
    table.remove(first);
    expect(table.full("a")).toBeUndefined();
    expect(table.size).toBe(0);
    table.add(first, idleSession());
    expect(table.get(first)).toBeUndefined();
  });

  it("ends a session that had nothing under way for the idle time, and leaves one that has", async () => {
    const table = new SessionTable({ ...HTTP_LIMITS, idle: 20 });
    const [quiet, busy] = [idleSession(), idleSession(1)];
    let early = 0;
    busy.ended.then(
      () => early++,
      () => {},
    );
    const id = table.reserve(undefined);
    table.add(table.reserve(undefined), busy);
    table.add(id, quiet);
    const error = await quiet.ended;
    expect(error?.code).toBe("timeout");
    expect(early).toBe(0);
    table.remove(id);
    busy.open = 0;
    expect((await busy.ended)?.code).toBe("timeout");
  });
});
