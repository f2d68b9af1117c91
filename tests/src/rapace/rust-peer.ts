// The peer of published rapace crates: built where cargo and its registry are, by Node alone; the other runtimes take
// what it has built.
import { execFile, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const SOURCE = fileURLToPath(new URL("../../interop/rust/rapace/", import.meta.url));
const TARGET = fileURLToPath(new URL("../../../node_modules/.cache/rapace-peer/", import.meta.url));
const BINARY = join(
  TARGET,
  "debug",
  process.platform === "win32" ? "sluice-rapace-peer.exe" : "sluice-rapace-peer",
);

const isNode = !("Deno" in globalThis) && !("Bun" in globalThis);
const run = promisify(execFile);

function findCargo(): string | undefined {
  const installed = join(homedir(), ".cargo", "bin", "cargo");
  return ["cargo", installed].find((cargo) => spawnSync(cargo, ["--version"]).status === 0);
}

/** Why there is no peer, where there is none. @throws Error where its source does not compile */
export async function buildPeer(): Promise<string | undefined> {
  if (!isNode)
    return existsSync(BINARY) ? undefined : "the Rust peer is not built: run this file on Node first";
  const cargo = findCargo();
  if (cargo === undefined) return "there is no cargo here, so no Rust peer: see https://rustup.rs";
  const options = { cwd: SOURCE, env: { ...process.env, CARGO_TARGET_DIR: TARGET } };
  try {
    await run(cargo, ["fetch", "--locked", "--quiet"], { ...options, timeout: 120_000 });
  } catch {
    return "the crates of the Rust peer cannot be fetched: cargo's registry does not answer";
  }
  await run(cargo, ["build", "--locked", "--offline", "--quiet"], { ...options, timeout: 600_000 });
  return undefined;
}

export interface RustPeer {
  /** Where it listens; undefined where it dials. */
  readonly address: string | undefined;
  /** Settles once it has gone. */
  readonly exited: Promise<void>;
  /** Ends it. */
  stop(): Promise<void>;
}

/** Starts the peer; `dial`: an address to connect to, or it listens. */
export async function startPeer(
  version: "0.5" | "0.2",
  over: "tcp" | "ws",
  dial?: string,
): Promise<RustPeer> {
  const role = dial === undefined ? ["listen"] : ["dial", dial];
  const child = spawn(BINARY, [version, over, ...role], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await exited;
  };
  if (dial !== undefined) return { address: undefined, exited, stop };
  const address = await new Promise<string>((resolve, reject) => {
    let printed = "";
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`the Rust peer ended: ${printed}`)));
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      const found = /listening (\S+)\n/.exec(printed);
      if (found !== null) resolve(found[1]!);
    });
  });
  return { address, exited, stop };
}
