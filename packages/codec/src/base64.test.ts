import * as fc from "fast-check";
import { expect, it } from "vitest";
import { fromBase64, toBase64 } from "./base64.ts";
import { bytes } from "./testing.ts";

const natives = [
  [Uint8Array, "fromBase64"],
  [Uint8Array.prototype, "toBase64"],
] as const;

/** Does the work as on an engine that has no base64 of its own. */
function withoutNative<T>(work: () => T): T {
  const saved = natives.map(([owner, name]) => Object.getOwnPropertyDescriptor(owner, name));
  for (const [owner, name] of natives) Reflect.deleteProperty(owner, name);
  try {
    return work();
  } finally {
    for (const [i, [owner, name]] of natives.entries())
      if (saved[i] !== undefined) Object.defineProperty(owner, name, saved[i]);
  }
}
const fallback = {
  fromBase64: (text: string) => withoutNative(() => fromBase64(text)),
  toBase64: (input: Uint8Array) => withoutNative(() => toBase64(input)),
};

it("the native forms can be taken away, and come back", () => {
  const has = (): boolean[] => natives.map(([owner, name]) => name in owner);
  const before = has();
  expect(withoutNative(has)).toEqual([false, false]);
  expect(has()).toEqual(before);
});

const both = [
  ["native, where there is one", { fromBase64, toBase64 }],
  ["by atob and btoa", fallback],
] as const;

it.each(both)("agrees with the vectors of RFC 4648 section 10 (%s)", (_, codec) => {
  const vectors = { "": "", f: "Zg==", fo: "Zm8=", foo: "Zm9v", foob: "Zm9vYg==", fooba: "Zm9vYmE=" };
  for (const [text, encoded] of Object.entries({ ...vectors, foobar: "Zm9vYmFy" })) {
    expect(codec.toBase64(bytes(text))).toBe(encoded);
    expect(codec.fromBase64(encoded)).toEqual(bytes(text));
  }
  expect(codec.toBase64(bytes([0xfb, 0xff, 0xfe]))).toBe("+//+");
});

const BAD = [
  "A",
  "AA",
  "AAA",
  "A===",
  "====",
  "=",
  "==",
  "AA=A",
  "AA==AAAA",
  "Zm9v\n",
  " Zm9v",
  "Zm 9v",
  "-_-_",
];
it.each(both)("takes nothing but padded standard base64 (%s)", (_, codec) => {
  for (const text of [...BAD, "Zm9vé===", "Zg==\0", "\ufeffAAA"])
    expect(codec.fromBase64(text)).toBe(undefined);
});

it.each(both)("gives back any bytes (%s)", (_, codec) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (input) => {
      expect(codec.fromBase64(codec.toBase64(input))).toEqual(input);
    }),
  );
});

it("the two ways say the same of any text", () => {
  const text = fc.string({ unit: fc.constantFrom(..."Aa0+/=-_ \n".split("")) });
  fc.assert(
    fc.property(text, (input) => {
      expect(fallback.fromBase64(input)).toEqual(fromBase64(input));
    }),
  );
});

it.each(both)("has no trouble with megabytes (%s)", (_, codec) => {
  const input = new Uint8Array(300_000).map((_, i) => i % 251);
  expect(codec.fromBase64(codec.toBase64(input))?.length).toBe(input.length);
  const text = "AAAA".repeat(4_000_000); // too much for an engine that backtracks by groups
  expect(codec.fromBase64(`${text}AAA`)).toBe(undefined);
  expect(codec.fromBase64(`${text}!AAA`)).toBe(undefined);
  expect(fromBase64(text)?.length).toBe(12_000_000);
});
