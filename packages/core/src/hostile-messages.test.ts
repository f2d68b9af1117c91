import { jsonrpc, lsp, mcp } from "@sluice/codec";
import { describe, expect, it } from "vitest";
import { RpcError } from "./error.ts";
import { Scripted } from "./scripted.ts";

// A plain peer, as the first message that is not a hello makes it.
const plain = (options: ConstructorParameters<typeof Scripted>[0] = {}): Scripted => {
  const script = new Scripted(options);
  script.message({ method: "first" });
  return script;
};
const answer = (id: unknown, code: number): object => ({ id, error: { code } });

describe("a message that is none", () => {
  it.each<[what: string, text: string, said: object[]]>([
    ["bad JSON", "{bad", [answer(null, -32700)]],
    ["a scalar", "1", [answer(null, -32600)]],
    ["a string", '"x"', [answer(null, -32600)]],
    ["null", "null", [answer(null, -32600)]],
    ["no version", '{"id":5,"method":"m"}', [answer(5, -32600)]],
    ["another version", '{"jsonrpc":"1.0","id":5,"method":"m"}', [answer(5, -32600)]],
    ["a version that is a number", '{"jsonrpc":2.0,"id":5,"method":"m"}', [answer(5, -32600)]],
    ["a method that is a number", '{"jsonrpc":"2.0","id":5,"method":1}', [answer(5, -32600)]],
    [
      "a method of 10,000 letters",
      `{"jsonrpc":"2.0","id":5,"method":"${"x".repeat(10_000)}"}`,
      [answer(5, -32600)],
    ],
    ["params that are a string", '{"jsonrpc":"2.0","id":5,"method":"m","params":"x"}', [answer(5, -32600)]],
    ["an id that is an object", '{"jsonrpc":"2.0","id":{},"method":"m"}', [answer(null, -32600)]],
    ["an id that is true", '{"jsonrpc":"2.0","id":true,"method":"m"}', [answer(null, -32600)]],
    ["an id past 2^53", '{"jsonrpc":"2.0","id":1152921504606846977,"method":"m"}', [answer(null, -32600)]],
    [
      "an id of 300 letters",
      `{"jsonrpc":"2.0","id":"${"x".repeat(300)}","method":"m"}`,
      [answer(null, -32600)],
    ],
    [
      "nesting of 1,000",
      `{"jsonrpc":"2.0","id":5,"method":"m","params":${"[".repeat(1000)}${"]".repeat(1000)}}`,
      [answer(5, -32600)],
    ],
    ["a print on stdout", "Debugger listening on ws://127.0.0.1", []],
    ["an answer to no call", '{"jsonrpc":"2.0","id":77,"result":1}', []],
    ["an error answer with id null", '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}', []],
    ["a cancel that names no call", '{"jsonrpc":"2.0","method":"$/cancelRequest","params":[1]}', []],
  ])(
    "C2: %s is counted once and answered as it should be, and the next call is answered",
    (_, text, said) => {
      const script = plain();
      script.message(text);
      expect(script.heard()).toMatchObject(said);
      expect(script.end.seen.faults.length).toBe(1);
      expect(script.core.stats().faults).toBe(1);
      expect(script.isWell).toBe(true);
    },
  );

  it("C2: good lines around a bad one in the same chunk are all answered", () => {
    for (const lines of [
      ['{"jsonrpc":"2.0","id":10,"method":"m"}', "{bad", '{"jsonrpc":"2.0","id":11,"method":"m"}'],
      ["{bad", '{"jsonrpc":"2.0","id":10,"method":"m"}', '{"jsonrpc":"2.0","id":11,"method":"m"}'],
    ]) {
      const script = plain();
      script.end.onCall = (call) => void call.succeed(call.id);
      script.raw(`${lines.join("\n")}\n`);
      expect(
        script
          .heard()
          .map(({ id }) => String(id))
          .toSorted((a, b) => a.localeCompare(b)),
      ).toEqual(["10", "11", "null"]);
    }
  });

  it("is quoted only where the transport allows it", () => {
    for (const quotes of [true, false]) {
      const script = plain({ quotes });
      script.message("{secret\u001b[31m");
      expect("excerpt" in script.end.seen.faults[0]!).toBe(quotes);
      if (quotes) expect(script.end.seen.faults[0]!.excerpt).toBe("{secret\\u001b[31m");
      expect(JSON.stringify(script.heard())).not.toContain("secret");
    }
  });

  it("S13: past the budget of faults the session closes", () => {
    const script = plain();
    for (let i = 0; i < 100; i++) script.message("{bad");
    expect(script.core.error).toBe(undefined);
    script.message("{bad");
    expect(script.core.error).toMatchObject({ code: "limit", by: "peer", rule: "limits.faults" });
  });

  it("a long time later the budget is there again", () => {
    const script = plain();
    for (let i = 0; i < 250; i++) {
      script.now += 10;
      script.message("{bad");
    }
    expect(script.core.error).toBe(undefined);
  });
});

