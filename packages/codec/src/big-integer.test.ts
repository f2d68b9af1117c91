import { expect, it } from "vitest";
import { rounded } from "./big-integer.ts";
import { acp } from "./dialect.ts";
import { encodeRequest } from "./encode.ts";
import { DECODE_LIMITS } from "./limits.ts";
import { parseMessage } from "./message.ts";

const text =
  '{"jsonrpc":"2.0","id":1,"method":"m","params":{"big":12345678901234567890,"deep":[{"low":-9007199254740993}],"fine":9007199254740991,"near":0.5,"large":1e+300,"text":"12345678901234567890"}}';
const relay = { ...acp, bigIntegers: "kept" } as const;
const paramsOf = (dialect: typeof acp): object => {
  const message = parseMessage(text, dialect, DECODE_LIMITS);
  if (message.kind !== "request") throw new Error(message.kind);
  return message.params as object;
};

it("a relay writes integers past 2^53 as they came", () => {
  expect(encodeRequest(relay, 1, "m", paramsOf(relay))).toBe(text);
});

it("others round them, as JSON.parse does", () => {
  expect(paramsOf(acp)).toEqual((JSON.parse(text) as { params: unknown }).params);
});

it("what was kept can be rounded, and what needs no rounding stays the same object", () => {
  expect(rounded(paramsOf(relay))).toEqual(paramsOf(acp));
  const plain = paramsOf(acp);
  expect(rounded(plain)).toBe(plain);
  expect(rounded(7)).toBe(7);
});

it("an id past 2^53 is refused by a relay as by others: answered with another, it would answer nobody", () => {
  for (const dialect of [acp, relay]) {
    const message = parseMessage(
      '{"jsonrpc":"2.0","id":12345678901234567890,"method":"m"}',
      dialect,
      DECODE_LIMITS,
    );
    expect(message).toMatchObject({ kind: "invalid", id: null, error: { code: -32600 } });
  }
});
