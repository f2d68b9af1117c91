// Processes as a client sees them, with real ones.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createExecutor, type Executor } from "./executor.ts";
import { base64, ENV, isAlive, ready, shell, TestClock, text, type Peer } from "./executor.testing.ts";

let executor: Executor;
let clock: TestClock;
let peer: Peer;
beforeEach(async () => {
  clock = new TestClock();
  executor = createExecutor({ clock });
  peer = await ready(executor, "codex");
});
afterEach(() => executor.close());

const read = (processId: string, more: object = {}) => peer.call("process/read", { processId, ...more });
const write = (processId: string, chunk: string, writeId: string) =>
  peer.call("process/write", { processId, chunk: base64(chunk), writeId });

describe("a process", () => {
  it("is started, written to, and tells its output, its exit and its end", async () => {
    const line = "echo hi; echo err 1>&2; read x; echo got $x; exit 3";
    expect(await peer.call("process/start", shell("p1", line, { pipeStdin: true }))).toEqual({
      processId: "p1",
      sandboxType: "none",
    });
    expect(await write("p1", "yo\n", "w1")).toEqual({ status: "accepted" });
    await peer.hears("process/closed");
    expect(peer.output("p1")).toBe("hi\ngot yo\n");
    expect(peer.output("p1", "stderr")).toBe("err\n");
    const { exitCode, sandboxDenied } = await peer.hears("process/exited");
    expect([exitCode, sandboxDenied]).toEqual([3, false]);
    const seqs = peer.told.map(({ params }) => params.seq);
    expect(seqs).toEqual(seqs.map((_, at) => at + 1));

    const all = await read("p1");
    expect(all).toMatchObject({
      nextSeq: seqs.length + 1,
      exited: true,
      exitCode: 3,
      closed: true,
      failure: null,
      sandboxDenied: false,
    });
    expect(text(all.chunks.filter(({ stream }: { stream: string }) => stream === "stdout"))).toBe(
      "hi\ngot yo\n",
    );
    expect(await peer.call("process/terminate", { processId: "p1" })).toEqual({ running: false });
    expect(await peer.call("process/signal", { processId: "p1", signal: "interrupt" })).toEqual({});
    expect(await write("p1", "yo\n", "w2")).toEqual({ status: "stdinClosed" });
    expect(await write("p1", "yo\n", "w1")).toEqual({ status: "accepted" });
  });

  it("has the environment it is given and nothing else, and the name it is told", async () => {
    await peer.call("process/start", { ...shell("e", ""), argv: ["env"], env: { A: "1", ...ENV } });
    await peer.call("process/start", shell("n", "echo $0; pwd", { arg0: "zero", cwd: "file:///tmp/" }));
    await peer.hears("process/closed", ({ processId }) => processId === "e");
    await peer.hears("process/closed", ({ processId }) => processId === "n");
    expect(peer.output("e").trim().split("\n").toSorted()).toEqual(["A=1", `PATH=${ENV.PATH}`]);
    expect(peer.output("n")).toMatch(/^zero\n(\/private)?\/tmp\n$/);
  });

  it("has what a policy picks from ours, and over it what it is given", async () => {
    process.env["SLUICE_TEST_ONE"] = "one";
    process.env["SLUICE_TEST_TOKEN"] = "secret";
    const envPolicy = { inherit: "all", includeOnly: ["sluice_test_*", "set"], set: { SET: "2" } };
    const params = { ...shell("e", ""), argv: ["env"], env: { A: "1" }, envPolicy };
    await peer.call("process/start", params);
    await peer.hears("process/closed");
    delete process.env["SLUICE_TEST_ONE"];
    delete process.env["SLUICE_TEST_TOKEN"];
    expect(peer.output("e").trim().split("\n").toSorted()).toEqual(["A=1", "SET=2", "SLUICE_TEST_ONE=one"]);
  });

  it("ends with all that it has started when it is terminated, as if by signal 9", async () => {
    await peer.call("process/start", shell("p", "sleep 1000 & echo $!; sleep 1000"));
    await peer.hears("process/output");
    const child = Number(peer.output("p"));
    expect(await peer.call("process/terminate", { processId: "p" })).toEqual({ running: true });
    expect((await peer.hears("process/exited")).exitCode).toBe(137);
    await peer.hears("process/closed");
    while (isAlive(child)) await new Promise((resolve) => setImmediate(resolve));
  });

  it("is told of after its start has been answered", async () => {
    for (let n = 0; n < 10; n++) {
      await peer.call("process/start", shell(`p${n}`, "echo"));
      expect(peer.told.filter(({ params }) => params.processId === `p${n}`)).toEqual([]);
      await peer.hears("process/closed", ({ processId }) => processId === `p${n}`);
    }
  });

  it("can be interrupted", async () => {
    const line = "trap 'echo int; exit 7' INT; echo on; while :; do sleep 0.05; done";
    await peer.call("process/start", shell("p", line));
    await peer.hears("process/output");
    expect(await peer.call("process/signal", { processId: "p", signal: "interrupt" })).toEqual({});
    expect((await peer.hears("process/exited")).exitCode).toBe(7);
    await peer.hears("process/closed");
    expect(peer.output("p")).toBe("on\nint\n");
  });

  it("that a signal ends has the code a shell would give it", async () => {
    await peer.call("process/start", shell("p", "kill -TERM $$"));
    expect((await peer.hears("process/exited")).exitCode).toBe(143);
  });

  it("has ended when its output has, which what it left behind may hold open", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-exec-"));
    const fifo = join(folder, "fifo");
    await peer.call("process/start", shell("p", `mkfifo ${fifo}; (read x < ${fifo}; echo late) & echo done`));
    await peer.hears("process/exited");
    await peer.hears("process/output");
    expect(await read("p")).toMatchObject({ exited: true, exitCode: 0, closed: false, nextSeq: 3 });
    await peer.call("process/start", shell("q", `echo > ${fifo}`));
    await peer.hears("process/closed", ({ processId }) => processId === "p");
    expect(peer.output("p")).toBe("done\nlate\n");
    rmSync(folder, { recursive: true });
  });

  // There is no setsid on macOS.
  it.runIf(process.platform === "linux")(
    "that is terminated has ended although what has left its group holds its output open",
    async () => {
      const line = "echo on; setsid sh -c 'echo $$; exec sleep 1000' & sleep 1000";
      await peer.call("process/start", shell("p", line));
      await peer.hears("process/output", () => /^on\n\d+\n$/.test(peer.output("p")));
      await peer.call("process/terminate", { processId: "p" });
      await peer.hears("process/exited");
      expect((await read("p")).closed).toBe(false);
      clock.pass(2000);
      await peer.hears("process/closed");
      process.kill(Number(peer.output("p").split("\n")[1]), "SIGKILL");
    },
  );

  it("without a pipe has no input", async () => {
    await peer.call("process/start", shell("p", "cat; exec sleep 1000"));
    expect(await write("p", "x", "w")).toEqual({ status: "stdinClosed" });
  });

  it("that closes its input takes no more", async () => {
    await peer.call("process/start", shell("p", "exec 0<&-; echo on; exec sleep 1000", { pipeStdin: true }));
    await peer.hears("process/output");
    // What is written first may still find room in the pipe.
    let last = "accepted";
    for (let n = 0; last === "accepted"; n++) last = (await write("p", "x", `${n}`)).status;
    expect(last).toBe("stdinClosed");
  });

  it("is forgotten some time after it has ended", async () => {
    await peer.call("process/start", shell("p", "true"));
    await peer.hears("process/closed");
    expect(await peer.refusal("process/start", shell("p", "true"))).toEqual([
      -32600,
      "process p already exists",
    ]);
    clock.pass(29_999);
    expect((await read("p")).closed).toBe(true);
    clock.pass(1);
    expect(await peer.refusal("process/read", { processId: "p" })).toEqual([-32600, "unknown process id p"]);
    expect(executor.stats().processes).toBe(0);
  });

  it("writes megabytes, and all of them arrive in order", async () => {
    await peer.call("process/start", shell("p", "seq 1 300000"));
    await peer.hears("process/closed");
    const lines = peer.output("p").trimEnd().split("\n");
    expect(lines).toHaveLength(300_000);
    expect(lines.every((line, at) => line === String(at + 1))).toBe(true);
    // Of these the last mebibyte is kept.
    const { chunks } = await read("p");
    const kept = Buffer.from(text(chunks));
    expect(kept.length).toBeLessThanOrEqual(1024 * 1024);
    expect(kept.length).toBeGreaterThan(1024 * 1024 - 64 * 1024);
    expect(peer.output("p").endsWith(kept.toString())).toBe(true);
  });

  it("loses nothing on a connection that stops reading in between", async () => {
    const ended = peer.hears("process/closed");
    await peer.call("process/start", shell("p", "seq 1 300000"));
    await peer.hears("process/output");
    for (let pause = 0; pause < 10; pause++) {
      peer.transport.pause();
      for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
      peer.transport.resume();
    }
    await ended;
    expect(peer.output("p")).toHaveLength(1_988_895);
  });
});

