// JSON-RPC that is none (reliability.md 2.2).
import { Handled, mcp, type ChainHandler } from "@sluice/session";
import { expect } from "vitest";
import type { Json } from "./raw-peer.ts";
import { error, perform, type Row } from "./row.ts";
import type { Stage } from "./stage.ts";

const INVALID = "JSON-RPC 4";
const call = (id: unknown, method: string = "echo", params?: unknown): Json => ({ id, method, params });
const text = (id: unknown, method: string = "echo"): string =>
  JSON.stringify({ jsonrpc: "2.0", ...call(id, method) });
const cycle: Json = {};
cycle["self"] = cycle;

/** A call of ours, and what became of it. */
async function ours(
  { session, peer }: Stage,
  method: string,
): Promise<{ id: number; done: Promise<unknown> }> {
  const done = session.call(method).catch((failed: unknown) => failed);
  return { id: (await peer.until((said) => said["method"] === method))["id"] as number, done };
}

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

/** A handler of ours settles in this way. */
const badHandler = (
  row: number,
  what: string,
  handler: () => unknown,
  faults: string[],
  failed: number,
): Row => ({
  row,
  what: `a handler that ${what} is answered -32603 without a word of it`,
  handlers: { bad: handler },
  says: async ({ peer }) => {
    peer.message(call(101, "bad"));
    await peer.answer(101);
  },
  answers: [error(101, -32603)],
  faults,
  check: (stage) => {
    expect(JSON.stringify(stage.peer.answers)).not.toContain("secret");
    expect(stage.failed.length).toBe(failed);
  },
});

const UNSENT: [what: string, result: () => unknown, rule: string][] = [
  ["a BigInt", () => 1n, "JSON"],
  ["a circle", () => cycle, "limits.depth"],
  [
    "a getter that throws",
    () => ({
      get secret(): never {
        throw new Error("secret");
      },
    }),
    "JSON",
  ],
  [
    "a toJSON without an end",
    function loop(): unknown {
      return { toJSON: loop };
    },
    "limits.depth",
  ],
  ["a function", () => () => 1, "JSON"],
];

const twice: ChainHandler = {
  request(request, responder) {
    if (request.method !== "twice") return Handled.no();
    responder.respond(1);
    expect(() => responder.respond(2)).toThrow("a responder answers once");
    expect(() => responder.fail(new Error("late"))).toThrow("a responder answers once");
    return Handled.yes;
  },
};

