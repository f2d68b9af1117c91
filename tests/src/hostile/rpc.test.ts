// Requests and notifications that are none (reliability.md 2.2).
import { mcp } from "@sluice/session";
import { expect } from "vitest";
import { ours } from "./ours.ts";
import type { Json } from "./raw-peer.ts";
import { error, perform } from "./row.ts";

const INVALID = "JSON-RPC 4";
const call = (id: unknown, method: string = "echo", params?: unknown): Json => ({ id, method, params });
const text = (id: unknown, method: string = "echo"): string =>
  JSON.stringify({ jsonrpc: "2.0", ...call(id, method) });

perform([
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
]);
