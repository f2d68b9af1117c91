// What must be true once a program is over.
import { SessionError } from "@sluice/core";
import { check } from "./violation.ts";
import type { World } from "./world.ts";

/** C3: who runs for nobody has been told. */
export function checkCancels(world: World): void {
  for (const end of world.ends) {
    if (end.error !== undefined || end.peer.error !== undefined || end.core.phase === "finishing") continue;
    for (const { record } of end.handler.running) {
      const told = !record.givenUp || record.aborted === 1;
      check(told, "C3", `call ${record.token} was given up, and its handler runs on`);
    }
  }
}

/** L1: what was accepted for sending arrives, unless the link or its receiver went first. */
export function checkPromised(world: World): void {
  const heard = world.ends.some(({ error }) => error?.code === "closed" && error.by === "peer");
  if (world.wasCut || !heard) return;
  for (const record of world.promised) {
    const lost = record?.outcome instanceof SessionError;
    check(!lost, "L1", `call ${record?.token} was answered before the session closed, and failed`);
  }
}

/** Everybody has been told, once, and nothing is left. */
export function checkEmpty(world: World, closed: boolean): void {
  for (const { settled, token } of world.ledger.calls)
    check(settled === 1, "C2", `call ${token} was settled ${settled} times`);
  for (const end of world.ends) {
    for (const { isOver, half } of end.actors) {
      const who = half.kind === "send" ? "writer" : "reader";
      check(isOver, "stuck", `${end.name}: stream ${half.id} is not over for its ${who}`);
    }
    if (!closed) end.handler.checkNotified();
    end.inspector.empty(closed);
  }
}
