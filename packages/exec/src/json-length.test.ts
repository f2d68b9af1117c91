import { describe, expect, it } from "vitest";
import { isLongerThan } from "./json-length.ts";

describe("the length of a value as JSON", () => {
  it.each([
    null,
    true,
    -1.5e300,
    "",
    "text",
    [],
    {},
    [[]],
    { a: {} },
    { a: 1, bc: "x", d: null },
    [1, "2", [3, { e: [false] }], {}],
    {
      id: 7,
      method: "m",
      params: { list: Array.from({ length: 100 }, (_, n) => ({ n, text: "x".repeat(n) })) },
    },
  ])("of %j is what is written", (value) => {
    const { length } = JSON.stringify(value);
    expect([isLongerThan(value, length), isLongerThan(value, length - 1)]).toEqual([false, true]);
  });

  it("is looked at no further than to the bound", () => {
    let looked = 0;
    const member = {
      get x() {
        looked++;
        return "0123456789";
      },
    };
    expect(
      isLongerThan(
        Array.from({ length: 1000 }, () => member),
        100,
      ),
    ).toBe(true);
    expect(looked).toBeLessThan(10);
  });
});
