// Postcard's bytes, both ways; what is not of a type; and whatever else may come.
import { describe, expect, it } from "vitest";
import { hex, toHex } from "./frames.testing.ts";
import { Random } from "./random.testing.ts";
import { MAX_ELEMENTS, PostcardError } from "./postcard-bytes.ts";
import {
  array,
  checked,
  enumeration,
  map,
  option,
  result,
  sequence,
  struct,
  tuple,
} from "./postcard-composites.ts";
import {
  bool,
  bytes,
  f32,
  f64,
  i128,
  i16,
  i32,
  i64,
  i8,
  string,
  u128,
  u16,
  u32,
  u64,
  u8,
  unit,
} from "./postcard-scalars.ts";
import type { AnyType, PostcardType } from "./postcard-type.ts";

const shape = enumeration({ Empty: unit, Circle: f32, Named: struct({ name: string, at: tuple(i32, i32) }) });
const VALUES: [string, AnyType, unknown, string][] = [
  ["u8", u8, 255, "ff"],
  ["i8", i8, -1, "ff"],
  ["i8", i8, 127, "7f"],
  ["bool", bool, true, "01"],
  ["u16", u16, 65_535, "ffff03"],
  ["i16", i16, -32_768, "ffff03"],
  ["u32", u32, 127, "7f"],
  ["u32", u32, 128, "8001"],
  ["u32", u32, 0xffff_ffff, "ffffffff0f"],
  ["i32", i32, 5, "0a"],
  ["i32", i32, -1, "01"],
  ["i32", i32, 2 ** 31 - 1, "feffffff0f"],
  ["i32", i32, -(2 ** 31), "ffffffff0f"],
  ["u64", u64, 2n ** 64n - 1n, "ffffffffffffffffff01"],
  ["i64", i64, -(2n ** 63n), "ffffffffffffffffff01"],
  ["i64", i64, 2n ** 63n - 1n, "feffffffffffffffff01"],
  ["u128", u128, 2n ** 128n - 1n, "ffffffffffffffffffffffffffffffffffff03"],
  ["i128", i128, -1n, "01"],
  ["f32", f32, 1.5, "0000c03f"],
  ["f64", f64, -0, "0000000000000080"],
  ["f64", f64, Number.NaN, "000000000000f87f"],
  ["String", string, "hé", "0368c3a9"],
  ["bytes", bytes, Uint8Array.of(1, 2), "020102"],
  ["unit", unit, undefined, ""],
  ["Option", option(u16), undefined, "00"],
  ["Option", option(u16), 300, "01ac02"],
  ["Vec", sequence(u32), [1, 300], "0201ac02"],
  ["Vec of nothing", sequence(unit), [undefined, undefined], "02"],
  ["array", array(u8, 3), [1, 2, 3], "010203"],
  ["map", map(string, i32), new Map([["a", -1]]), "01016101"],
  ["tuple", tuple(u8, string), [7, "x"], "070178"],
  ["no arguments", tuple(), [], ""],
  ["struct", struct({ a: u8, b: option(bool) }), { a: 1, b: false }, "010100"],
  ["enum without fields", shape, { type: "Empty" }, "00"],
  ["enum with one", shape, { type: "Circle", value: 1.5 }, "010000c03f"],
  ["enum with several", shape, { type: "Named", value: { name: "p", at: [1, -1] } }, "0201700201"],
  ["Ok", result(u32, string), { type: "Ok", value: 4 }, "0004"],
  ["Err", result(u32, string), { type: "Err", value: "no" }, "01026e6f"],
];