const rows: readonly Row[] = [
  {
    row: 25,
    what: "a scalar, a string and null are answered -32600 with id null",
    says: ["1", '"x"', "null", "true"],
    answers: [1, 2, 3, 4].map(() => error(null, -32600)),
    faults: [INVALID, INVALID, INVALID, INVALID],
  },
  {
    row: 26,
    what: "an empty batch is answered -32600, once",
    says: ["[]"],
    answers: [error(null, -32600)],
    faults: ["JSON-RPC 6"],
  },
  {
    row: 26,
    what: "a batch where the dialect has none is answered -32600, once",
    options: { dialect: mcp },
    says: [`[${text(101)},${text(102)}]`],
    answers: [error(null, -32600)],
    faults: ["dialect mcp"],
  },
  {
    row: 26,
    what: "a batch from a peer that greeted is answered -32600, once, and nothing of it runs (PROTOCOL C8)",
    via: "json",
    says: [`[${text(101, "hold")},${text(102)}]`],
    answers: [error(null, -32600)],
    check: ({ held }) => expect(held).toEqual([]),
  },
  {
    row: 27,
    what: "a batch of three numbers is answered by three -32600 in one array",
    says: ["[1,2,3]"],
    answers: [[error(null, -32600), error(null, -32600), error(null, -32600)]],
    faults: [INVALID, INVALID, INVALID],
  },
  {
    row: 28,
    what: "of a mixed batch each request is answered in one array, of one of notifications nothing",
    says: [
      `[${text(101)},1,{"jsonrpc":"2.0","method":"n"},${text("a", "none")}]`,
      '[{"jsonrpc":"2.0","method":"n"}]',
    ],
    check: ({ peer }) => {
      const [batch] = peer.answers as unknown as [Json[]];
      expect(batch.length).toBe(3);
    },
    answers: [[{ id: 101 }, error(null, -32600), error("a", -32601)]],
    faults: [INVALID],
  },
  {
    row: 29,
    what: "a batch of 100,000 is answered -32600, and nothing of it runs",
    says: [`[${`${text(7, "hold")},`.repeat(99_999)}${text(8, "hold")}]`],
    answers: [error(null, -32600)],
    faults: ["limits.batch"],
    check: ({ held }) => expect(held).toEqual([]),
  },
  {
    row: 30,
    what: "without the right version a call is answered -32600 with its id",
    says: [
      '{"id":101,"method":"echo"}',
      '{"jsonrpc":"1.0","id":102,"method":"echo"}',
      '{"jsonrpc":2.0,"id":103,"method":"echo"}',
    ],
    answers: [error(101, -32600), error(102, -32600), error(103, -32600)],
    faults: [INVALID, INVALID, INVALID],
  },
  {
    row: 31,
    what: "a method that is a number or 10 MB long is answered -32600, one that is reserved not found",
    says: [{ id: 101, method: 1 }, call(102, "x".repeat(10_000_000)), call(103, "rpc.discover")],
    answers: [error(101, -32600), error(102, -32600), error(103, -32601)],
    faults: [INVALID, "limits.method"],
  },
  {
    row: 31,
    what: "a message with an id alone may be meant as an answer, so it is counted and not answered",
    says: [{ id: 5000 }],
    faults: [INVALID],
  },
  {
    row: 32,
    what: "params of a string or a number are answered -32600, of null are none",
    says: [call(101, "echo", "x"), call(102, "echo", 1), call(103, "echo", null)],
    answers: [error(101, -32600), error(102, -32600), { id: 103, result: null }],
    faults: ["JSON-RPC 4.2", "JSON-RPC 4.2"],
  },
  {
    row: 33,
    what: "a request with id null is answered with id null",
    says: [call(null)],
    answers: [{ id: null, result: null }],
  },
  {
    row: 33,
    what: "a request with id null is answered -32600 where the dialect refuses it",
    options: { dialect: mcp },
    says: [call(null)],
    answers: [error(null, -32600)],
    faults: ["dialect mcp"],
  },
  {
    row: 34,
    what: "an id of 1.5 is echoed exactly",
    says: [call(1.5)],
    answers: [{ id: 1.5 }],
  },
  {
    row: 34,
    what: "an id of 1.5 is answered -32600 where the dialect refuses it",
    options: { dialect: mcp },
    says: [call(1.5)],
    answers: [error(null, -32600)],
    faults: [INVALID],
  },
  {
    row: 35,
    what: "an id that is an object, an array or true is answered -32600 with id null",
    says: [call({}), call([]), call(true)],
    answers: [1, 2, 3].map(() => error(null, -32600)),
    faults: [INVALID, INVALID, INVALID],
  },
  {
    row: 36,
    what: 'ids "1001" and 1001 are two, and an answer in letters to a call of ours is nobody\'s',
    says: async (stage) => {
      stage.peer.message(call(1001, "hold", { n: 1 }));
      stage.peer.message(call("1001", "hold", { n: 2 }));
      const { id, done } = await ours(stage, "mine");
      stage.peer.message({ id: String(id), result: "wrong" });
      stage.peer.message({ id, result: "right" });
      expect(await done).toBe("right");
      await stage.untilHeld(2);
      stage.release();
      expect(await Promise.all([stage.peer.answer(1001), stage.peer.answer("1001")])).toMatchObject([
        { result: null },
        { result: null },
      ]);
      stage.peer.heard.length = 0;
    },
    answers: [],
    faults: ["C2"],
  },
  {
    row: 37,
    what: "an id of 1 MB is answered -32600 with id null",
    says: [call("x".repeat(1_000_000))],
    answers: [error(null, -32600)],
    faults: [INVALID],
  },
  {
    row: 38,
    what: "a second call with an id that runs is answered with id null, and the first undisturbed (PROTOCOL C4)",
    says: async (stage) => {
      stage.peer.message(call(1001, "hold"));
      stage.peer.message(call(1001));
      await stage.untilHeld(1);
      stage.release("first");
      await stage.peer.answer(1001);
      stage.peer.heard.splice(
        0,
        stage.peer.heard.length,
        ...stage.peer.answers.filter(({ result }) => result !== "well"),
      );
    },
    answers: [
      { id: null, error: { code: -32600, data: { id: 1001 } } },
      { id: 1001, result: "first" },
    ],
  },
  {
    row: 38,
    what: "an id that is used again by a peer that greeted closes the session (PROTOCOL C4)",
    via: "frames",
    says: [call(1001, "hold"), call(1001)],
    closes: { code: "protocol", by: "peer", rule: "C4" },
  },
  {
    row: 39,
    what: "an id may be used again once its call is answered",
    says: [call(1001), call(1001)],
    answers: [{ id: 1001 }, { id: 1001 }],
  },
  {
    row: 40,
    what: "a notification of an unknown method is ignored",
    says: [{ method: "none" }, { method: "none", params: [1] }],
  },
  {
    row: 41,
    what: "an unknown method in `$/` or `rpc.` is not found as a request, and ignored as a notification",
    says: [call(101, "$/none"), { method: "$/none" }, call(102, "rpc.none"), { method: "rpc.none" }],
    answers: [error(101, -32601), error(102, -32601)],
  },
  {
    row: 41,
    what: "an unknown `$/` notification of a peer that greeted is ignored",
    via: "json",
    says: [{ method: "$/none", params: { id: 1 } }, { method: "$/stream/none" }],
  },
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
  badHandler(
    49,
    "throws",
    () => {
      throw new Error("/home/secret");
    },
    [],
    1,
  ),
  badHandler(49, "rejects", () => Promise.reject(new Error("/home/secret")), [], 1),
  ...[undefined, null, "secret", 0].map((thrown) =>
    badHandler(
      50,
      `rejects with ${JSON.stringify(thrown)?.replace("secret", "a string")}`,
      () => Promise.reject(thrown),
      [],
      1,
    ),
  ),
  ...UNSENT.map(([what, result, rule]) => badHandler(51, `gives ${what}`, result, [rule], 0)),
  {
    row: 51,
    what: "a handler that gives nothing is answered with null",
    handlers: { none: () => undefined, json: () => ({ toJSON: () => undefined }) },
    says: [call(101, "none"), call(102, "json")],
    answers: [
      { id: 101, result: null },
      { id: 102, result: null },
    ],
  },
  {
    row: 51,
    what: "a result above what the peer takes is answered -32603",
    via: "frames",
    hello: { limits: { message: 4096, item: 4096, streams: 1, calls: 1 } },
    handlers: { big: () => "x".repeat(5000) },
    says: [call(101, "big")],
    answers: [error(101, -32603)],
    faults: ["limits.message"],
  },
  {
    row: 52,
    what: "a handler that never settles is answered -32800 at its limit, and its signal aborts (PROTOCOL C5)",
    options: { limits: { handler: 5 } },
    handlers: {
      never: (_params, { signal }) =>
        new Promise((_, reject) => (signal.onabort = () => reject(signal.reason as Error))),
    },
    says: async ({ peer }) => {
      peer.message(call(101, "never"));
      await peer.answer(101);
    },
    answers: [{ id: 101, error: { code: -32800, data: { reason: "deadline" } } }],
  },
  {
    row: 53,
    what: "a handler that answers twice is told so, and its caller hears once",
    options: { chain: [twice] },
    says: [call(101, "twice")],
    answers: [{ id: 101, result: 1 }],
  },
  {
    row: 54,
    what: "progress for a token nobody knows is ignored",
    options: { dialect: mcp },
    says: [
      { method: "notifications/progress", params: { progressToken: 1, progress: 1 } },
      { method: "$/progress" },
    ],
  },
  {
    row: 55,
    what: "of 20,000 calls at once 4 run, 16 wait and the others are answered -32012; reading never stops",
    options: { limits: { calls: 4, waiting: 16 } },
    says: async (stage) => {
      for (let id = 1001; id <= 21_000; id++) stage.peer.message(call(id, "hold"));
      await stage.peer.answer(21_000);
      expect(stage.session.stats()).toMatchObject({ handlers: 4, waiting: 16 });
      expect(stage.held.length).toBe(4);
      const refused = stage.peer.answers.filter((answer) => answer["error"]?.code === -32012);
      expect(refused.length).toBe(19_980);
      while (stage.session.stats().handlers > 0) {
        stage.release();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  },
];

perform(rows);
