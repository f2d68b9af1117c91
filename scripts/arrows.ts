// `npm run check:arrows`: imports follow the arrows of ARCHITECTURE.md section 1, and pure packages are pure.
// Each finding says where, which rule, and what to do.
import { globSync, readFileSync } from "node:fs";
import { HOUSE } from "./house.ts";
import { importsOf, type Import } from "./imports.ts";
import { impurities } from "./purity.ts";

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly rule: "arrow" | "cycle" | "effect" | "leaves-package" | "undeclared" | "pure" | "house";
  readonly message: string;
}

/** A package as the check sees it: its manifest's dependencies and its files by path, relative to the package. */
export interface Package {
  readonly folder: string;
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
  readonly files: Readonly<Record<string, string>>;
}

const SCOPE = "@sluice/";
const isTest = (path: string): boolean => /\.test(ing)?\.ts$/.test(path) || path.startsWith("src/fixtures/");
const packageName = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

/** Everything wrong in these packages, in the order of their files. `shared`: what every test may import. */
export function checkArrows(packages: readonly Package[], shared: readonly string[] = []): Finding[] {
  const findings: Finding[] = [];
  const edges = new Map<string, Map<string, { file: string; line: number }>>();
  for (const pack of packages) {
    const room = HOUSE[pack.folder];
    const targets = new Map<string, { file: string; line: number }>();
    edges.set(pack.folder, targets);
    if (room === undefined) {
      const message = `no such room in the house: add ${pack.folder} to ARCHITECTURE.md section 1 and scripts/house.ts`;
      findings.push({ file: `packages/${pack.folder}/package.json`, line: 1, rule: "house", message });
      continue;
    }
    for (const [path, text] of Object.entries(pack.files)) {
      const file = `packages/${pack.folder}/${path}`;
      const test = isTest(path);
      for (const found of importsOf(file, text)) {
        const finding = judge(pack, path, test, found, shared);
        if (finding !== undefined) findings.push({ file, line: found.line, ...finding });
        if (!test && found.specifier.startsWith(SCOPE))
          targets.set(packageName(found.specifier).slice(SCOPE.length), { file, line: found.line });
      }
      if (room.kind === "pure" && !test)
        for (const { line, message } of impurities(file, text))
          findings.push({ file, line, rule: "pure", message: `${pack.folder} is pure: ${message}` });
    }
  }
  return [...findings, ...cycles(edges)];
}

/** `src/local.ts` and `src/local-agent.ts` for `local`. */
function mayNode(names: readonly string[] | undefined, path: string): boolean {
  return names?.some((name) => path === `src/${name}.ts` || path.startsWith(`src/${name}-`)) ?? false;
}

function judge(
  pack: Package,
  path: string,
  test: boolean,
  { specifier }: Import,
  shared: readonly string[],
): Pick<Finding, "rule" | "message"> | undefined {
  const room = HOUSE[pack.folder];
  if (room === undefined) return undefined;
  if (specifier.startsWith(".")) {
    const depth = new URL(specifier, `file:///package/${path}`).pathname;
    if (depth.startsWith("/package/")) return undefined;
    const message = `"${specifier}" leaves the package: import it by its name (@sluice/…), from its index`;
    return { rule: "leaves-package", message };
  }
  if (specifier.startsWith("node:")) {
    if (room.kind === "web" || test || mayNode(room.node, path)) return undefined;
    const message = `${pack.folder} runs in browsers too and may not import ${specifier}: it belongs in a transport`;
    return { rule: "arrow", message };
  }
  const name = packageName(specifier);
  if (name.startsWith(SCOPE)) {
    const other = name.slice(SCOPE.length);
    if (test && other === pack.folder) return undefined;
    if (!room.may.includes(other)) {
      const allowed = room.may.length === 0 ? "no other package" : `only ${room.may.join(", ")}`;
      const message = `${pack.folder} may not import ${specifier}: it knows ${allowed}. Move the code, or pass it in`;
      return { rule: "arrow", message };
    }
  }
  if (name === "effect") {
    if (room.kind !== "effect" && !test) {
      const message = `nothing below session knows effect, and ${pack.folder} is below: take a callback instead`;
      return { rule: "effect", message };
    }
    if (specifier === "effect") {
      const message = `the barrel brings in all of effect: import the module, as in "effect/Scope"`;
      return { rule: "effect", message };
    }
  }
  const declared = test ? [...pack.dependencies, ...pack.devDependencies, ...shared] : pack.dependencies;
  // The one package that is inlined into what we publish, and so may be a dev dependency.
  const inlined = name === "@std/streams" && room.kind !== "pure" && pack.devDependencies.includes(name);
  if (declared.includes(name) || inlined) return undefined;
  const message = `${name} is not among the ${test ? "dependencies or devDependencies" : "dependencies"} of packages/${pack.folder}/package.json: declare it there, and in deno.json`;
  return { rule: "undeclared", message };
}

/** Cycles between packages, each told once, at one of the imports that make it. */
function cycles(edges: ReadonlyMap<string, ReadonlyMap<string, { file: string; line: number }>>): Finding[] {
  const findings: Finding[] = [];
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    for (const [next, at] of edges.get(name) ?? []) {
      const start = path.indexOf(next);
      if (start >= 0) {
        const ring = [...path.slice(start), next].join(" → ");
        findings.push({
          ...at,
          rule: "cycle",
          message: `${ring} is a circle: one of these imports has to go`,
        });
      } else if (!done.has(next)) visit(next, [...path, next]);
    }
    done.add(name);
  };
  for (const name of edges.keys()) if (!done.has(name)) visit(name, [name]);
  return findings;
}

export function formatFinding({ file, line, rule, message }: Finding): string {
  return `${file}:${line}: [${rule}] ${message}`;
}

interface Manifest {
  readonly private?: boolean;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
}

function readPackages(): Package[] {
  return globSync("packages/*/package.json")
    .sort()
    .map((path) => ({ folder: path.split(/[\\/]/)[1] ?? "", manifest: readManifest(path) }))
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ folder, manifest }) => ({
      folder,
      dependencies: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
      devDependencies: Object.keys(manifest.devDependencies ?? {}),
      files: Object.fromEntries(
        globSync("src/**/*.ts", { cwd: `packages/${folder}` })
          .sort()
          .map((file) => [file.replaceAll("\\", "/"), readFileSync(`packages/${folder}/${file}`, "utf8")]),
      ),
    }));
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, "utf8")) as Manifest;
}

if (import.meta.main) {
  const packages = readPackages();
  const findings = checkArrows(packages, Object.keys(readManifest("package.json").devDependencies ?? {}));
  for (const finding of findings) console.error(formatFinding(finding));
  const files = packages.reduce((sum, pack) => sum + Object.keys(pack.files).length, 0);
  console.log(`${files} files in ${packages.length} packages, ${findings.length} wrong arrows or impurities`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
