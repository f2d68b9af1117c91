import { homedir, tmpdir } from "node:os";
import { basename } from "node:path";
import type { MethodTable } from "./executor-methods.ts";
import { platformOs, uriOf } from "./file-uri.ts";

/** Where the executor runs, and what it can do. Paths are `file:` URIs. */
export interface ExecutorEnvironment {
  readonly shell: { readonly name: string; readonly path: string };
  readonly executorVersion: string;
  readonly cwd: string;
  /** Null for a user without one. */
  readonly userHomeDir: string | null;
  readonly platformOs: string;
  readonly temporaryDirectories: readonly string[];
  readonly tempDir: string;
  readonly capabilities: Readonly<Record<string, boolean>>;
}

/** `environment/*`. */
export const environmentMethods: MethodTable = {
  handlers: {
    "environment/info": () => environmentInfo(),
    "environment/status": () => ({ status: "ready" }),
  },
  close() {},
};

export function environmentInfo(): ExecutorEnvironment {
  const path =
    process.platform === "win32"
      ? (process.env["ComSpec"] ?? "cmd.exe")
      : (process.env["SHELL"] ?? "/bin/sh");
  return {
    shell: { name: basename(path).replace(/\.exe$/i, ""), path },
    executorVersion: VERSION,
    // One that is there: its own may have been removed since.
    cwd: folder(() => process.cwd()) ?? uriOf(tmpdir()),
    userHomeDir: folder(homedir),
    platformOs: platformOs(),
    temporaryDirectories: [],
    tempDir: uriOf(tmpdir()),
    capabilities: CAPABILITIES,
  };
}

function folder(where: () => string): string | null {
  try {
    return uriOf(where());
  } catch {
    return null;
  }
}

/** The package's; a test compares them. */
const VERSION = "0.1.0";

/** By the names codex gives them; the first is ours. */
const CAPABILITIES: Readonly<Record<string, boolean>> = {
  httpRequestCancel: true,
  fileWriteStreaming: true,
  httpHeaderEnvVars: true,
  networkProxyLaunch: false,
  capabilityDiscoverySandbox: false,
  environmentConfigRead: false,
  sandboxedFileStreaming: false,
  shellSnapshotV2: false,
};
