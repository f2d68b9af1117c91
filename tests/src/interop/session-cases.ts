import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { refusal, sh, text, type Case } from "./case.ts";

const needsWs = ({ listen }: { readonly listen: string }): string | undefined =>
  listen === "ws" ? undefined : "over stdio there is nothing to dial again";

/** What a client tells of its recoveries. */
function watch(): { readonly recovered: Promise<void>; readonly options: { onRecovered: () => void } } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { recovered: promise, options: { onRecovered: resolve } };
}

export const sessionCases: readonly Case[] = [
  {
    name: "the executor tells its environment and that it is ready",
    async run(bench) {
      const client = await bench.connect();
      const environment = await client.environment();
      assert.match(environment.cwd ?? "", /^file:\/\/\//);
      assert.notEqual(environment.shell.path, "");
      assert.deepEqual(environment.capabilities, client.capabilities);
      assert.equal(await client.status(), "ready");
      assert.match(client.sessionId, /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    },
  },
  {
    name: "two clients have sessions of their own",
    async run(bench) {
      const [one, other] = await Promise.all([bench.connect(), bench.connect()]);
      assert.notEqual(one.sessionId, other.sessionId);
      const options = { ...sh("true"), id: "the same" };
      const both = await Promise.all([one.processes.start(options), other.processes.start(options)]);
      await Promise.all(both.map(({ closed }) => closed));
    },
  },
  {
    name: "a session is resumed, and no output of a process is lost",
    without: needsWs,
    async run(bench) {
      const { recovered, options } = watch();
      const { client, proxy } = await bench.resumable(options);
      const { sessionId } = client;
      const process = await client.processes.start(
        sh("for n in $(seq 1 300); do echo $n; sleep 0.005; done; exit 6"),
      );
      let seen = "";
      for await (const chunk of process.stdout) {
        const before = seen;
        seen += new TextDecoder().decode(chunk);
        if (before === "") proxy.cut();
      }
      await recovered;
      assert.equal(client.sessionId, sessionId);
      assert.equal(seen, Array.from({ length: 300 }, (_, n) => `${n + 1}\n`).join(""));
      assert.equal((await process.exited).exitCode, 6);
      await process.closed;
    },
  },
  {
    name: "a session is resumed again and again",
    without: needsWs,
    async run(bench) {
      let recovered = Promise.withResolvers<void>();
      const { client, proxy } = await bench.resumable({ onRecovered: () => recovered.resolve() });
      const process = await client.processes.start({ ...sh("head -n 5"), pipeStdin: true });
      for (let line = 1; line <= 5; line++) {
        recovered = Promise.withResolvers<void>();
        const written = process.write(`${line}\n`);
        proxy.cut();
        await Promise.all([written, recovered.promise]);
      }
      // Each line once, though its answer may have been lost.
      assert.equal(await text(process.stdout), "1\n2\n3\n4\n5\n");
      await process.closed;
    },
  },
  {
    name: "a process that ends while the connection is away is told of",
    without: needsWs,
    async run(bench) {
      const { recovered, options } = watch();
      const { client, proxy } = await bench.resumable(options);
      const go = `${bench.folder}/go`;
      const process = await client.processes.start(
        sh(`echo up; while [ ! -e ${go} ]; do sleep 0.01; done; echo last; rm ${go}; exit 7`),
      );
      const reader = process.stdout.getReader();
      await reader.read();
      proxy.pass("none");
      proxy.cut();
      writeFileSync(go, "");
      while (existsSync(go)) await setTimeout(10);
      proxy.pass("all");
      await recovered;
      assert.equal((await process.exited).exitCode, 7);
      await process.closed;
      assert.equal(new TextDecoder().decode((await reader.read()).value), "last\n");
      assert.equal((await reader.read()).done, true);
    },
  },
  {
    name: "what does not outlive a connection ends with it, and new calls wait for the next",
    without: needsWs,
    async run(bench) {
      const { recovered, options } = watch();
      const { client, proxy } = await bench.resumable(options);
      await client.files.writeFile(`${bench.folder}/f`, "x".repeat(3_000_000));
      const file = client.files.readStream(`${bench.folder}/f`).getReader();
      await file.read();
      const { body } = await client.http.requestStream({ url: `${bench.upstream.url}/half` });
      const asked = refusal(client.http.request({ url: `${bench.upstream.url}/hold` }));
      const reader = body.getReader();
      await reader.read();
      proxy.cut();
      assert.equal((await refusal(reader.read())).kind, "disconnected");
      assert.equal((await asked).kind, "disconnected");
      assert.equal(await client.files.getMetadata(bench.folder).then(({ isDirectory }) => isDirectory), true);
      assert.equal((await refusal(file.read())).kind, "disconnected");
      await recovered;
    },
  },
  {
    name: "calls fail at once while the connection is away, where that is the policy",
    without: needsWs,
    async run(bench) {
      const { recovered, options } = watch();
      const recovering = Promise.withResolvers<void>();
      const { client, proxy } = await bench.resumable({
        ...options,
        recovery: { calls: "fail" },
        onRecovering: () => recovering.resolve(),
      });
      proxy.cut();
      await recovering.promise;
      assert.equal((await refusal(client.files.readFile(bench.folder))).kind, "recovering");
      await recovered;
      assert.equal(await client.status(), "ready");
    },
  },
  {
    name: "a connection that cannot be dialled again fails everything with the reason",
    async run(bench) {
      const client = await bench.connect();
      const process = await client.processes.start(sh("exec sleep 5"));
      bench.abort();
      const reason = await client.closed;
      assert.match(reason.message, /^exec-server transport disconnected: /);
      assert.deepEqual([(await refusal(process.exited)).message, client.state], [reason.message, "failed"]);
    },
  },
];
