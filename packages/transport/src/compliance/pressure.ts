import { bothWays, type ComplianceCase } from "./case.ts";
import { check, turns } from "./end.ts";

const CHUNK = 64 * 1024;

/** A slow reader holds its sender back, and a paused one hears nothing. */
export const pressureCases: readonly ComplianceCase[] = [
  ...bothWays("a sender to a paused end is told to stop, and called when it may go on", {}, async (ends) => {
    const { near, far, bound, holdsBack } = ends;
    if (!holdsBack) return;
    far.transport.pause();
    while (near.fill(near.sent + CHUNK, CHUNK)) {
      check(near.sent <= bound, `${near.sent} bytes were accepted though nobody reads`);
      // Only turns bring the far end's refusal to us where bytes travel through the system.
      await turns(1);
    }
    const [held, drains] = [near.sent, near.drains];
    far.transport.resume();
    await near.until(() => near.drains > drains);
    await near.send(held + CHUNK, CHUNK);
    await far.until(() => far.received >= near.sent);
    far.expectPattern(near.sent);
  }),

  ...bothWays(
    "a paused end is given no more than what was on its way",
    {
      far: (end) => ({
        onData: () =>
          end().closes === 0 && end().received < 3 * CHUNK ? end().transport.pause() : undefined,
      }),
    },
    async ({ near, far, holdsBack, bound }) => {
      near.push(CHUNK, CHUNK);
      await far.until(() => far.received > 0);
      const paused = far.received;
      while (near.fill(near.sent + CHUNK, CHUNK) && near.sent < bound) await turns(1);
      await turns();
      check(
        far.received - paused <= 4 * CHUNK || !holdsBack,
        `${far.received - paused} bytes came after pause`,
      );
      // It pauses again and again at first: every resume must go on where it stopped.
      while (far.received < 3 * CHUNK && far.received < near.sent) {
        const before = far.received;
        far.transport.resume();
        await far.until(() => far.received > before);
      }
      far.transport.resume();
      await far.until(() => far.received >= near.sent);
      far.expectPattern(near.sent);
    },
  ),

  ...bothWays("pause and resume may be called at any time and again", {}, async ({ near, far }) => {
    far.transport.resume();
    far.transport.pause();
    far.transport.pause();
    far.transport.resume();
    far.transport.resume();
    near.push(200_000, 1000);
    await far.until(() => far.received >= 200_000);
    far.expectPattern(200_000);
    far.transport.abort();
    far.transport.pause();
    far.transport.resume();
    await far.closed();
  }),

  ...bothWays("a paused end hears the end only after it has heard the data", {}, async ({ near, far }) => {
    far.transport.pause();
    near.push(30_000, 1000);
    near.transport.close();
    await turns();
    check(far.ends === 0 || far.received === 30_000, "the end overtook data");
    far.transport.resume();
    await far.until(() => far.ends > 0);
    far.expectPattern(30_000);
    far.transport.close();
    await far.closedOrderly();
    await near.closedOrderly();
  }),
];
