import * as fc from "fast-check";
import { expect, it } from "vitest";
import { DecodeError, ErrorCode, printable } from "./error.ts";
import { bytes } from "./testing.ts";

const excerptOf = (input: Uint8Array | string): string =>
  new DecodeError("F4", ErrorCode.limit, "too long", { input }).excerpt();

it("names the rule in its message and says whether the session can go on", () => {
  const error = new DecodeError("F4", ErrorCode.limit, "too long", { fatal: true });
  expect(error).toMatchObject({ _tag: "DecodeError", rule: "F4", code: -32013, fatal: true });
  expect(error.message).toBe("too long (F4)");
  expect(error.excerpt()).toBe("");
  expect(new DecodeError("F4", ErrorCode.limit, "too long").fatal).toBe(false);
});

it("quotes at most 80 bytes of the input, of text as of bytes", () => {
  for (const letter of ["a", "é", "€", "𝄞"]) {
    const text = letter.repeat(100);
    expect(bytes(excerptOf(text)).length).toBeGreaterThan(75);
    expect(bytes(excerptOf(text)).length).toBeLessThanOrEqual(80);
    expect(excerptOf(bytes(text))).toBe(excerptOf(text));
  }
});

it("quotes nothing that could forge a line of a log or steer a terminal", () => {
  expect(excerptOf("\u001b[31mred\r\n\u202ebidi\u2028\ufeff\u0000")).toBe(
    "\\u001b[31mred\\u000d\\u000a\\u202ebidi\\u2028\\ufeff\\u0000",
  );
  expect(excerptOf(bytes([0x41, 0xff, 0x0a]))).toBe("A\ufffd\\u000a");
});

it("keeps a copy: the chunk may change, or go", () => {
  const chunk = bytes("before");
  const error = new DecodeError("F4", ErrorCode.limit, "too long", { input: chunk });
  chunk.fill(0x58);
  expect(error.excerpt()).toBe("before");
});

it("keeps a copy of a Buffer too, whose own slice is a view", () => {
  const { Buffer } = globalThis as unknown as { Buffer?: { from(text: string): Uint8Array } };
  if (Buffer === undefined) return;
  const chunk = Buffer.from("before");
  const error = new DecodeError("F4", ErrorCode.limit, "too long", { input: chunk });
  chunk.fill(0x58);
  expect(error.excerpt()).toBe("before");
});

it("prints any text in visible characters, cut where it is long", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
      const shown = printable(text);
      expect(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.test(shown)).toBe(false);
      expect(shown.endsWith("…")).toBe(text.length > 256 || text.endsWith("…"));
    }),
  );
  expect(printable("abcdef", 3)).toBe("abc…");
});
