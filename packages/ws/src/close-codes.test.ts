import { describe, expect, it } from "vitest";
import { CLOSE_CODE, described, lowered, quoted, raised, reasonOf } from "./close-codes.ts";

const size = (text: string): number => new TextEncoder().encode(text).length;

describe("W3: a close code", () => {
  it("tells each cause apart as far as RFC 6455 has words for it", () => {
    expect(CLOSE_CODE).toEqual({ done: 1000, protocol: 1002, limit: 1008, timeout: 1008, failed: 1011 });
  });

  it.each([
    [1000, 1000],
    [1001, 4001],
    [1002, 4002],
    [1003, 4003],
    [1006, 4006],
    [1008, 4008],
    [1009, 4009],
    [1011, 4011],
  ])("%i travels as %i where a standard WebSocket sends it, and is read as itself", (code, sent) => {
    expect([raised(code), lowered(raised(code)), lowered(code)]).toEqual([sent, code, code]);
  });

  it.each([1005, 3000, 3999, 4000, 4016, 4999])("%i, when received, means what it says", (code) => {
    expect(lowered(code)).toBe(code);
  });

  it.each([3000, 4000, 4999])("%i may be sent as it is", (code) => {
    expect(raised(code)).toBe(code);
  });

  it("is read by people with its meaning", () => {
    expect([1002, 1011, 4321].map(described)).toEqual([
      "1002 (protocol error)",
      "1011 (internal error)",
      "4321",
    ]);
  });
});

describe("W3: a close reason", () => {
  it.each(["", "done", "x".repeat(123), "ä".repeat(61), "😀".repeat(30)])(
    "that fits stays as it is: %s",
    (text) => {
      expect(reasonOf(text)).toBe(text);
    },
  );

  it.each(["a", "ä", "€", "😀"])("is cut between characters: %s", (character) => {
    for (let shift = 0; shift < 4; shift++) {
      const text = "x".repeat(shift) + character.repeat(200);
      const cut = reasonOf(text);
      expect(text.startsWith(cut)).toBe(true);
      expect(cut.isWellFormed()).toBe(true);
      expect(size(cut)).toBeLessThanOrEqual(123);
      expect(size(cut) + size(character)).toBeGreaterThan(123);
    }
  });

  it("with half a character in it is sent with a sign in its place", () => {
    expect(reasonOf("a\ud800b")).toBe("a\ufffdb");
    expect(reasonOf(`${"x".repeat(121)}\ud800${"x".repeat(50)}`)).toBe("x".repeat(121));
    expect(reasonOf(`${"x".repeat(120)}\udc00${"x".repeat(50)}`)).toBe(`${"x".repeat(120)}\ufffd`);
  });

  it("that a peer has sent is quoted without what could forge a line or hide text", () => {
    expect(quoted("  a\r\nerror: b\x1b[31m\u2028c\u202ed\u200be ")).toBe("a  error: b [31m c d e");
  });
});
