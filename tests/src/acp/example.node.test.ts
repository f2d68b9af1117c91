// The example agent and client of apps/acp, as a user runs them.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";

const runtime = "Deno" in globalThis ? ["run", "-A"] : [];
const program = fileURLToPath(new URL("../../../apps/acp/src/client.ts", import.meta.url));

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-acp-"));
});
afterEach(() => rm(folder, { recursive: true }));

class Run {
  readonly child: ChildProcess;
  output = "";

  constructor(...args: readonly string[]) {
    this.child = spawn(process.execPath, [...runtime, program, ...args], {
      cwd: folder,
      stdio: ["pipe", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => void (this.output += text));
  }

  async ended(): Promise<[number | null, string]> {
    const [code] = (await once(this.child, "close")) as [number | null];
    return [code, this.output];
  }

  async says(text: string): Promise<void> {
    while (!this.output.includes(text)) await once(this.child.stdout!, "data");
  }
}

it("reads and changes files and runs programs, in turns", async () => {
  await writeFile(join(folder, "a.txt"), "hello world\n");
  const run = new Run(
    "--yes",
    ...["read a.txt", "replace a.txt world moon", `run ${process.execPath} --version`, "what?"].flatMap(
      (prompt) => ["-p", prompt],
    ),
  );
  const [code, output] = await run.ended();
  expect([code, await readFile(join(folder, "a.txt"), "utf8")]).toEqual([0, "hello moon\n"]);
  for (const part of [
    "hello world",
    "- hello world",
    "+ hello moon",
    "Replaced 1 times",
    "ended with 0",
    "I have no model",
  ])
    expect(output).toContain(part);
});

it("asks the user, who may say no", async () => {
  await writeFile(join(folder, "a.txt"), "hello world\n");
  const run = new Run("-p", "replace a.txt world moon");
  await run.says("1 Allow, 2 Reject");
  run.child.stdin!.write("2\n");
  const [code, output] = await run.ended();
  expect(code).toBe(0);
  expect(output).toContain("That failed: the user said no");
  expect(await readFile(join(folder, "a.txt"), "utf8")).toBe("hello world\n");
});

it("lets the agent have no file elsewhere", async () => {
  const [, output] = await new Run("--yes", "-p", "read ../secret").ended();
  expect(output).toContain("That failed: only files below the client's folder");
});

it("a turn that is interrupted ends cancelled, and the client goes on", async () => {
  const run = new Run("-p", "count 1000", "-p", "count 1");
  await run.says("1 2 3 ");
  run.child.kill("SIGINT");
  const [, output] = await run.ended(); // Deno tells no exit code of a process that it sent a signal
  expect(output).toMatch(/\[cancelled\]\n1 \n$/);
});

it("an agent that cannot be started is an error that names it", async () => {
  const [code, output] = await new Run("-p", "x", "--", "no-such-agent").ended();
  expect(code).toBe(1);
  expect(output).toContain("no-such-agent");
});
