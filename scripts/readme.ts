// `npm run check:readme`: every example in a Markdown file or a doc comment is type-checked and run.
//   ```ts              run it: it has to exit with 0. `ts no-run`: only check its types. `ts sketch`: neither.
//   ```ts file=a.ts    a file beside the examples that follow in the same section
//   ```text output     exactly what the example before it prints
//   ```sh              each `npm run x` has to exist
// Options: --runtime node,deno,bun (node) · --only <part of a path> · --keep (leave the files in tests/.examples)
import { execFile } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { commandsOf, examplesOf, fencesOfDocComments, fencesOfMarkdown, npmScriptOf } from "./fences.ts";
import type { Example, Fence } from "./fences.ts";

const RUNTIMES: Readonly<Record<string, readonly string[]>> = {
  node: ["node"],
  deno: ["deno", "run", "-A", "--no-check"],
  bun: ["bun"],
};
const TIME_LIMIT = 60_000;

const { values: options } = parseArgs({
  options: {
    runtime: { type: "string", default: "node" },
    only: { type: "string", default: "" },
    keep: { type: "boolean", default: false },
  },
});
const runtimes = options.runtime.split(",");
for (const runtime of runtimes)
  if (RUNTIMES[runtime] === undefined)
    throw new Error(`--runtime ${runtime}: it has to be node, deno or bun`);

const problems: string[] = [];
const fail = (source: string, line: number, message: string): void => {
  problems.push(`${source}:${line}: ${message}`);
  console.error(problems.at(-1));
};

function fencesOf(source: string): Fence[] {
  const text = readFileSync(source, "utf8");
  try {
    return source.endsWith(".md") ? fencesOfMarkdown(text) : fencesOfDocComments(source, text);
  } catch (error) {
    fail(source, 1, error instanceof Error ? error.message : String(error));
    return [];
  }
}

const sources = globSync([
  "*.md",
  "docs/**/*.md",
  "{packages,apps}/*/*.md",
  "benchmarks/*.md",
  "packages/*/src/**/*.ts",
])
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => !path.endsWith(".test.ts") && path.includes(options.only))
  .sort();
const fences = sources.map((source) => [source, fencesOf(source)] as const);
const examples = fences.flatMap(([source, found]) => examplesOf(source, found));
const commands = fences.flatMap(([source, found]) => commandsOf(source, found));

// A folder that sees every package of the house by its name, as a reader who has installed them does.
const base = join("tests", ".examples", String(process.pid));
mkdirSync(base, { recursive: true });
process.on("exit", () => {
  if (!options.keep) rmSync(base, { recursive: true, force: true });
});

interface Placed {
  readonly example: Example;
  readonly folder: string;
}
const placed: Placed[] = [];
for (const [index, example] of examples.entries()) {
  if (example.kind === "sketch") continue;
  const folder = join(base, String(index));
  for (const { name, code } of [...example.files, example.main]) {
    const path = join(folder, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, code);
  }
  placed.push({ example, folder });
}

/** Puts the place in the source where the output names a file of an example. */
function explain(output: string): string {
  let text = output.trim();
  for (const { example, folder } of placed)
    for (const { name, line } of [...example.files, example.main]) {
      const path = `(?:file://)?[^\\s(]*${folder.replaceAll(/[\\/.]/g, ".")}[\\\\/]${name.replaceAll(".", "\\.")}`;
      text = text.replaceAll(
        new RegExp(`${path}(?:[:(](\\d+)(?:[:,](\\d+)\\)?)?)?`, "g"),
        (_, at = "1", column = "1") => `${example.source}:${line + Number(at) - 1}:${column}`,
      );
    }
  return text.replaceAll(/^/gm, "    ");
}

async function call(
  command: string,
  args: readonly string[],
): Promise<{ ok: boolean; out: string; err: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, {
      timeout: TIME_LIMIT,
      env: { ...process.env, NO_COLOR: "1" },
    });
    return { ok: true, out: stdout, err: stderr };
  } catch (error) {
    const {
      stdout = "",
      stderr = "",
      killed = false,
    } = error as { stdout?: string; stderr?: string; killed?: boolean };
    const late = killed ? `still running after ${TIME_LIMIT / 1000} s\n` : "";
    return { ok: false, out: stdout, err: late + (stderr || String(error)) };
  }
}

if (placed.length > 0) {
  const tsconfig = {
    extends: "../../../tsconfig.base.json",
    compilerOptions: {
      types: ["node"],
      isolatedDeclarations: false,
      declaration: false,
      moduleDetection: "force",
    },
    include: ["**/*.ts"],
  };
  writeFileSync(join(base, "tsconfig.json"), JSON.stringify(tsconfig));
  const types = await call("tsc", ["-p", base]);
  if (!types.ok) fail("examples", 1, `the types of these do not fit\n${explain(types.out || types.err)}`);
}

async function runExample({ example, folder }: Placed, runtime: string): Promise<void> {
  const [command = runtime, ...args] = RUNTIMES[runtime] ?? [];
  const { ok, out, err } = await call(command, [...args, join(folder, example.main.name)]);
  const { source, main, output } = example;
  if (!ok) fail(source, main.line, `the example fails on ${runtime}\n${explain(`${out}${err}`)}`);
  else if (output !== undefined && out.trimEnd() !== output.trimEnd())
    fail(
      source,
      main.line,
      `on ${runtime} the example prints\n${explain(out)}\n  and should print\n${explain(output)}`,
    );
}

const jobs = placed
  .filter(({ example }) => example.kind === "run")
  .flatMap((one) => runtimes.map((runtime) => (): Promise<void> => runExample(one, runtime)));
const ran = jobs.length;
const worker = async (): Promise<void> => {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await job();
};
await Promise.all([worker(), worker()]);

const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
for (const { source, line, text } of commands) {
  const script = npmScriptOf(text);
  if (script !== undefined && !Object.hasOwn(scripts, script))
    fail(source, line, `\`${text}\`: package.json has no script "${script}"`);
  const [, path] = /\bbash (\S+)/.exec(text) ?? [];
  if (path !== undefined && !existsSync(path)) fail(source, line, `\`${text}\`: there is no ${path}`);
}

const count = (kind: Example["kind"]): number => examples.filter((example) => example.kind === kind).length;
console.log(
  `${sources.length} files: ${count("run")} examples (${ran} runs on ${runtimes.join(", ")}), ` +
    `${count("typecheck")} only type-checked, ${count("sketch")} sketches, ${commands.length} commands; ${problems.length} problems`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
