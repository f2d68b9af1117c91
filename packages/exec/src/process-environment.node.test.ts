import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { environmentOf } from "./process-environment.ts";

/** Whether a pattern fits a name, by what becomes of a variable of that name. */
const fits = (pattern: string, name: string): boolean =>
  Object.hasOwn(
    environmentOf(
      {},
      { inherit: "all", ignoreDefaultExcludes: true, includeOnly: [pattern] },
      { [name]: "" },
    ),
    name,
  );

describe("a pattern of an environment policy", () => {
  it("fits as the regular expression does that says the same, without regard to case", () => {
    const pattern = fc.string({ unit: fc.constantFrom("*", "?", "a", "B", "."), maxLength: 7 });
    const name = fc.string({ unit: fc.constantFrom("a", "A", "b", ".", "x"), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(pattern, name, (text, variable) => {
        const source = text.replaceAll(".", "[.]").replaceAll("*", ".*").replaceAll("?", ".");
        expect(fits(text, variable)).toBe(new RegExp(`^${source}$`, "i").test(variable));
      }),
      { numRuns: 2000 },
    );
  });

  it("that a peer chose, for a name it chose, is over at once", () => {
    expect(fits(`${"*a".repeat(200)}*b`, "a".repeat(10_000))).toBe(false);
  });
});

it("names that sound like a secret are not inherited unless a policy says so", () => {
  const own = { PATH: "/bin", API_KEY: "1", MySecret: "2", token_x: "3", GONE: undefined };
  const names = (ignoreDefaultExcludes?: boolean): string[] =>
    Object.keys(environmentOf({ GIVEN: "1" }, { inherit: "all", ignoreDefaultExcludes }, own));
  expect(names()).toEqual(["PATH", "GIVEN"]);
  expect(names(true)).toEqual(["PATH", "API_KEY", "MySecret", "token_x", "GIVEN"]);
});