describe("process/read", () => {
  it("waits for output, for the exit and for the end", async () => {
    await peer.call("process/start", shell("p", "read x; echo out; read x; exit 4", { pipeStdin: true }));
    const first = read("p", { waitMs: 10_000 });
    await write("p", "\n", "1");
    expect(text((await first).chunks)).toBe("out\n");
    const second = read("p", { afterSeq: 1, waitMs: 10_000 });
    await write("p", "\n", "2");
    expect(await second).toMatchObject({ chunks: [], exited: true, exitCode: 4 });
    expect(await read("p", { afterSeq: 2, waitMs: 10_000 })).toMatchObject({ closed: true, nextSeq: 4 });
    expect(await read("p", { afterSeq: 99, waitMs: 10_000 })).toMatchObject({ closed: true, nextSeq: 4 });
  });

  it("that is sent right behind a start comes after it", async () => {
    const starting = peer.call("process/start", shell("p", "echo out; exec sleep 1000"));
    const { chunks } = await read("p", { waitMs: 10_000 });
    expect(text(chunks)).toBe("out\n");
    await starting;
    const failing = peer.refusal("process/start", { ...shell("q", ""), argv: ["/nonexistent/program"] });
    expect(await peer.refusal("process/read", { processId: "q" })).toEqual([-32600, "unknown process id q"]);
    await failing;
  });

  it("answers after its time where nothing comes", async () => {
    await peer.call("process/start", shell("p", "exec sleep 1000"));
    const waiting = read("p", { waitMs: 1000 });
    while (clock.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.pass(1000);
    expect(await waiting).toEqual({
      chunks: [],
      nextSeq: 1,
      exited: false,
      exitCode: null,
      closed: false,
      failure: null,
      sandboxDenied: false,
    });
  });
});

describe("what cannot be done is refused", () => {
  const start = shell("p", "true");
  const cases: [string, string, object, number, string][] = [
    [
      "a program that is not there",
      "process/start",
      { ...start, argv: ["/nonexistent/program"] },
      -32603,
      "No such file or directory (os error 2)",
    ],
    [
      "a program that is none",
      "process/start",
      { ...start, argv: ["/"] },
      -32603,
      "Permission denied (os error 13)",
    ],
    [
      "a directory that is not there",
      "process/start",
      { ...start, cwd: "file:///nonexistent/folder" },
      -32603,
      "No such file or directory (os error 2)",
    ],
    ["no program", "process/start", { ...start, argv: [] }, -32602, "argv must not be empty"],
    [
      "a path instead of a URI",
      "process/start",
      { ...start, cwd: "/tmp" },
      -32602,
      "invalid URI: relative URL without a base",
    ],
    [
      "NUL in an argument",
      "process/start",
      { ...start, argv: ["a\0"] },
      -32602,
      "invalid field `argv`: expected a list of strings without NUL",
    ],
    [
      "a variable without a name",
      "process/start",
      { ...start, env: { "": "a" } },
      -32602,
      'invalid field `env`: expected names, without "=", and their values, all strings without NUL',
    ],
    [
      "a policy that says nothing",
      "process/start",
      { ...start, envPolicy: {} },
      -32602,
      "missing field `inherit`",
    ],
    ["no id", "process/start", {}, -32602, "missing field `processId`"],
    [
      "an id that is none",
      "process/start",
      { ...start, processId: 1 },
      -32602,
      "invalid field `processId`: expected string",
    ],
    ["no list for params", "process/read", [], -32602, "missing field `processId`"],
    ["an unknown process to read", "process/read", { processId: "nope" }, -32600, "unknown process id nope"],
    [
      "a bad number",
      "process/read",
      { processId: "p", afterSeq: -1 },
      -32602,
      "invalid field `afterSeq`: expected a whole number from 0 up",
    ],
    [
      "an empty writeId",
      "process/write",
      { processId: "p", chunk: "", writeId: "" },
      -32602,
      "writeId must not be empty",
    ],
    [
      "bad base64",
      "process/write",
      { processId: "p", chunk: "!!", writeId: "a" },
      -32602,
      "chunk is not padded standard base64",
    ],
    [
      "another signal",
      "process/signal",
      { processId: "p", signal: "kill" },
      -32602,
      'invalid field `signal`: expected "interrupt"',
    ],
    [
      "a name on a terminal",
      "process/start",
      { ...start, tty: true, arg0: "zero" },
      -32602,
      "arg0 cannot be set for a process on a terminal",
    ],
  ];
  it.each(cases)("%s", async (_, method, params, code, message) => {
    expect(await peer.refusal(method, params)).toEqual([code, message]);
    expect(executor.stats().processes).toBe(0);
  });

  it.each([
    ["sandbox", { permissions: {} }],
    ["sandbox", {}],
    ["enforceManagedNetwork", true],
    ["managedNetwork", {}],
    ["networkProxy", {}],
    ["shellSnapshot", {}],
  ])("what asks for %s is not run without", async (field, value) => {
    expect(await peer.refusal("process/start", { ...start, [field]: value })).toEqual([
      -32602,
      `${field} cannot be had: this executor has no sandbox, and does not run anything without one`,
    ]);
    expect(executor.stats().processes).toBe(0);
  });

  it("and what asks for none is run", async () => {
    const asked = {
      sandbox: null,
      enforceManagedNetwork: false,
      managedNetwork: null,
      metadata: { threadId: "t" },
    };
    await peer.call("process/start", { ...start, ...asked });
    expect((await peer.hears("process/exited")).exitCode).toBe(0);
  });

  it("unknown processes are answered in kind", async () => {
    expect(await write("nope", "", "a")).toEqual({ status: "unknownProcess" });
    expect(await peer.call("process/signal", { processId: "nope", signal: "interrupt" })).toEqual({});
    expect(await peer.call("process/terminate", { processId: "nope" })).toEqual({ running: false });
  });

  it("more processes than the limit", async () => {
    await using small = createExecutor({ limits: { processes: 1 } });
    const other = await ready(small);
    await other.call("process/start", shell("a", "exec sleep 1000"));
    expect(await other.refusal("process/start", shell("b", "true"))).toEqual([
      -32012,
      "too many processes in this session: the limit is 1 (limits.processes)",
    ]);
  });
});

// Deno under vitest cannot load native add-ons: there the tests of the command have this case.
describe.skipIf("Deno" in globalThis)("a process on a terminal", () => {
  const terminal = (processId: string, line: string) => shell(processId, line, { tty: true });

  it("has a terminal of 80 by 24, is written to, and tells its exit and its end", async () => {
    await peer.call("process/start", terminal("t", "tty; stty size; read x; echo got $x; exit 3"));
    await peer.hears("process/output", () => peer.output("t", "pty").includes("24 80"));
    expect(await write("t", "yo\n", "1")).toEqual({ status: "accepted" });
    await peer.hears("process/closed");
    const output = peer.output("t", "pty");
    expect(output).toMatch(/^\/dev\/.*\r\n24 80\r\n/);
    expect(output).toContain("got yo\r\n");
    expect((await peer.hears("process/exited")).exitCode).toBe(3);
    expect(await write("t", "yo\n", "2")).toEqual({ status: "stdinClosed" });
  });

  it("can be interrupted and terminated", async () => {
    await peer.call("process/start", terminal("i", "echo on; exec sleep 1000"));
    await peer.call("process/start", terminal("t", "echo on; exec sleep 1000"));
    for (const id of ["i", "t"]) await peer.hears("process/output", ({ processId }) => processId === id);
    await peer.call("process/signal", { processId: "i", signal: "interrupt" });
    await peer.call("process/terminate", { processId: "t" });
    const codes = ["i", "t"].map((id) => peer.hears("process/exited", ({ processId }) => processId === id));
    expect((await Promise.all(codes)).map(({ exitCode }) => exitCode)).toEqual([130, 137]);
    for (const id of ["i", "t"]) await peer.hears("process/closed", ({ processId }) => processId === id);
  });

  it("writes much, and all of it arrives", async () => {
    await peer.call("process/start", terminal("t", "seq 1 20000"));
    await peer.hears("process/closed");
    const lines = peer.output("t", "pty").trimEnd().split("\r\n");
    expect(lines).toHaveLength(20_000);
    expect(lines.at(-1)).toBe("20000");
  });

  it("cannot run what is not there", async () => {
    const start = { ...terminal("t", ""), argv: ["nonexistent-program"] };
    const missing = [-32603, "No such file or directory (os error 2)"];
    expect(await peer.refusal("process/start", start)).toEqual(missing);
    expect(
      await peer.refusal("process/start", { ...start, argv: ["sh"], cwd: "file:///nonexistent/folder" }),
    ).toEqual(missing);
  });
});
