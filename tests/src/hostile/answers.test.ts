// Answers and cancels that are none, or come when they should not (reliability.md 2.2).
import { expect } from "vitest";
import { ours } from "./ours.ts";
import type { Json } from "./raw-peer.ts";
import { perform, type Row } from "./row.ts";

const INVALID = "JSON-RPC 4";
const call = (id: unknown, method: string = "echo", params?: unknown): Json => ({ id, method, params });

/** The peer's answer to a call of ours is malformed in this way. */
const malformed = (what: string, members: Json): Row => ({
  row: 44,
  what: `an answer ${what} fails its call at once`,
  says: async (stage) => {
    const { id, done } = await ours(stage, "mine");
    stage.peer.message({ id, ...members });
    expect(await done).toMatchObject({ _tag: "DecodeError" });
  },
  answers: [],
  faults: [members["error"] === undefined && !("result" in members) ? INVALID : "JSON-RPC 5"],
});

perform([
  {
    row: 42,
    what: "an answer to no call is counted",
    says: [
      { id: 777, result: 1 },
      { id: "x", error: { code: 1, message: "" } },
    ],
    faults: ["C2", "C2"],
  },
  {
    row: 42,
    what: "a flood of answers to no call closes the session",
    says: ({ peer }) => {
      const flood = Array.from({ length: 2000 }, (_, i) => `{"jsonrpc":"2.0","id":${1000 + i},"result":1}`);
      if (peer.wire.unit === "bytes") peer.raw(flood.join("\n"));
      else for (const said of flood) peer.message(said);
    },
    closes: { code: "limit", by: "peer", rule: "limits.faults" },
  },
  {
    row: 43,
    what: "a second answer to a call is counted and changes nothing",
    says: async (stage) => {
      const { id, done } = await ours(stage, "mine");
      stage.peer.message({ id, result: "first" });
      stage.peer.message({ id, result: "second" });
      expect(await done).toBe("first");
    },
    answers: [],
    faults: ["C2"],
  },
  malformed("with both result and error", { result: 1, error: { code: 1, message: "" } }),
  malformed("with neither", {}),
  malformed("whose error is a string", { error: "no" }),
  malformed("whose code is a string", { error: { code: "E", message: "" } }),
  malformed("whose message is missing", { error: { code: 1 } }),
  {
    row: 45,
    what: "an error with id null is counted, and fails no call",
    says: [{ id: null, error: { code: -32700, message: "?" } }],
    faults: ["JSON-RPC 5.1"],
  },
  {
    row: 46,
    what: "the answer to a call that was cancelled is expected, and a second one counted",
    says: async (stage) => {
      const sent = stage.session.request("mine");
      const { id } = await stage.peer.until(({ method }) => method === "mine");
      sent.cancel();
      await expect(sent.result()).rejects.toMatchObject({ _tag: "CancelledError", mayHaveRun: true });
      const cancel = await stage.peer.until(({ method }) => method === "$/cancelRequest");
      expect(cancel["params"]).toEqual({ id });
      stage.peer.message({ id, result: "late" });
      stage.peer.message({ id, result: "later" });
    },
    answers: [],
    faults: ["C2"],
  },
  {
    row: 46,
    what: "the answer to a call that was out of time is expected",
    says: async (stage) => {
      const done = stage.session.call("mine", {}, { timeout: 1 }).catch((late: unknown) => late);
      const cancel = await stage.peer.until(({ method }) => method === "$/cancelRequest");
      expect(await done).toMatchObject({ _tag: "TimeoutError", ms: 1, mayHaveRun: true });
      stage.peer.message({ id: cancel["params"].id as number, result: "late" });
    },
    answers: [],
  },
  {
    row: 47,
    what: "a cancel of a call that is unknown, finished or our own is ignored; one that names none is counted",
    says: async (stage) => {
      stage.peer.message(call(101));
      for (const id of [999, 101, stage.pendingId])
        stage.peer.message({ method: "$/cancelRequest", params: { id } });
      for (const params of [undefined, {}, [1], { id: {} }, { id: null }])
        stage.peer.message({ method: "$/cancelRequest", params });
    },
    answers: [{ id: 101 }],
    faults: ["C3", "C3", "C3", "C3", "C3"],
  },
  {
    row: 48,
    what: "a cancel and a result that cross settle the call once on each side",
    says: async (stage) => {
      stage.peer.message(call(101, "hold"));
      await stage.untilHeld(1);
      stage.peer.message({ method: "$/cancelRequest", params: { id: 101 } });
      stage.release("done");
      await stage.peer.answer(101);
      await stage.probe();
      expect(stage.peer.answers.filter(({ id }) => id === 101).length).toBe(1);
    },
  },
]);
