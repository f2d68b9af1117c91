// Runs a command of this workspace, after making sure that what it needs is installed:
//
//   node scripts/start.mjs [command [args…] [then command [args…]]…]
//
// Plain JavaScript without a dependency: it is the one script that the Node of a fresh machine (20 or later) runs.
// Everything it says goes to stderr, for the standard output belongs to the command.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const bin = join(root, "node_modules", ".bin");
const stamp = join(root, "node_modules", ".sluice-installed");
const windows = process.platform === "win32";
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const say = (line) => process.stderr.write(`${line}\n`);

/** Changes whenever another install is due: what is asked for, what is locked, and the kind of machine. */
function fingerprint() {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`);
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml"]) hash.update(readFileSync(join(root, file)));
  const folders = manifest.workspaces.flatMap((pattern) =>
    pattern.endsWith("/*")
      ? readdirSync(join(root, pattern.slice(0, -2))).map((name) => pattern.slice(0, -1) + name)
      : [pattern],
  );
  for (const folder of [".", ...folders.sort()]) {
    const file = join(root, folder, "package.json");
    if (!existsSync(file)) continue;
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(readFileSync(file, "utf8"));
    hash.update(JSON.stringify([folder, dependencies, devDependencies, optionalDependencies]));
  }
  return hash.digest("hex");
}

/** Installs with the pnpm that package.json names, and shows its output only if it fails. */
async function install() {
  const pnpm = manifest.packageManager;
  say("Sluice: getting the tools ready. The first time takes about half a minute, later times none.");
  say(`  ${pnpm} installs what pnpm-lock.yaml lists: Node 26, Deno, Bun, TypeScript, the test tools …`);
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  // npm is told not to be silent here (.npmrc asks for it), so that a failing download has a message.
  const args = ["--loglevel=error", "--yes", pnpm, "install", "--frozen-lockfile", "--reporter=append-only"];
  const child = spawn("npx", args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], shell: windows });
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  child.stderr.on("data", (data) => (output += data));
  const clock = setInterval(() => say(`  … still at it, ${seconds()} s`), 15_000);
  const code = await new Promise((done) => child.once("error", () => done(1)).once("close", done));
  clearInterval(clock);
  if (code !== 0) {
    say(`${output.trim()}\n`);
    say("Sluice: the install failed; its output is above. It needs the npm registry and about 1 GB of disk.");
    process.exit(1);
  }
  mkdirSync(join(root, "node_modules"), { recursive: true });
  writeFileSync(stamp, fingerprint());
  say(`  ready after ${seconds()} s`);
}

/** Platforms without a Node in the lockfile use their own, which then has to run TypeScript. */
function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (existsSync(join(bin, "node")) || major > 22 || (major === 22 && minor >= 18)) return;
  say(
    `Sluice: on ${process.platform} ${process.arch} please use Node 22.18 or later; this is ${process.version}.`,
  );
  process.exit(1);
}

async function run([command, ...args]) {
  const env = { ...process.env, SLUICE_READY: "1", PATH: `${bin}${delimiter}${process.env.PATH}` };
  const child = spawn(command, args, { cwd: root, stdio: "inherit", env, shell: windows });
  const pass = (signal) => child.kill(signal);
  const ignore = () => {}; // the terminal sends ^C to the child as well, which decides what it means
  process.on("SIGTERM", pass).on("SIGINT", ignore);
  const code = await new Promise((done) => {
    child.once("error", (error) => {
      say(`Sluice: cannot run ${command}: ${error.message}`);
      done(127);
    });
    child.once("close", (exit) => done(exit ?? 1));
  });
  process.off("SIGTERM", pass).off("SIGINT", ignore);
  return code;
}

if (process.env.SLUICE_READY !== "1") {
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== fingerprint()) await install();
  requireNode();
}

const commands = [[]];
for (const word of process.argv.slice(2)) {
  if (word === "then") commands.push([]);
  else commands.at(-1).push(word);
}
for (const command of commands) {
  if (command.length > 0 && process.exitCode === undefined)
    process.exitCode = (await run(command)) || undefined;
}
