// The README's table of limits and its diagrams are what the source says.
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { diagram } from "@sluice/streams";
import { expect, it } from "vitest";
import { CALL } from "./calls.ts";
import { LIMITS } from "./limits.ts";
import { REQUEST } from "./requests.ts";

const README = new URL("../README.md", import.meta.url);
const SOURCE = readFileSync(new URL("limits.ts", import.meta.url), "utf8");

function amount(value: number): string {
  if (value % 2 ** 20 === 0) return `${value / 2 ** 20} MiB`;
  return value >= 2 ** 18 && value % 1024 === 0 ? `${value / 1024} KiB` : value.toLocaleString("en-US");
}

function limits(): string {
  const docs = new Map(
    [...SOURCE.matchAll(/\/\*\* (.*) \*\/\n {2}readonly (\w+): number/g)].map(([, doc, name]) => [
      name!,
      doc!,
    ]),
  );
  const rows = Object.entries(LIMITS).map(
    ([name, value]) => `| \`${name}\` | ${amount(value as number)} | ${docs.get(name)!} |`,
  );
  return ["| limit | default | counts, and what happens beyond it |", "|---|---|---|", ...rows].join("\n");
}

const states = (table: Parameters<typeof diagram>[0]): string => `\`\`\`mermaid\n${diagram(table)}\n\`\`\``;

// UPDATE_README=1 writes them.
it.each([
  ["limits", limits()],
  ["CALL", states(CALL)],
  ["REQUEST", states(REQUEST)],
])("the README's part %s is made from the source", (name, expected) => {
  const readme = readFileSync(README, "utf8");
  const part = new RegExp(`(<!-- ${name} -->\n)([\\s\\S]*?)(<!-- /${name} -->)`);
  if (process.env["UPDATE_README"] === "1")
    writeFileSync(
      README,
      readme.replace(part, (_, begin: string, __, end: string) => `${begin}${expected}\n${end}`),
    );
  else expect(part.exec(readme)?.[2]).toBe(`${expected}\n`);
});
