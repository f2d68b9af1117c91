// Handlers that behave badly, and too many calls for them (reliability.md 2.2).
import { Handled, mcp, type ChainHandler } from "@sluice/session";
import { expect } from "vitest";
import type { Json } from "./raw-peer.ts";
import { error, perform, type Row } from "./row.ts";

const call = (id: unknown, method: string = "echo", params?: unknown): Json => ({ id, method, params });
const cycle: Json = {};
cycle["self"] = cycle;

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

perform([
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
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
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
    says: async ({ peer }) => {
      peer.message(call(101, "twice"));
      await peer.answer(101);
    },
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
]);
