import { expect, it } from "vitest";
import { StreamCode } from "./error.ts";
import { SendHalf } from "./send-half.ts";

it("S6: an item larger than the reader takes ends the stream here, before a byte of it is sent", () => {
  const resets: number[] = [];
  const host = {
    ready: (): void => {},
    reset: (_half: SendHalf, code: number): void => void resets.push(code),
  };
  const half = new SendHalf(1, "items", 4096, 4096, host, 100);
  expect(half.write(new Uint8Array(100))).toBe(true);
  expect(half.write(new Uint8Array(101))).toBe(false);
  expect(half.error).toMatchObject({ code: StreamCode.limit, by: "us" });
  expect(resets).toEqual([StreamCode.limit]);
});
