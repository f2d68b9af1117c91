import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { spawnFixture } from "./fixtures/runtimes.ts";
import { gone, watch } from "./fixtures/watch.ts";
import { ChildExitError, spawn } from "./index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

it("a program that does not exist closes the transport with advice", async () => {
  const child = spawn("no-such-program-anywhere", ["--flag"]);
  const error = await watch(child).closed;
  expect(error?.code).toBe("spawn");
  expect(error?.message).toContain('cannot start "no-such-program-anywhere": no such program; install it');
  expect(child.pid).toBeUndefined();
  expect(child.write([bytes("x")])).toBe(false);
  expect(await child.exited).toEqual({ code: null, signal: null });
});

it("a program without permission, and a missing directory, say so", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-"));
  try {
    const file = join(folder, "program");
    writeFileSync(file, "#!/bin/sh\n");
    chmodSync(file, 0o644);
    expect((await watch(spawn(file)).closed)?.message).toContain("chmod +x");
    const missing = join(folder, "missing");
    expect((await watch(spawn("/bin/cat", [], { cwd: missing })).closed)?.message).toContain(
      "does not exist",
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("passes arguments, directory and environment on without a shell", async () => {
  const child = spawn(
    "/bin/sh",
    ["-c", 'printf "%s|" "$1" "$PWD" "$SLUICE" "${HOME-none}"', "sh", "a b; $c"],
    {
      cwd: "/",
      env: { SLUICE: "here", HOME: undefined },
    },
  );
  const seen = watch(child);
  await seen.closed;
  expect(seen.text).toBe("a b; $c|/|here|none|");
});

it.for([0, 1, 7])("a child that exits with %i in the middle is an error that tells how", async (code) => {
  const child = spawnFixture("child", ["exit", String(code)]);
  const seen = watch(child);
  await seen.said("half");
  child.write([bytes("go")]);
  const error = (await seen.closed) as ChildExitError;
  expect(error).toBeInstanceOf(ChildExitError);
  expect(error.code).toBe("exit");
  expect(error.exit).toEqual({ code, signal: null });
  expect(error.message).toContain(`exited with code ${code} in the middle of the conversation`);
  expect(error.message).toContain("first line\nlast \\x1b[31mwords");
  expect(error.stderr).toContain("last \x1b[31mwords\n");
  expect(seen.events).toEqual(["close"]);
});

it.for(["SIGKILL", "SIGSEGV"])("a child that is ended by %s is an error that tells so", async (signal) => {
  const child = spawn("/bin/sh", ["-c", `printf half; read go; kill -${signal.slice(3)} $$`]);
  const seen = watch(child);
  await seen.said("half");
  child.write([bytes("go\n")]);
  const error = (await seen.closed) as ChildExitError;
  expect(error.exit).toEqual({ code: null, signal });
  expect(error.message).toContain(`was ended by ${signal}`);
});

it("a child that ends with 0 after close is in order", async () => {
  const child = spawn("/bin/cat");
  const seen = watch(child);
  child.write([bytes("one "), bytes("two")]);
  child.close();
  expect(await seen.closed).toBeUndefined();
  expect(seen.text).toBe("one two");
  expect(await child.exited).toEqual({ code: 0, signal: null });
});

it("a child that ignores the end of its input and SIGTERM is killed", async () => {
  const child = spawnFixture("child", ["stubborn"], { grace: { stdin: 20, term: 20 } });
  const seen = watch(child);
  await seen.said("\n");
  child.close();
  const error = (await seen.closed) as ChildExitError;
  expect(error.exit.signal).toBe("SIGKILL");
  expect(error.message).toContain("went on after its input was closed (grace 20 ms)");
});

it.for(["close", "abort"] as const)("a stubborn grandchild does not outlive %s", async (way) => {
  const child = spawnFixture("child", ["stubborn", "family"], { grace: { stdin: 20, term: 20 } });
  const seen = watch(child);
  await seen.said("\n");
  const grandchild = Number(seen.text);
  child[way]();
  await seen.closed;
  expect(await gone(child.pid as number)).toBe(true);
  expect(await gone(grandchild)).toBe(true);
});

it("a grandchild left behind by a child that exits is ended, and does not hold the transport open", async () => {
  const child = spawn("/bin/sh", ["-c", "trap '' TERM; sleep 1000 & echo $!"], { grace: { term: 20 } });
  const seen = watch(child);
  expect(((await seen.closed) as ChildExitError).exit.code).toBe(0);
  expect(await gone(Number(seen.text))).toBe(true);
});

it("an aborted signal ends the child, also before it was started", async () => {
  const reason = new Error("changed my mind");
  const control = new AbortController();
  const child = spawn("/bin/cat", [], { signal: control.signal });
  const seen = watch(child);
  control.abort(reason);
  const error = await seen.closed;
  expect(error?.code).toBe("aborted");
  expect(error?.cause).toBe(reason);
  const late = spawn("/bin/cat", [], { signal: control.signal });
  expect(late.pid).toBeUndefined();
  expect((await watch(late).closed)?.cause).toBe(reason);
});

it("a child that never reads tells us to stop, and nothing piles up", async () => {
  const child = spawnFixture("child", ["deaf"]);
  const seen = watch(child);
  await seen.said("ready");
  let accepted = 0;
  while (child.write([new Uint8Array(65536)])) {
    accepted += 65536;
    expect(accepted).toBeLessThan(2 * 1024 * 1024);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  expect(seen.events).toEqual([]);
  child.abort();
  expect(await seen.closed).toBeUndefined();
});

it("a child that closes its input ends the transport with code write, and is ended", async () => {
  const child = spawn("/bin/sh", ["-c", "exec 0<&-; echo closed; sleep 1000"], {
    grace: { stdin: 20, term: 20 },
  });
  const seen = watch(child);
  await seen.said("closed");
  for (let written = 0; written < 4; written++) child.write([new Uint8Array(65536)]);
  expect((await seen.closed)?.code).toBe("write");
  expect(await gone(child.pid as number)).toBe(true);
});

it("the last mebibyte of a child arrives", async () => {
  const child = spawnFixture("child", ["last", String(1024 * 1024)]);
  const seen = watch(child);
  await new Promise<void>((resolve) => {
    const look = (): void => (seen.events.includes("end") ? resolve() : void setTimeout(look, 0));
    look();
  });
  child.close();
  expect(await seen.closed).toBeUndefined();
  expect(seen.bytes).toBe(1024 * 1024);
});

it("stray prints of a child go to its standard error", async () => {
  const lines: string[] = [];
  const child = spawnFixture("child", ["prints"], { onStderrLine: (line) => lines.push(line) });
  const seen = watch(child);
  await seen.said("wire");
  child.close();
  expect(await seen.closed).toBeUndefined();
  expect(seen.text).toBe("wire");
  expect(lines).toEqual(["stray log", "stray info", "stray write"]);
});

it("standard error is always read, and its last 4 KiB kept", async () => {
  const child = spawnFixture("child", ["floods-stderr"]);
  const seen = watch(child);
  await seen.said("done");
  child.close();
  await seen.closed;
  expect(child.stderr().length).toBe(4096);
  expect(child.stderr()).toMatch(/^x+\nend of it\n$/);
});

it("a line listener that throws does not disturb the conversation", async () => {
  const child = spawn("/bin/sh", ["-c", "echo one >&2; echo two >&2; cat"], {
    onStderrLine() {
      throw new Error("thrown by a listener");
    },
  });
  const seen = watch(child);
  child.write([bytes("still here")]);
  child.close();
  expect(await seen.closed).toBeUndefined();
  expect(seen.text).toBe("still here");
});

it("names the child in its label", async () => {
  const child = spawn("/bin/cat", ["-u"]);
  expect(child.label).toBe(`child ${child.pid} (/bin/cat -u)`);
  const seen = watch(child);
  child.close();
  await seen.closed;
});

it("events that came before the start are kept for it", async () => {
  const child = spawn("/bin/sh", ["-c", "echo early; exit 3"]);
  await child.exited;
  const seen = watch(child);
  expect(((await seen.closed) as ChildExitError).exit.code).toBe(3);
  expect(seen.text).toBe("early\n");
});

it("what a child wrote before it ended waits for a user who has paused", async () => {
  const child = spawn("/bin/sh", ["-c", "echo one; read go; echo two"]);
  let told = "";
  const seen = watch(child, (chunk) => {
    told += new TextDecoder().decode(chunk);
    if (told === "one\n") child.pause();
  });
  await seen.said("one");
  child.write([bytes("go\n")]);
  child.close();
  await child.exited;
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  expect(told).toBe("one\n");
  expect(seen.events).toEqual([]);
  child.resume();
  expect(await seen.closed).toBeUndefined();
  expect(told).toBe("one\ntwo\n");
});
