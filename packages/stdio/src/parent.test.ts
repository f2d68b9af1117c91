import { spawn as start } from "node:child_process";
import { expect, it } from "vitest";
import { fixture, own, spawnFixture } from "./fixtures/runtimes.ts";
import { gone, watch } from "./fixtures/watch.ts";

it("a child whose parent is killed by SIGKILL sees the end of its input and ends", async () => {
  const middle = start(...fixture("nest", ["wait", "echo"]), { stdio: ["pipe", "pipe", "inherit"] });
  middle.stdin.on("error", () => {});
  const [pid, child] = (await firstLine(middle.stdout)).split(" ");
  middle.kill("SIGKILL");
  expect(await gone(Number(pid))).toBe(true);
  expect(await gone(Number(child))).toBe(true);
});

it.for(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
  "a stubborn child does not outlive a parent ended by %s",
  async (signal) => {
    const middle = start(...fixture("nest", ["wait", "child", "stubborn"]), {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [, pid] = (await firstLine(middle.stdout)).split(" ");
    const exited = new Promise<string | null>((resolve) => middle.on("exit", (_code, by) => resolve(by)));
    middle.kill(signal);
    expect(await exited).toBe(signal);
    expect(await gone(Number(pid))).toBe(true);
  },
);

it("a stubborn child does not outlive a parent that exits", async () => {
  const middle = start(...fixture("nest", ["exit", "child", "stubborn"]), {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [, pid] = (await firstLine(middle.stdout)).split(" ");
  expect(await gone(Number(pid))).toBe(true);
});

it("a parent that stops reading and goes is an error of the child's transport, not a crash", async () => {
  const child = start(...fixture("child", ["broken-output"]), { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => {});
  const said = firstLine(child.stderr);
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.stdout.destroy();
  expect(await said).toBe("closed with write");
  const code = await new Promise((resolve) =>
    child.exitCode === null ? child.on("exit", resolve) : resolve(child.exitCode),
  );
  expect(code).toBe(0);
});

it("speaks over real pipes and files, too", async () => {
  const [command, args] = fixture("echo");
  const line = [command, ...args].map((part) => `'${part}'`).join(" ");
  for (const run of [
    `head -c 300000 /dev/zero | ${line} | wc -c`,
    `${line} < /etc/passwd | cmp - /etc/passwd && echo 300000`,
  ]) {
    const shell = start("/bin/sh", ["-c", run], { stdio: ["ignore", "pipe", "inherit"] });
    expect((await firstLine(shell.stdout)).trim()).toBe("300000");
  }
});

it("echoes for a child of the same runtime", async () => {
  const child = spawnFixture("echo");
  const seen = watch(child);
  child.write([new TextEncoder().encode(own)]);
  await seen.said(own);
  child.close();
  expect(await seen.closed).toBeUndefined();
});

/** The first line a stream has, without its break. */
function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    stream.on("data", (chunk: Uint8Array) => {
      text += new TextDecoder().decode(chunk);
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
    });
    stream.on("end", () => resolve(text));
  });
}
