// `npm run lock:platforms`, by hand after a change of dependencies: which binaries for other platforms the lockfile
// lacks. An optional dependency that the registry did not have when the lockfile was written is left out of it
// without a word, and a frozen install on that platform then brings a tool without its executable.
import { globSync, readFileSync } from "node:fs";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lockfile = readFileSync("pnpm-lock.yaml", "utf8");
const locked = new Set(
  [...lockfile.matchAll(/^ {2}'?((?:@[^@/]+\/)?[^@'(]+@[^'(:]+)'?:$/gm)].map(([, id = ""]) => id),
);
const lacking = new Map<string, string[]>();
let asked = 0;

for (const path of globSync("node_modules/.pnpm/*/node_modules/{*,@*/*}/package.json")) {
  const { name, version, optionalDependencies = {} } = JSON.parse(readFileSync(path, "utf8")) as Manifest;
  if (!locked.has(`${name}@${version}`)) continue;
  // Binaries for platforms are asked for by exact version; ranges are other optional things.
  const binaries = Object.entries(optionalDependencies).filter(([, range]) => /^\d/.test(range));
  const missing = binaries.map(([binary, range]) => `${binary}@${range}`).filter((id) => !locked.has(id));
  asked += binaries.length;
  if (missing.length > 0) lacking.set(`${name}@${version}`, missing);
}

for (const [id, missing] of lacking)
  console.log(`${id} lacks\n${missing.map((name) => `  ${name}`).join("\n")}`);
console.log(`${asked} binaries asked for; ${lacking.size} packages lack some of theirs`);
process.exitCode = lacking.size === 0 ? 0 : 1;
