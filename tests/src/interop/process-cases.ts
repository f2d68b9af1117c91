import assert from "node:assert/strict";
import { ENV, refusal, sh, text, type Case } from "./case.ts";

const windows = process.platform === "win32";
const without = (): string | undefined => (windows ? "the programs of these cases are Unix's" : undefined);

/** Numbers as lines, from 1. */
function numbers(last: number): string {
  return Array.from({ length: last }, (_, n) => `${n + 1}\n`).join("");
}

const cases: readonly Case[] = [
  {
    name: "a process has its outputs apart, and an exit code",
    async run(bench) {
      const client = await bench.connect();
      const process = await client.processes.start(sh("echo out; echo err >&2; exit 3"));
      assert.deepEqual(
        await Promise.all([text(process.stdout), text(process.stderr), text(process.output)]),
        ["out\n", "err\n", ""],
      );
      assert.equal((await process.exited).exitCode, 3);
      await process.closed;
    },
  },
  {
    name: "a process has the folder, the environment and the name it is given",
    async run(bench) {
      const client = await bench.connect();
      const process = await client.processes.start({
        argv: ["sh", "-c", 'pwd; echo "$A"; echo "$0"; env | grep -c "^HOME=" || true'],
        arg0: "another-name",
        cwd: bench.folder,
        env: { ...ENV, A: "ä b" },
      });
      const [folder, variable, name, homes] = (await text(process.stdout)).trim().split("\n");
      assert.deepEqual([folder, variable, homes], [bench.folder, "ä b", "0"]);
      assert.equal(name, "another-name");
      await process.closed;
    },
  },
  {
    name: "a process reads what is written to it, in order",
    async run(bench) {
      const client = await bench.connect();
      const process = await client.processes.start({ ...sh("head -n 200"), pipeStdin: true });
      await Promise.all(Array.from({ length: 200 }, (_, n) => process.write(`${n + 1}\n`)));
      assert.equal(await text(process.stdout), numbers(200));
      assert.equal((await process.exited).exitCode, 0);
      await process.closed;
    },
  },
  {
    name: "a process without an input refuses what is written to it",
    async run(bench) {
      const client = await bench.connect();
      await using process = await client.processes.start(sh("sleep 30"));
      const { kind, message } = await refusal(process.write("x"));
      assert.equal(kind, "refused");
      assert.match(message, /pipeStdin/);
      await process.terminate();
      await process.closed;
    },
  },
  {
    name: "a process in a terminal has one, and both outputs come by it",
    async run(bench) {
      const client = await bench.connect();
      const process = await client.processes.start({
        ...sh("test -t 0 && test -t 1 && echo terminal; echo err >&2; read line; echo got $line"),
        tty: true,
      });
      await process.write("typed\n");
      const shown = await text(process.output);
      assert.match(shown, /terminal\r\n/);
      assert.match(shown, /err\r\n/);
      assert.match(shown, /got typed\r\n/);
      assert.equal(await text(process.stdout), "");
      await process.closed;
    },
  },
  {
    name: "an interrupt ends a process as Ctrl-C does",
    async run(bench) {
      const client = await bench.connect();
      for (const tty of [false, true]) {
        const process = await client.processes.start({ ...sh("echo up; exec sleep 30"), tty });
        const reader = (tty ? process.output : process.stdout).getReader();
        await reader.read();
        await process.signal("interrupt");
        assert.notEqual((await process.exited).exitCode, 0);
        await process.closed;
      }
    },
  },
  {
    name: "a process that is terminated ends, with all it has started",
    async run(bench) {
      const client = await bench.connect();
      const process = await client.processes.start(sh("sleep 30 & echo up; wait"));
      await process.stdout.getReader().read();
      assert.equal(await process.terminate(), true);
      assert.equal((await process.exited).exitCode, 137);
      await process.closed; // its child had its outputs, too
      assert.equal(await process.terminate(), false);
    },
  },
  {
    name: "a process that is disposed of is terminated",
    async run(bench) {
      const client = await bench.connect();
      let exited: Promise<{ exitCode: number }>;
      let closed: Promise<void>;
      {
        await using process = await client.processes.start(sh("exec sleep 30"));
        ({ exited, closed } = process);
      }
      assert.equal((await exited).exitCode, 137);
      await closed;
    },
  },
  {
    name: "output is there to be read after the exit",
    async run(bench) {
      const client = await bench.connect();
      const process = await client.processes.start(sh("echo late; exit 4"));
      await process.closed;
      assert.equal((await process.exited).exitCode, 4);
      assert.equal(await text(process.stdout), "late\n");
    },
  },
  {
    name: "much output comes whole and in order",
    async run(bench) {
      const client = await bench.connect();
      const process = await client.processes.start(sh("seq 1 600000"));
      assert.equal(await text(process.stdout), numbers(600_000));
      await process.closed;
    },
  },
  {
    name: "a reader that is behind is sent the rest when it has caught up",
    async run(bench) {
      const client = await bench.connect({ limits: { unread: 64 * 1024 } });
      const process = await client.processes.start(sh("seq 1 100000"));
      await process.closed;
      assert.equal(await text(process.stdout), numbers(100_000));
    },
  },
  {
    name: "a reader that is too far behind is told so",
    async run(bench) {
      const client = await bench.connect({ limits: { unread: 64 * 1024 } });
      const process = await client.processes.start(sh("seq 1 600000; exit 5"));
      await process.closed;
      const { kind } = await refusal(text(process.stdout));
      assert.equal(kind, "output lost");
      assert.equal((await process.exited).exitCode, 5);
    },
  },
  {
    name: "twenty processes run at once",
    async run(bench) {
      const client = await bench.connect();
      const all = await Promise.all(
        Array.from({ length: 20 }, (_, n) => client.processes.start(sh(`echo ${n}; exit ${n}`))),
      );
      for (const [n, process] of all.entries()) {
        assert.equal(await text(process.stdout), `${n}\n`);
        assert.equal((await process.exited).exitCode, n);
        await process.closed;
      }
    },
  },
  {
    name: "what cannot be started says why, and an id that is taken does",
    async run(bench) {
      const client = await bench.connect();
      const missing = await refusal(client.processes.start({ argv: [`${bench.folder}/none`], env: ENV }));
      assert.match(missing.message, /^process\/start: No such file or directory \(os error 2\)$/);
      const first = await client.processes.start({ ...sh("true"), id: "same" });
      await first.closed;
      const taken = await refusal(client.processes.start({ ...sh("true"), id: "same" }));
      assert.equal(taken.message, "process/start: process same already exists");
    },
  },
];

export const processCases: readonly Case[] = cases.map((one) => ({ without, ...one }));
