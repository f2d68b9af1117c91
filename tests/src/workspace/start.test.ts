// What a package costs before it does anything.
import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

// The others speak by Node's fetch, and cannot do without.
const PACKAGES = [
  "session",
  "session/effect",
  "session/builder",
  "stdio",
  "ws",
  "exec",
  "exec/local",
  "exec/executor",
  "mcp",
  "acp",
  "rapace",
];

// Each by a module that nothing else loads. To import `node:process` looks at each member of `process`.
const COSTLY = {
  "Node's fetch: 16 MiB and 20 ms": "internal/deps/undici/undici",
  "node:process: 4 MiB and 7 ms": "internal/process/report",
};

describe.each(PACKAGES)("importing @sluice/%s", (name) => {
  it.each(Object.entries(COSTLY))("does not load %s", async (_, module) => {
    const script = `await import("@sluice/${name}"); console.log(process.moduleLoadList.join("\\n"))`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      cwd: new URL("../..", import.meta.url),
    });
    const loaded = stdout.split("\n");
    expect(loaded).toContain("NativeModule events"); // it is such a list
    expect(loaded).not.toContain(`NativeModule ${module}`);
  });
});
