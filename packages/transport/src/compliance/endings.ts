import { TransportError } from "../error.ts";
import { bothWays, closeOnEnd, type ComplianceCase } from "./case.ts";
import { check, turns } from "./end.ts";

const BULK = 1024 * 1024;

/** Every way to the end: each end hears it once, and nothing is lost that was to be delivered. */
export const endingCases: readonly ComplianceCase[] = [
  ...bothWays(
    "close delivers all that was accepted, then ends both ends",
    { far: closeOnEnd },
    async ({ near, far }) => {
      near.push(BULK, 65536);
      near.transport.close("done");
      await far.closedOrderly();
      await near.closedOrderly();
      far.expectPattern(near.sent);
    },
  ),

  ...bothWays("after one end has closed the other may go on sending", {}, async (ends) => {
    const { near, far, halfCloses } = ends;
    near.push(1000, 1000);
    near.transport.close();
    await far.until(() => far.ends > 0);
    if (!halfCloses) {
      await near.closedOrderly();
      await far.closedOrderly();
      return far.expectPattern(1000);
    }
    check(near.closes === 0, "an end closed while the other could still send");
    await far.send(BULK, 65536);
    far.transport.close();
    await near.closedOrderly();
    await far.closedOrderly();
    near.expectPattern(BULK);
    far.expectPattern(1000);
  }),

  ...bothWays("both ends may close at the same time", {}, async ({ near, far, halfCloses }) => {
    near.push(1000, 100);
    far.push(2000, 100);
    near.transport.close();
    far.transport.close();
    await near.closedOrderly();
    await far.closedOrderly();
    // Where a close ends both directions, what is on its way to who has closed may be lost.
    if (!halfCloses) return;
    near.expectPattern(2000);
    far.expectPattern(1000);
  }),

  ...bothWays(
    "a write after close or onClose is refused and changes nothing",
    { far: closeOnEnd },
    async ({ near, far }) => {
      near.push(10, 10);
      near.transport.close();
      check(!near.fill(20, 10), "a write after close was not refused");
      await near.closedOrderly();
      await far.closedOrderly();
      check(!near.fill(30, 10), "a write after onClose was not refused");
      check(!far.fill(10, 10), "a write after onClose was not refused");
      await turns();
      far.expectPattern(10);
    },
  ),

  ...bothWays(
    "close and abort may be called again, and after each other",
    { far: closeOnEnd },
    async ({ near, far }) => {
      near.transport.close();
      near.transport.close();
      near.transport.abort();
      near.transport.abort(new TransportError("aborted", "too late"));
      near.transport.close();
      await near.closed();
      await far.closed();
      near.transport.abort();
      near.transport.close();
      await turns();
      check(near.closes === 1 && far.closes === 1, "onClose came more than once");
      check(near.error === undefined, "the first abort had no error, onClose has");
    },
  ),

  ...bothWays(
    "abort closes with its error, and takes back nothing that was delivered",
    { far: closeOnEnd },
    async ({ near, far }) => {
      far.push(5000, 100);
      await near.until(() => near.received >= 5000);
      const error = new TransportError("aborted", "enough");
      near.transport.abort(error);
      check(!near.fill(10, 10), "a write after abort was not refused");
      await near.closed();
      check(near.error === error, `abort was given an error, onClose another: ${near.error?.message}`);
      near.expectPattern(5000);
      await far.closed();
    },
  ),

  ...bothWays("abort stops a flood at once", { far: closeOnEnd }, async ({ near, far }) => {
    const flood = far.send(Infinity, 65536).catch(() => {});
    await near.until(() => near.received > 0);
    near.transport.abort();
    const received = near.received;
    await near.closed();
    check(near.error === undefined, "abort without an error closed with one");
    check(near.received === received, "data came after abort");
    await far.closed();
    await flood;
  }),

  ...bothWays(
    "abort ends an end that is paused, and one that is full",
    { far: closeOnEnd },
    async ({ near, far, bound }) => {
      near.transport.pause();
      far.transport.pause();
      while (near.fill(near.sent + 65536, 65536) && near.sent < bound) await turns(1);
      near.transport.abort();
      await near.closed();
      far.transport.resume();
      await far.closed();
    },
  ),

  ...(["onData", "onDrain", "onEnd"] as const).flatMap((callback) =>
    bothWays(
      `an exception in ${callback} aborts the transport and is the cause`,
      {
        near: () => ({
          [callback]() {
            throw new RangeError("thrown by a callback");
          },
        }),
        far: closeOnEnd,
      },
      async ({ near, far, holdsBack, bound }) => {
        if (callback === "onDrain") {
          if (!holdsBack) return;
          far.transport.pause();
          while (near.fill(near.sent + 65536, 65536) && near.sent < bound) await turns(1);
          far.transport.resume();
        } else {
          far.push(10, 10);
          far.transport.close();
        }
        await near.closed();
        check(
          near.error?.cause instanceof RangeError,
          `onClose came without the exception: ${near.error?.message}`,
        );
        check(near.error.code === "aborted", `its code is ${near.error.code}`);
        await far.closed();
      },
    ),
  ),
];
