// Every rule of PROTOCOL.md is proven by a test that names it.
import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const root = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");

/** Proven by the packages that can: why, and where. */
const LATER: Readonly<Record<string, string>> = {
  L7: "streams that are passed on are session's",
};

// A name begins with its rules, "S9: …" or "S9, S12: …", or mentions more of them, "… (S12)". A table of cases names
// its rule in a column.
const ID = "[FHSCELWPX]\\d+a?";
const NAMES = new RegExp(`["'\`](${ID}(?:, ${ID})*)(?::|["'\`])|\\((${ID})\\)`, "g");

function rules(): string[] {
  return [...new Set([...read("PROTOCOL.md").matchAll(/\*\*([FHSCELWPX]\d+a?)\*\*/g)].map(([, id]) => id!))];
}

function cited(): Set<string> {
  const files = globSync(["packages/*/src/**/*.test.ts", "tests/src/**/*.ts"], { cwd: root });
  const ids = files
    .filter((file) => !file.endsWith("rules.test.ts"))
    .flatMap((file) => [...read(file).matchAll(NAMES)])
    .flatMap(([, first, more]) => (first ?? more)!.split(", "));
  return new Set(ids);
}

it("every rule of PROTOCOL.md is named by a test", () => {
  const names = cited();
  expect(rules().length).toBeGreaterThan(40);
  expect(rules().filter((id) => !names.has(id) && LATER[id] === undefined)).toEqual([]);
});

it("what is left for later is a rule", () => {
  const known = rules();
  expect(Object.keys(LATER).filter((id) => !known.includes(id))).toEqual([]);
});

it("no test names a rule that is not there", () => {
  const known = new Set(rules());
  expect([...cited()].filter((id) => !known.has(id))).toEqual([]);
});
