// `npm run size`: how big each package is for a browser, minified and compressed, against its limit in .size-limit.json.
// Records the numbers in .reports/size.json.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";

interface Size {
  readonly name: string;
  readonly size: number;
  readonly sizeLimit: number;
  readonly passed: boolean;
}

const found = spawnSync("size-limit", ["--json", ...process.argv.slice(2)], { encoding: "utf8" });
if (!found.stdout.trim().startsWith("[")) throw new Error(found.stderr + found.stdout);
const sizes = JSON.parse(found.stdout) as readonly Size[];

mkdirSync(".reports", { recursive: true });
writeFileSync(".reports/size.json", `${JSON.stringify(sizes, null, 2)}\n`);

const kB = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`.padStart(9);
const width = Math.max(...sizes.map(({ name }) => name.length));
for (const { name, size, sizeLimit, passed } of sizes)
  console.log(`${name.padEnd(width)} ${kB(size)} of ${kB(sizeLimit)}${passed ? "" : "  TOO BIG"}`);
process.exitCode = sizes.every(({ passed }) => passed) ? 0 : 1;
