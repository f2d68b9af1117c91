import { TransportError } from "../error.ts";
import type { Transport } from "../transport.ts";
import { check, End, turns, type Reactions } from "./end.ts";
import { pattern } from "./pattern.ts";
import type { PeerCommand } from "./peer.ts";

const MIB = 1024 * 1024;

/** The near end of a transport whose far end runs `compliancePeer`, not started yet. */
export interface RemotePair {
  readonly near: Transport;
  /** As in `Pair`. */
  readonly bound?: number;
  readonly holdsBack?: boolean;
  readonly halfCloses?: boolean;
  /** How the near end closes when the far process leaves in the middle, or aborts. Default `error`. */
  readonly loss?: "error" | "either";
  dispose(): Promise<void>;
}

/** One rule that shows across processes. */
export interface RemoteCase {
  readonly name: string;
  run(make: () => Promise<RemotePair>): Promise<void>;
}

interface Remote {
  readonly near: End;
  readonly bound: number;
  readonly holdsBack: boolean;
  readonly halfCloses: boolean;
  readonly loss: "error" | "either";
}

function remote(
  name: string,
  command: PeerCommand,
  act: (remote: Remote) => Promise<void>,
  reactions: (end: () => End) => Reactions = () => ({}),
): RemoteCase {
  return {
    name,
    run: async (make) => {
      const pair = await make();
      try {
        const near: End = new End(
          "the near end",
          pair.near,
          reactions(() => near),
        ).start();
        near.transport.write([new TextEncoder().encode(`${JSON.stringify(command)}\n`)]);
        const { bound = 16 * MIB, holdsBack = true, halfCloses = true, loss = "error" } = pair;
        await act({ near, bound, holdsBack, halfCloses, loss });
        near.verify();
      } finally {
        await pair.dispose();
      }
    },
  };
}

const closeOnEnd = (end: () => End): Reactions => ({ onEnd: () => end().transport.close() });

/** Rules for a far end in another process, seen from the near one. */
export const remoteCases: readonly RemoteCase[] = [
  remote("what is sent comes back in order, whatever its size", { do: "echo" }, async ({ near }) => {
    for (const size of [1, 2, 60, 125, 126, 4096, 65535, 65536, 65537, 300_000, MIB]) {
      near.transport.write([pattern((near.sent += size) - size, size)]);
    }
    await near.until(() => near.received >= near.sent);
    near.expectPattern(near.sent);
    near.transport.close();
    await near.closedOrderly();
  }),

  remote(
    "two thousand small chunks go there and back one by one",
    { do: "echo" },
    async ({ near }) => {
      near.push(60, 60);
      await near.until(() => near.received >= 120_000);
      near.expectPattern(120_000);
    },
    (end) => ({
      onData: () =>
        void (end().received === end().sent && end().sent < 120_000 && end().fill(end().sent + 60, 60)),
    }),
  ),

  remote(
    "64 MiB come in unharmed",
    { do: "flood", bytes: 64 * MIB, size: 65536 },
    async ({ near }) => {
      await near.closedOrderly();
      near.expectPattern(64 * MIB);
    },
    closeOnEnd,
  ),

  remote(
    "a hundred thousand small chunks come in unharmed",
    { do: "flood", bytes: 6_000_000, size: 60 },
    async ({ near }) => {
      await near.closedOrderly();
      near.expectPattern(6_000_000);
    },
    closeOnEnd,
  ),

  remote(
    "64 MiB arrive unharmed, and the far end answers after we have closed",
    { do: "sum" },
    async ({ near, halfCloses }) => {
      await near.send(64 * MIB, 65536);
      near.transport.close();
      await near.closedOrderly();
      if (!halfCloses) return;
      const answer = near.chunks.map((chunk) => new TextDecoder().decode(chunk as Uint8Array)).join("");
      check(answer === `${64 * MIB} -1\n`, `the far end counted ${answer}`);
    },
  ),

  remote("everything accepted before close arrives", { do: "sum" }, async ({ near, halfCloses }) => {
    near.push(4 * MIB, 65536);
    near.transport.close();
    await near.closedOrderly();
    if (!halfCloses) return;
    const answer = near.chunks.map((chunk) => new TextDecoder().decode(chunk as Uint8Array)).join("");
    check(answer === `${4 * MIB} -1\n`, `the far end counted ${answer}`);
  }),

  remote(
    "a far end that reads no more tells us to stop",
    { do: "pause" },
    async ({ near, bound, holdsBack }) => {
      await near.until(() => near.received >= 7);
      if (!holdsBack) return;
      while (near.fill(near.sent + 65536, 65536)) {
        check(near.sent <= bound, `${near.sent} bytes were accepted though nobody reads`);
        await turns(1);
      }
      near.transport.abort();
      await near.closed();
    },
  ),

  remote(
    "while we are paused no more comes than was on its way",
    { do: "flood", bytes: 32 * MIB, size: 65536 },
    async ({ near, holdsBack }) => {
      await near.until(() => near.received > 0);
      const paused = near.received;
      await turns(50);
      check(
        near.received - paused <= 256 * 1024 || !holdsBack,
        `${near.received - paused} bytes came after pause`,
      );
      near.transport.resume();
      await near.closedOrderly();
      near.expectPattern(32 * MIB);
    },
    (end) => ({
      onData: () => void (end().chunks.length === 1 && end().transport.pause()),
      ...closeOnEnd(end),
    }),
  ),

  remote("a far end that closes first hears us to the end", { do: "close" }, async ({ near, halfCloses }) => {
    await near.until(() => near.ends > 0);
    if (!halfCloses) return near.closedOrderly();
    check(near.closes === 0, "closed though we may still send");
    near.push(200_000, 1000);
    near.transport.close();
    await near.closedOrderly();
  }),

  remote("a far end that aborts ends us", { do: "abort" }, async ({ near, loss }) => {
    await near.closed();
    check(near.error !== undefined || loss === "either", "onClose came without an error");
  }),

  remote("a far end that throws ends us", { do: "throw" }, async ({ near, loss }) => {
    await near.closed();
    check(near.error !== undefined || loss === "either", "onClose came without an error");
  }),

  remote(
    "a far process that leaves in the middle ends us",
    { do: "exit", code: 3, bytes: 100 },
    async ({ near, loss }) => {
      await near.closed();
      check(near.error !== undefined || loss === "either", "onClose came without an error");
    },
  ),

  remote(
    "abort ends us at once and the far end, too",
    { do: "flood", bytes: 1024 * MIB, size: 65536 },
    async ({ near }) => {
      await near.until(() => near.received > 0);
      const error = new TransportError("aborted", "enough");
      near.transport.abort(error);
      const received = near.received;
      await near.closed();
      check(near.error === error, "onClose came with another error than abort was given");
      check(near.received === received, "data came after abort");
    },
  ),
];
