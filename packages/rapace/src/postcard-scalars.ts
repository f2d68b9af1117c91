// Numbers, text and bytes. Integers of more than 8 bits are varints, signed ones zigzagged first.
import { checkThat, PostcardType } from "./postcard-type.ts";
import { fail, type PostcardReader, type PostcardWriter } from "./postcard-bytes.ts";

function unsigned(bits: 16 | 32): PostcardType<number> {
  return new PostcardType({
    name: `u${bits}`,
    least: 1,
    write: (writer, value) => writer.varint(value),
    read: (reader) => reader.varint(bits),
    check: integer(0, 2 ** bits - 1),
  });
}

function signed(bits: 16 | 32): PostcardType<number> {
  return new PostcardType({
    name: `i${bits}`,
    least: 1,
    write: (writer, value) => writer.varint(value < 0 ? -value * 2 - 1 : value * 2),
    read: (reader) => {
      const zigzag = reader.varint(bits);
      return zigzag % 2 === 1 ? -(zigzag + 1) / 2 : zigzag / 2;
    },
    check: integer(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1),
  });
}

function bigUnsigned(bits: 64 | 128): PostcardType<bigint> {
  return new PostcardType({
    name: `u${bits}`,
    least: 1,
    write: (writer, value) => writer.bigVarint(value),
    read: (reader) => reader.bigVarint(bits),
    check: bigInteger(0n, (1n << BigInt(bits)) - 1n),
  });
}

function bigSigned(bits: 64 | 128): PostcardType<bigint> {
  const half = 1n << BigInt(bits - 1);
  return new PostcardType({
    name: `i${bits}`,
    least: 1,
    write: (writer, value) => writer.bigVarint(value < 0n ? -value * 2n - 1n : value * 2n),
    read: (reader) => {
      const zigzag = reader.bigVarint(bits);
      return (zigzag & 1n) === 1n ? -((zigzag + 1n) >> 1n) : zigzag >> 1n;
    },
    check: bigInteger(-half, half - 1n),
  });
}

function byte(name: string, least: number, most: number): PostcardType<number> {
  return new PostcardType({
    name,
    least: 1,
    write: (writer, value) => writer.byte(value & 0xff),
    read: (reader) => {
      const value = reader.byte();
      return value > most ? value - 256 : value;
    },
    check: integer(least, most),
  });
}

function float(size: 4 | 8): PostcardType<number> {
  return new PostcardType({
    name: `f${size * 8}`,
    least: size,
    write: (writer, value) => writer.float(value, size),
    read: (reader) => reader.float(size),
    check: checkThat((value) => typeof value === "number", "a number"),
  });
}

function integer(least: number, most: number): ReturnType<typeof checkThat> {
  const test = (value: unknown): boolean =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
  return checkThat(test, `a whole number from ${least} to ${most}`);
}

function bigInteger(least: bigint, most: bigint): ReturnType<typeof checkThat> {
  const test = (value: unknown): boolean => typeof value === "bigint" && value >= least && value <= most;
  return checkThat(test, `a bigint from ${least} to ${most}`);
}

export const u8: PostcardType<number> = byte("u8", 0, 255);
export const i8: PostcardType<number> = byte("i8", -128, 127);
export const u16: PostcardType<number> = unsigned(16);
export const i16: PostcardType<number> = signed(16);
export const u32: PostcardType<number> = unsigned(32);
export const i32: PostcardType<number> = signed(32);
export const u64: PostcardType<bigint> = bigUnsigned(64);
export const i64: PostcardType<bigint> = bigSigned(64);
export const u128: PostcardType<bigint> = bigUnsigned(128);
export const i128: PostcardType<bigint> = bigSigned(128);
export const f32: PostcardType<number> = float(4);
export const f64: PostcardType<number> = float(8);

export const bool: PostcardType<boolean> = new PostcardType({
  name: "bool",
  least: 1,
  write: (writer: PostcardWriter, value) => writer.byte(value ? 1 : 0),
  read: (reader: PostcardReader) => {
    const value = reader.byte();
    return value > 1 ? fail("a bool is 0 or 1") : value === 1;
  },
  check: checkThat((value) => typeof value === "boolean", "a boolean"),
});

/** `String`. A lone surrogate, which UTF-8 has not, is refused. */
export const string: PostcardType<string> = new PostcardType({
  name: "String",
  least: 1,
  write: (writer, value) => writer.text(value),
  read: (reader) => reader.text(),
  check: checkThat((value) => typeof value === "string" && value.isWellFormed(), "well-formed text"),
});

/** `Vec<u8>`. What is read is a view of what came. */
export const bytes: PostcardType<Uint8Array> = new PostcardType({
  name: "Vec<u8>",
  least: 1,
  write: (writer, value) => writer.bytes(value),
  read: (reader) => reader.bytes(),
  check: checkThat((value) => value instanceof Uint8Array, "a Uint8Array"),
});

/** `()`. */
export const unit: PostcardType<undefined> = new PostcardType({
  name: "()",
  least: 0,
  write: () => {},
  read: () => undefined,
  check: checkThat((value) => value === undefined, "undefined"),
});
