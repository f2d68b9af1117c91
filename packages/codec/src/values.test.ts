import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codex, jsonrpc } from "./dialect.ts";
import { encodeError } from "./encode.ts";
import { DECODE_LIMITS } from "./limits.ts";
import { parseMessage } from "./message.ts";
import { hasDuplicateKeys, tooManyValues } from "./values.ts";

const count = (value: unknown): number =>
  typeof value === "object" && value !== null
    ? Object.values(value).reduce<number>((sum, inner) => sum + count(inner), 1)
    : 1;

describe("values", () => {
  it("are counted as the tree would have them, whatever it is", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1), (json, indent) => {
        const value: unknown = JSON.parse(json);
        const values = count(value);
        // Spaces make the text long enough to be looked at.
        const text = JSON.stringify(value, undefined, indent) + " ".repeat(2 * values);
        expect([tooManyValues(text, values), tooManyValues(text, values - 1)]).toEqual([false, true]);
      }),
    );
  });

  it("an array of two million zeros is refused before it takes its memory", () => {
    const text = `{"id":7,"method":"m","params":[${"0,".repeat(2_000_000)}0]}`;
    const limits = { ...DECODE_LIMITS, values: 262_144 };
    expect(parseMessage(text, codex, limits)).toMatchObject({
      kind: "invalid",
      error: {
        rule: "limits.values",
        message: expect.stringContaining("exceeds the limit of 262144 JSON values"),
      },
    });
  });

  it("one long string is one value", () => {
    const text = JSON.stringify({ id: 1, method: "m", params: { text: ",".repeat(3_000_000) } });
    expect(parseMessage(text, codex, { ...DECODE_LIMITS, values: 5 })).toMatchObject({ kind: "request" });
    expect(parseMessage(text, codex, { ...DECODE_LIMITS, values: 4 })).toMatchObject({ kind: "invalid" });
  });
});

describe("duplicate keys", () => {
  it.each([
    [`{"a":1,"a":1}`, true],
    [`{"a":{"b":1,"\\u0062":2}}`, true],
    [`[{"a":1},{"a":2}]`, false],
    [`{"a":":","b":"\\":"}`, false],
    [`{"__proto__":1}`, false],
    [`{"__proto__":1,"__proto__":2}`, true],
  ])("%s: %s", (text, expected) => {
    expect(hasDuplicateKeys(text, JSON.parse(text))).toBe(expected);
  });

  it("no value that JSON.stringify wrote has one", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(hasDuplicateKeys(json, JSON.parse(json))).toBe(false);
      }),
    );
  });

  it("are refused in the codex dialect and taken in the others, wherever they hide", () => {
    const text = `{"jsonrpc":"2.0","id":1,"method":"m","params":{"deep":[{"k":1,"k":2}]}}`;
    expect(parseMessage(text, jsonrpc, DECODE_LIMITS)).toMatchObject({ kind: "request" });
    expect(parseMessage(text, codex, DECODE_LIMITS)).toMatchObject({
      kind: "invalid",
      error: { message: expect.stringContaining("duplicate JSON object key") },
    });
  });
});

it("the error for what has no id has the dialect's own: null, or -1 in codex", () => {
  const error = { code: -32600, message: "no" };
  expect(JSON.parse(encodeError(jsonrpc, null, error))).toMatchObject({ id: null });
  expect(JSON.parse(encodeError(codex, null, error))).toMatchObject({ id: -1 });
});