describe("ids", () => {
  it.each([
    ["null", null],
    ["1.5", 1.5],
    ["a string", "1"],
    ["0", 0],
    ["below 0", -3],
  ])("C1: %s is echoed as it came", (_, id) => {
    const script = plain();
    script.end.onCall = (call) => void call.succeed("ok");
    script.message({ id, method: "m" });
    expect(script.heard()).toEqual([{ jsonrpc: "2.0", id, result: "ok" }]);
  });

  it("C1: in dialects that forbid them, null and 1.5 are answered -32600 and never left in silence", () => {
    const cases = [
      [lsp, null],
      [mcp, null],
      [mcp, 1.5],
    ] as const;
    for (const [dialect, id] of cases) {
      const script = new Scripted({ dialect });
      script.message({ id, method: "m" });
      expect(script.heard()).toMatchObject([answer(null, -32600)]);
    }
  });

  it("C1: a string is no answer to a call with a number", () => {
    const script = plain();
    const call = script.end.call("ours");
    script.message({ id: String(call.call!.id), result: 1 });
    expect([call.outcomes, script.end.seen.faults.length]).toEqual([[], 1]);
    script.message({ id: call.call!.id, result: 2 });
    expect(call.outcomes).toEqual([{ result: 2 }]);
  });

  it("C4: of two calls with one id the second is refused with the id in its data, and the first answered once", () => {
    const script = plain();
    script.message({ id: 7, method: "slow" });
    script.message({ id: 7, method: "again" });
    expect(script.heard()).toMatchObject([{ id: null, error: { code: -32600, data: { id: 7 } } }]);
    expect(script.end.seen.calls.map(({ method }) => method)).toEqual(["slow"]);
    script.end.seen.calls[0]!.succeed("first");
    expect(script.heard()).toMatchObject([{ id: 7, result: "first" }]);
    script.message({ id: 7, method: "later" });
    expect(script.end.seen.calls.length).toBe(2);
  });

  it("C4: also while draining the first call is undisturbed", () => {
    const script = plain();
    script.message({ id: 7, method: "slow" });
    script.core.drain("", 0);
    script.message({ id: 7, method: "again" });
    expect(script.heard()).toMatchObject([{ id: null }]);
  });
});

