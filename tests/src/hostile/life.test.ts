// A session's own life under bad treatment (reliability.md 2.8).
import type { Session } from "@sluice/session";
import { describe, expect, it } from "vitest";
import { perform } from "./row.ts";
import { open, type Via } from "./stage.ts";
import { KINDS } from "./wire.ts";

const never = (): Promise<never> => new Promise(() => {});

function thrower(): never {
  throw new Error("a listener threw");
}

perform([
  {
    row: 131,
    what: "disposing twice, with a call and a stream open, is once, and each is told",
    via: "frames",
    says: async ({ session, peer }) => {
      let cancelled: unknown;
      const body = new ReadableStream({ pull: never, cancel: (reason) => (cancelled = reason) });
      const call = session.call("m", { body }).catch((failed: unknown) => failed);
      await peer.until((said) => said["method"] === "m");
      await Promise.all([session[Symbol.asyncDispose](), session.close("again"), session.drain()]);
      const ended = await session.closed;
      expect(await call).toBe(ended);
      expect(cancelled).toMatchObject({ _tag: "StreamError", code: 7, cause: ended });
    },
    closes: { code: "closed", by: "us", message: "closed" },
  },
  {
    row: 132,
    what: "a handler may close its session and wait for that",
    via: "json",
    handlers: {
      bye: async (_params, { session }) => {
        await session.close("bye");
        return 1;
      },
    },
    says: ({ peer }) => void peer.call("bye"),
    closes: { code: "closed", by: "us", message: "bye" },
  },
  {
    row: 133,
    what: "a signal of 10,000 calls keeps no listener, and one that has aborted sends nothing",
    via: "frames",
    says: async ({ session, peer }) => {
      const abort = new AbortController();
      const { signal } = abort;
      let listening = 0;
      const { addEventListener, removeEventListener } = EventTarget.prototype;
      signal.addEventListener = (...args: unknown[]): void => (
        listening++,
        addEventListener.apply(signal, args as never)
      );
      signal.removeEventListener = (...args: unknown[]): void => (
        listening--,
        removeEventListener.apply(signal, args as never)
      );
      for (let i = 0; i < 10; i++) {
        const calls = Array.from({ length: 1000 }, () => session.call("mine", undefined, { signal }));
        await peer.until(() => peer.heard.length === 1000);
        for (const { id } of peer.heard.splice(0)) peer.message({ id, result: null });
        await Promise.all(calls);
      }
      expect(listening).toBe(0);
      abort.abort();
      abort.abort();
      await expect(session.call("mine", undefined, { signal })).rejects.toMatchObject({
        _tag: "CancelledError",
      });
      expect(peer.heard).toEqual([]);
    },
  },
  {
    row: 135,
    what: "2,000 streams opened and let go leave nothing",
    over: ["memory, in bytes", "memory, in messages"],
    via: "frames",
    handlers: {
      take: async ({ s }: { s: ReadableStream }) => {
        await s.cancel();
      },
    },
    says: async ({ session, peer }) => {
      for (let id = 1; id < 4000; id += 2) {
        const call = peer.call("take", { s: { $stream: id, of: "bytes", by: "sender" } });
        await peer.answer(call);
        peer.frame({ type: "reset", id, code: 1, message: "" });
        peer.heard.length = 0;
      }
      await new Promise((resolve) => setImmediate(resolve));
      expect(session.stats()).toMatchObject({ streams: 0, handlers: 0, outbox: 0, faults: 0 });
    },
  },
  {
    row: 136,
    what: "listeners that throw harm nobody",
    via: "json",
    options: { onFault: thrower, onDraining: thrower, observer: { frame: thrower, call: thrower } },
    handlers: { bad: () => Promise.reject(new Error("x")) },
    says: async ({ peer }) => {
      peer.message("{bad");
      peer.message({ method: "$/drain", params: { call: 100, reason: "soon" } });
      await peer.answer(peer.call("bad"));
    },
    check: ({ failed }) =>
      expect(new Set(failed.map(String))).toEqual(new Set(["Error: a listener threw", "Error: x"])),
  },
]);

/** The same bytes in every run and on every runtime. */
function* randoms(seed: number): Generator<number> {
  for (let x = seed * 2654435769 + 1; ;) {
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
    yield (x ^ (x >>> 15)) & 0xff;
  }
}

function noise(seed: number, length: number): Uint8Array {
  const random = randoms(seed);
  return Uint8Array.from({ length }, () => random.next().value as number);
}

async function survivesOrEnds(session: Session, probe: Promise<unknown>): Promise<"well" | "ended"> {
  return Promise.race([
    probe.then(
      () => "well" as const,
      () => "ended" as const,
    ),
    session.closed.then(() => "ended" as const),
  ]);
}

for (const kind of KINDS)
  describe(`random bytes over ${kind}`, () => {
    it.each<Via>(["plain", "json", "frames"])(
      "row 140: end a session that speaks %s with a reason, or are counted; every call settles",
      async (via) => {
        for (let seed = 1; seed <= (kind === "stdio" ? 5 : 60); seed++) {
          const stage = await open(kind, { via, options: { limits: { faults: 5 } } });
          const { peer, session } = stage;
          for (let part = 0; part < 4; part++) peer.raw(noise(seed * 4 + part, 700));
          if (!peer.speaks) peer.raw("\n");
          peer.wire.end();
          await survivesOrEnds(session, stage.pending);
          const error = await session.closed;
          expect(["protocol", "limit", "lost", "closed"]).toContain(error.code);
          await stage.isClosed({ _tag: "SessionError" });
        }
      },
    );
  });