describe("values (R12)", () => {
  it.each(VALUES)("R12: %s is written and read as Rust does", (_, type, value, wire) => {
    expect(toHex(type.encode(value))).toBe(wire);
    expect(type.decode(hex(wire))).toEqual(value);
    expect(type["~standard"].validate(value)).toEqual({ value });
  });

  it.each(VALUES)("R12: %s cut anywhere, or with a byte behind it, is none", (_, type, __, wire) => {
    const whole = hex(wire);
    for (let cut = 0; cut < whole.length; cut++)
      expect(() => type.decode(whole.subarray(0, cut))).toThrow(PostcardError);
    expect(() => type.decode(hex(`${wire}00`))).toThrow("1 bytes are left behind");
  });

  it("R12: numbers may be written longer than they need", () => {
    expect([u32.decode(hex("8000")), u64.decode(hex("85808000")), i16.decode(hex("818000"))]).toEqual([
      0,
      5n,
      -1,
    ]);
  });

  it.each([
    ["a u16 of 17 bits", u16, "ffff07"],
    ["a u16 of four bytes", u16, "80808000"],
    ["a u32 of 33 bits", u32, "ffffffff1f"],
    ["a u64 of 65 bits", u64, "ffffffffffffffffff03"],
    ["a u128 of 20 bytes", u128, `${"80".repeat(19)}00`],
    ["a bool of 2", bool, "02"],
    ["an option of 2", option(u8), "0200"],
    ["a variant too many", shape, "03"],
    ["text that is not UTF-8", string, "01ff"],
    ["text longer than there is", string, "ffffffff0f61"],
    ["a count of more than there is", sequence(u32), "05010203"],
  ] as const)("R12: %s is refused", (_, type, wire) => {
    expect(() => (type as PostcardType<unknown>).decode(hex(wire))).toThrow(PostcardError);
  });

  it("R12: no count makes an array of nothing that is larger than the limit", () => {
    const many = (count: number): Uint8Array => u32.encode(count);
    expect(() => sequence(unit).decode(many(MAX_ELEMENTS + 1))).toThrow("elements");
    expect(sequence(unit).decode(many(1000)).length).toBe(1000);
    expect(() => sequence(array(unit, 2 ** 16)).decode(many(2 ** 16))).toThrow("elements");
  });

  it("R12: 300,000 inputs: a value or an error", () => {
    const random = new Random(7);
    const type = struct({
      list: sequence(shape),
      of: map(string, option(u64)),
      raw: bytes,
      both: array(result(i16, f32), 2),
    });
    const valid = type.encode({
      list: [{ type: "Circle", value: 2 }, { type: "Empty" }],
      of: new Map([["k", 3n]]),
      raw: Uint8Array.of(1),
      both: [
        { type: "Ok", value: 1 },
        { type: "Err", value: 2 },
      ],
    });
    const seen = { values: 0, errors: 0 };
    for (let i = 0; i < 300_000; i++) {
      const input =
        random.next(4) === 0
          ? random.bytes(random.next(30))
          : valid.slice(0, valid.length - (random.next(5) === 0 ? 1 : 0));
      for (let flips = random.next(3); flips > 0; flips--)
        input[random.next(input.length)] = random.next(256);
      try {
        type.decode(input);
        seen.values++;
      } catch (error) {
        if (!(error instanceof PostcardError)) throw error;
        seen.errors++;
      }
    }
    expect(seen.values).toBeGreaterThan(10_000);
    expect(seen.errors).toBeGreaterThan(10_000);
  });
});

describe("what is not of a type", () => {
  it.each([
    ["u8", u8, 256, "expected a whole number from 0 to 255, got number"],
    ["u32", u32, -1, "expected a whole number from 0 to 4294967295"],
    ["i32", i32, 1.5, "expected a whole number"],
    ["u64", u64, 5, "expected a bigint from 0"],
    ["i64", i64, 2n ** 63n, "expected a bigint from -9223372036854775808"],
    ["f64", f64, "1", "expected a number, got string"],
    ["String", string, "\ud800", "expected well-formed text"],
    ["bytes", bytes, [1], "expected a Uint8Array, got an array"],
    ["unit", unit, null, "expected undefined, got null"],
    ["Vec", sequence(u8), [1, "x"], "1: expected a whole number"],
    ["array", array(u8, 2), [1], "expected an array of 2"],
    ["map", map(string, u8), { a: 1 }, "expected a Map, got Object"],
    ["map", map(string, u8), new Map([["a", -1]]), "a: expected a whole number"],
    ["tuple", tuple(u8, u8), [1], "expected 2 values"],
    ["struct", struct({ a: struct({ b: u8 }) }), { a: { b: "x" } }, "a.b: expected a whole number"],
    ["struct", struct({ a: u8 }), null, "expected an object, got null"],
    ["enum", shape, { type: "Square" }, "expected one of Empty, Circle, Named"],
    ["enum", shape, { type: "toString" }, "expected one of"],
    ["enum", shape, { type: "Circle" }, "value: expected a number"],
  ] as const)("%s says where and what was expected", (_, type, value, message) => {
    const any = type as PostcardType<unknown>;
    expect(() => any.encode(value)).toThrow(message);
    const outcome = any["~standard"].validate(value) as { issues: { message: string }[] };
    expect(outcome.issues.length).toBe(1);
    expect(message).toContain(outcome.issues[0]!.message.slice(0, 10));
  });

  it("an option of what may be undefined itself is refused when it is made", () => {
    expect(() => option(option(u8))).toThrow("cannot be told from none");
    expect(() => option(unit)).toThrow("cannot be told from none");
  });

  it("a type may have a schema beside it, asked both ways", () => {
    const even = checked(u32, {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) =>
          (value as number) % 2 === 0
            ? { value: value as number }
            : { issues: [{ message: "must be even", path: [{ key: "n" }] }] },
      },
    });
    expect(even.decode(even.encode(4))).toBe(4);
    expect(() => even.encode(5)).toThrow("n: must be even");
    expect(() => even.decode(hex("05"))).toThrow("must be even");
    expect(() => even.encode("x" as never)).toThrow("expected a whole number");
    const slow = checked(u32, {
      "~standard": { version: 1, vendor: "test", validate: async (value) => ({ value: value as number }) },
    });
    expect(() => slow.encode(1)).toThrow("cannot be asynchronous");
  });
});
