import * as fc from "fast-check";
import { expect, it } from "vitest";
import { bytes } from "./testing.ts";
import { decodeUtf8, utf8Length } from "./utf8.ts";

const BAD: Readonly<Record<string, readonly number[]>> = {
  "bytes that never occur": [0xff, 0xfe],
  "an overlong slash": [0xc0, 0xaf],
  "an overlong NUL": [0xe0, 0x80, 0x80],
  "half a surrogate pair": [0xed, 0xa0, 0x80],
  "a character past U+10FFFF": [0xf4, 0x90, 0x80, 0x80],
  "a cut character": [0xe2, 0x82],
  "a stray continuation": [0x80],
};

it.each(Object.entries(BAD))("refuses %s, and decodes what comes next", (_, bad) => {
  expect(decodeUtf8(bytes("ok", bad, "ok"))).toBe(undefined);
  expect(decodeUtf8(bytes(bad))).toBe(undefined);
  expect(decodeUtf8(bytes("𝄞 ok"))).toBe("𝄞 ok");
});

it("keeps a byte order mark: only the start of a stream may drop one", () => {
  expect(decodeUtf8(bytes([0xef, 0xbb, 0xbf], "a"))).toBe("\ufeffa");
});

it("any bytes are text that encodes to them again, or refused", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (input) => {
      const text = decodeUtf8(input);
      expect(text === undefined ? input : bytes(text)).toEqual(input);
    }),
  );
});

it("counts the bytes an encoder writes, lone surrogates too", () => {
  const unit = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("\ud800", "\udc00", "é", "€", "𝄞", "a"),
  );
  fc.assert(
    fc.property(fc.array(unit), (units) => {
      const text = units.join("");
      expect(utf8Length(text)).toBe(bytes(text).length);
    }),
  );
});
