// The client and the executor of this package, with a connection that breaks.
import { memoryPair, type Transport } from "@sluice/transport";
import { expect, it } from "vitest";
import { rejection, text } from "./client-fake.testing.ts";
import type { ExecError } from "./client-error.ts";
import { connect, type ConnectOptions, type ExecClient } from "./client.ts";
import { createExecutor, type Executor } from "./executor.ts";

const env = { PATH: process.env["PATH"] ?? "" };
const sh = (line: string): { argv: string[]; env: typeof env; cwd: string } => ({
  argv: ["sh", "-c", line],
  env,
  cwd: "file:///",
});

/** A client whose connection can be cut, and which is told of each that comes. */
class Setup implements AsyncDisposable {
  readonly executor: Executor = createExecutor();
  readonly client: Promise<ExecClient>;
  recovered: number = 0;
  #far: Transport | undefined;
  #waiting: (() => void)[] = [];

  constructor(options: ConnectOptions = {}) {
    const dial = (): Transport => {
      const [near, far] = memoryPair();
      this.#far = far;
      this.executor.accept(far);
      return near;
    };
    const onRecovered = (): void => {
      this.recovered++;
      for (const resolve of this.#waiting.splice(0)) resolve();
    };
    this.client = connect(dial, { ...options, recovery: { delay: 1 }, onRecovered });
  }

  /** Cuts the connection. Settles when the next one is there. */
  cut(): Promise<void> {
    this.#far?.abort();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.client).close();
    await this.executor.close();
  }
}

const lines = (last: number): string => Array.from({ length: last }, (_, n) => `${n + 1}\n`).join("");

it.each(["auto", "codex"] as const)(
  "loses no output of a process over many connections, on the wire %s",
  async (wire) => {
    await using setup = new Setup({ wire });
    const client = await setup.client;
    // Twenty rounds of five lines, each begun by a line of ours; the first of its output cuts the connection.
    const rounds = sh(
      "n=0; while [ $n -lt 100 ]; do [ $((n % 5)) = 0 ] && read go; n=$((n+1)); echo $n; sleep 0.002; done; exit 9",
    );
    const job = await client.processes.start({ ...rounds, pipeStdin: true });
    let begun = 1;
    await job.write("go\n");
    let seen = "";
    for await (const chunk of job.stdout) {
      seen += new TextDecoder().decode(chunk);
      if (setup.recovered < begun) await setup.cut();
      if (begun < 20 && seen === lines(begun * 5)) {
        begun++;
        await job.write("go\n");
      }
    }
    expect(seen).toBe(lines(100));
    expect((await job.exited).exitCode).toBe(9);
    await job.closed;
    expect(setup.recovered).toBe(20);
    expect(client.stats()).toEqual({ calls: 0, bodies: 0, processes: 0, files: 0 });
  },
);

it("writes each line once to a process, whatever becomes of its connections", async () => {
  await using setup = new Setup();
  const client = await setup.client;
  const job = await client.processes.start({ ...sh("head -n 60"), pipeStdin: true });
  const output = text(job.stdout);
  for (let line = 1; line <= 60; line++) {
    const written = job.write(`${line}\n`);
    if (line % 3 === 0) await setup.cut();
    await written;
  }
  expect(await output).toBe(lines(60));
  await job.closed;
});

it("catches up with a process by reads when its reader was behind, over a lost connection too", async () => {
  await using setup = new Setup({ limits: { unread: 20_000 } });
  const client = await setup.client;
  const job = await client.processes.start(sh("seq 1 50000"));
  await job.closed;
  const reader = job.stdout.getReader();
  let seen = "";
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    seen += new TextDecoder().decode(value);
    if (setup.recovered < 3) await setup.cut();
  }
  expect(seen).toBe(lines(50_000));
});

it("leaves nothing behind at the executor when it is closed", async () => {
  const setup = new Setup();
  const client = await setup.client;
  const job = await client.processes.start(sh("echo up; exec sleep 60"));
  await job.stdout.getReader().read();
  await client.files
    .readStream(new URL(import.meta.url))
    .getReader()
    .read();
  await client.close();
  expect((await rejection<ExecError>(job.exited)).kind).toBe("closed");
  await setup.executor.close();
  expect(setup.executor.stats()).toEqual({
    connections: 0,
    sessions: 0,
    processes: 0,
    handles: 0,
    requests: 0,
  });
});
