import * as Effect from "effect/Effect";
import * as Fiber from "effect/Fiber";
import * as Stream from "effect/Stream";
import { RpcError } from "@sluice/session";
import { expect, it } from "vitest";
import { updatesOf } from "./effect.ts";
import { Client, textOf, type ActiveSession } from "./index.ts";
import { quiet, saying, Wire } from "./parts.testing.ts";

/** A client with a session, whose agent is the test. */
async function withSession(
  main: (session: ActiveSession) => Promise<unknown>,
  agent: (wire: Wire) => Promise<unknown>,
): Promise<void> {
  const wire = new Wire();
  const client = Client.builder().connectWith(wire.transport, async (cx) => {
    await using session = await cx.buildSession("/").start();
    await main(session);
  });
  const started = async (): Promise<void> => {
    wire.say({ jsonrpc: "2.0", id: (await wire.called("session/new")).id, result: { sessionId: "s" } });
    await agent(wire);
  };
  await Promise.all([client, started()]);
}

/** Answers the next prompt with these texts and the end of the turn. */
async function turn(wire: Wire, ...texts: readonly string[]): Promise<void> {
  const { id } = await wire.called("session/prompt");
  for (const text of texts) wire.notify("session/update", saying("s", text));
  wire.say({ jsonrpc: "2.0", id, result: { stopReason: "end_turn" } });
}

const collected = (stream: ReturnType<typeof updatesOf>): Promise<string[]> =>
  Effect.runPromise(Stream.runCollect(Stream.map(stream, textOf)));

it("a turn's updates are a stream, in order, that ends with the turn", async () => {
  await withSession(
    async (session) => {
      const asked = session.prompt("go");
      expect(await collected(updatesOf(asked))).toEqual(["a", "b", "c"]);
      expect(await asked.result()).toEqual({ stopReason: "end_turn" });
      expect(await collected(updatesOf(asked))).toEqual([]);
      expect(await session.prompt("more").readToString()).toBe("d");
    },
    async (wire) => {
      await turn(wire, "a", "b", "c");
      await turn(wire, "d");
    },
  );
});

it("it fails with what the prompt failed with", async () => {
  const error = { code: -32000, message: "log in first" };
  await withSession(
    async (session) => {
      const asked = session.prompt("go");
      const seen: string[] = [];
      const run = Stream.runForEach(updatesOf(asked), (one) => Effect.sync(() => seen.push(textOf(one))));
      const failure = await Effect.runPromise(Effect.flip(run));
      expect(failure).toBeInstanceOf(RpcError);
      expect(failure).toMatchObject(error);
      expect(seen).toEqual(["a"]);
      await expect(asked.result()).rejects.toBe(failure);
    },
    async (wire) => {
      const { id } = await wire.called("session/prompt");
      wire.notify("session/update", saying("s", "a"));
      wire.say({ jsonrpc: "2.0", id, error });
    },
  );
});

it("left early it leaves the rest to whoever reads next", async () => {
  await withSession(
    async (session) => {
      const asked = session.prompt("go");
      expect(await collected(Stream.take(updatesOf(asked), 2))).toEqual(["a", "b"]);
      expect(await asked.readToString()).toBe("cd");
    },
    (wire) => turn(wire, "a", "b", "c", "d"),
  );
});

it("interrupted while it waits it takes no update with it", async () => {
  await withSession(
    async (session) => {
      const asked = session.prompt("go");
      for (let i = 0; i < 3; i++) {
        const fiber = Effect.runFork(Stream.runDrain(updatesOf(asked)));
        await quiet();
        await Effect.runPromise(Fiber.interrupt(fiber));
      }
      await session.cancel();
      expect(await collected(updatesOf(asked))).toEqual(["a", "b"]);
    },
    async (wire) => {
      const { id } = await wire.called("session/prompt");
      await wire.called("session/cancel");
      wire.notify("session/update", saying("s", "a"));
      wire.notify("session/update", saying("s", "b"));
      wire.say({ jsonrpc: "2.0", id, result: { stopReason: "cancelled" } });
    },
  );
});

it("a read that is given up rejects with its signal's reason, and its update is the next reader's", async () => {
  await withSession(
    async (session) => {
      session.sendPrompt("go");
      const reason = new Error("enough");
      const aborting = new AbortController();
      const waiting = session.readUpdate({ signal: aborting.signal });
      const next = session.readUpdate();
      aborting.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      await expect(session.readUpdate({ signal: aborting.signal })).rejects.toBe(reason);
      await session.cancel();
      expect(await next).toMatchObject({ kind: "update", update: saying("s", "a").update });
      const late = new AbortController();
      expect(await session.readUpdate({ signal: late.signal })).toMatchObject({ kind: "stop" });
      late.abort(reason); // it has been read
      const last = session.readUpdate({ signal: new AbortController().signal });
      await session[Symbol.asyncDispose]();
      await expect(last).rejects.toThrow("has been disposed of");
    },
    async (wire) => {
      const { id } = await wire.called("session/prompt");
      await wire.called("session/cancel");
      wire.notify("session/update", saying("s", "a"));
      wire.say({ jsonrpc: "2.0", id, result: { stopReason: "cancelled" } });
    },
  );
});
