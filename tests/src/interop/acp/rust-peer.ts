// Builds the Rust programs that ../../../interop/rust/acp holds, once, into a cache that a later run finds again.
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** A program, or why there is none. */
export type Built =
  | { readonly path: string }
  | { readonly why: "no cargo" | "no registry" | "build failed"; readonly reason: string };

/** Agent, client and proxy on the protocol's own crate. */
export function rustPeer(): Promise<Built> {
  return (peer ??= build("", "sluice-acp-peer"));
}

/** The conductor of the crate beside it. */
export function rustConductor(): Promise<Built> {
  return (conductor ??= build("conductor", "sluice-acp-conductor"));
}

let peer: Promise<Built> | undefined;
let conductor: Promise<Built> | undefined;

const SOURCES = fileURLToPath(new URL("../../../interop/rust/acp", import.meta.url));
const CACHE = fileURLToPath(new URL("../../../../node_modules/.cache/rust/acp", import.meta.url));
/** ms for each of cargo's steps. A cold build takes a minute on two cores. */
const LIMIT = 900_000;
/** How many of cargo's last lines a reason tells. */
const LINES = 15;

async function build(folder: string, program: string): Promise<Built> {
  const manifest = ["--locked", "--manifest-path", join(SOURCES, folder, "Cargo.toml")];
  const version = await cargo(["--version"]);
  if (version.code !== 0) return { why: "no cargo", reason: "skipped: there is no cargo here" };
  // What is there already is not asked for again.
  const fetched = await cargo(["fetch", ...manifest]);
  if (fetched.code !== 0)
    return { why: "no registry", reason: `skipped: cargo cannot fetch the crates:\n${fetched.lines}` };
  const built = await cargo(["build", "--quiet", "--offline", ...manifest]);
  if (built.code !== 0) return { why: "build failed", reason: `${program} does not build:\n${built.lines}` };
  const suffix = process.platform === "win32" ? ".exe" : "";
  return { path: join(CACHE, "debug", program + suffix) };
}

/** Runs cargo. Its code is null where it cannot be started, or is out of time. */
async function cargo(args: readonly string[]): Promise<{ code: number | null; lines: string }> {
  const child = spawn("cargo", args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, CARGO_TARGET_DIR: CACHE, CARGO_NET_RETRY: "1" },
    timeout: LIMIT,
  });
  let errors = "";
  child.stderr.on("data", (data) => (errors += String(data)));
  const code = await new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(null));
    child.once("close", resolve);
  });
  return { code, lines: errors.trimEnd().split("\n").slice(-LINES).join("\n") };
}