describe("an answer", () => {
  it("C2: a second one is counted and changes nothing", () => {
    const script = plain();
    const call = script.end.call("ours");
    for (const result of [1, 2]) script.message({ id: call.call!.id, result });
    expect([call.outcomes, script.end.seen.faults.map(({ rule }) => rule)]).toEqual([
      [{ result: 1 }],
      ["C2"],
    ]);
  });

  it.each([
    ["with result and error", { result: 1, error: { code: 1, message: "" } }],
    ["with neither", {}],
    ["whose error is a string", { error: "no" }],
    ["whose code is a string", { error: { code: "E", message: "" } }],
    ["of another version", { jsonrpc: "1.0", result: 1 }],
  ])("C2: one %s fails its call at once", (_, members) => {
    const script = plain();
    const call = script.end.call("ours");
    script.message({ id: call.call!.id, ...members });
    expect(call.outcomes).toMatchObject([{ error: { _tag: "DecodeError" } }]);
    expect(script.heard().length).toBe(1); // the call, and no answer to an answer
    expect(script.isWell).toBe(true);
  });

  it("C2: one too deep, or longer than the limit, fails its call: nobody waits for ever", () => {
    const deep = `${"[".repeat(500)}${"]".repeat(500)}`;
    const script = plain({ limits: { message: 5000 } });
    const calls = [script.end.call("deep"), script.end.call("long"), script.end.call("fine")];
    script.heard();
    script.message(`{"jsonrpc":"2.0","id":1,"result":${deep}}`);
    script.message(`{"jsonrpc":"2.0","id":2,"result":"${"x".repeat(6000)}"}`);
    script.message({ id: 3, result: "fine" });
    expect(calls.map(({ outcomes }) => outcomes)).toMatchObject([
      [{ error: { _tag: "DecodeError", rule: "limits.depth" } }],
      [{ error: { _tag: "DecodeError", rule: "limits.message" } }],
      [{ result: "fine" }],
    ]);
    expect(script.heard()).toEqual([]);
  });

  it("C2: a call too deep or too long is answered with its own id, where that can be told", () => {
    const deep = `${"[".repeat(500)}${"]".repeat(500)}`;
    const script = plain({ limits: { message: 5000 } });
    script.message(`{"jsonrpc":"2.0","id":"a-1","method":"m","params":${deep}}`);
    script.message(`{"id":8,"method":"m","params":["${"x".repeat(6000)}"]}`);
    script.message(`{"jsonrpc":"2.0","method":"m","id":9,"params":${deep}}`);
    expect(script.heard()).toMatchObject([answer("a-1", -32600), answer(8, -32600), answer(null, -32600)]);
    expect(script.isWell).toBe(true);
  });

  it("C4: an unreadable call with an id that runs already is answered with null", () => {
    const script = plain();
    script.message({ id: 5, method: "slow" });
    script.message(`{"jsonrpc":"2.0","id":5,"method":"m","params":${"[".repeat(500)}${"]".repeat(500)}}`);
    expect(script.heard()).toMatchObject([answer(null, -32600)]);
  });
});

describe("a handler", () => {
  it("E: what it throws is answered -32603 without a word of it, and an RpcError as it is", () => {
    const script = plain();
    const fails = [
      new Error("/home/secret"),
      new RpcError(1234, "mine", { x: 1 }),
      new RpcError(5, "bad", 1n),
    ];
    script.end.onCall = (call) => void call.fail(fails.shift()!);
    for (let id = 1; id <= 3; id++) script.message({ id, method: "m" });
    expect(script.heard()).toEqual([
      { jsonrpc: "2.0", id: 1, error: { code: -32603, message: "Internal error" } },
      { jsonrpc: "2.0", id: 2, error: { code: 1234, message: "mine", data: { x: 1 } } },
      { jsonrpc: "2.0", id: 3, error: { code: 5, message: "bad" } },
    ]);
  });

  it("C2: answers once; whatever it says later changes nothing", () => {
    const script = plain();
    script.message({ id: 1, method: "m" });
    const call = script.end.seen.calls[0]!;
    expect([call.succeed(1), call.succeed(2), call.fail(new Error("late"))]).toEqual([true, false, false]);
    expect(script.heard().length).toBe(1);
  });
});

it("params of null are none, and `__proto__` is a key like any other", () => {
  const script = plain({ dialect: jsonrpc });
  script.message('{"jsonrpc":"2.0","id":1,"method":"__proto__","params":null}');
  script.message('{"jsonrpc":"2.0","id":"constructor","method":"m","params":{"__proto__":{"x":1}}}');
  const [first, second] = script.end.seen.calls;
  expect([first!.params, Object.keys(second!.params!), ({} as { x?: unknown }).x]).toEqual([
    undefined,
    ["__proto__"],
    undefined,
  ]);
});
