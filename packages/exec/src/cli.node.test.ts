import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { spawn } from "@sluice/stdio";
import { dial } from "@sluice/ws";
import { describe, expect, it } from "vitest";
import { absence, Command, command, own, RUNTIMES } from "./cli.testing.ts";
import { isAlive, Peer, shell, type Wire } from "./executor.testing.ts";
import { proxyServer } from "./proxy.testing.ts";
import { upstream } from "./upstream.testing.ts";

/** Whoever runs these tests may be behind one. */
const WITHOUT_PROXIES = Object.fromEntries(
  ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]
    .flatMap((name) => [name, name.toUpperCase()])
    .map((name) => [name, undefined]),
);

/** Node tests the command on every runtime, the others on their own. */
const runtimes = own === "node" ? RUNTIMES : [own];

for (const runtime of runtimes) {
  const missing = absence(runtime);
  describe.skipIf(missing !== undefined)(`sluice-exec on ${runtime} ${missing ?? ""}`.trim(), () => {
    it.each(["codex", "auto"] as const)("serves one connection over stdio, wire %s", async (wire) => {
      const child = spawn(...command(runtime, "--listen", "stdio"));
      const peer = await Peer.open(child, wire);
      await peer.initialize();
      await peer.call("process/start", shell("p", "read x; echo $x; exit 3", { pipeStdin: true }));
      await peer.call("process/write", { processId: "p", chunk: "aGkK", writeId: "1" });
      expect((await peer.hears("process/exited")).exitCode).toBe(3);
      await peer.hears("process/closed");
      expect(peer.output("p")).toBe("hi\n");
      const { dataBase64 } = await peer.call("fs/readFile", {
        path: pathToFileURL(import.meta.filename).href,
      });
      expect(Buffer.from(dataBase64, "base64").toString()).toContain("serves one connection over stdio");
      await peer.session.close();
      expect(await child.exited).toEqual({ code: 0, signal: null });
    });

    it("starts processes on terminals", async () => {
      const child = spawn(...command(runtime, "--listen", "stdio"));
      const peer = await Peer.open(child);
      await peer.initialize();
      await peer.call(
        "process/start",
        shell("t", "tty; stty size; read x; echo got $x; exit 3", { tty: true }),
      );
      await peer.hears("process/output", () => peer.output("t", "pty").includes("24 80"));
      await peer.call("process/write", { processId: "t", chunk: "aGkK", writeId: "1" });
      expect((await peer.hears("process/exited")).exitCode).toBe(3);
      await peer.hears("process/closed");
      expect(peer.output("t", "pty")).toContain("got hi\r\n");
      await peer.session.close();
      await child.exited;
    });

    it("ends with all it has started when its parent leaves", async () => {
      const child = spawn(...command(runtime, "--listen", "stdio"));
      const peer = await Peer.open(child);
      await peer.initialize();
      await peer.call("process/start", shell("p", "echo $$; exec sleep 1000"));
      await peer.hears("process/output");
      await peer.session.close();
      expect((await child.exited).code).toBe(0);
      expect(isAlive(Number(peer.output("p")))).toBe(false);
    });

    it.each(["codex", "auto"] as const)(
      "serves WebSockets, where sessions are resumed, wire %s",
      async (wire: Wire) => {
        await using server = new Command(runtime, "--listen", "ws://127.0.0.1:0");
        const url = await server.line();
        expect(url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/$/);
        const protocols = wire === "codex" ? ["jsonrpc"] : ["sluice.v1"];
        const first = await Peer.open(await dial(url, { protocols }), wire);
        const id = await first.initialize();
        await first.call("process/start", shell("p", "echo $$; read x; echo two", { pipeStdin: true }));
        await first.hears("process/output");
        await first.session.close();

        const second = await Peer.open(await dial(url, { protocols }), wire);
        await second.initialize(id);
        await second.call("process/write", { processId: "p", chunk: "Cg==", writeId: "1" });
        await second.hears("process/closed");
        expect(second.output("p")).toBe("two\n");

        await second.call("process/start", shell("q", "echo $$; exec sleep 1000"));
        await second.hears("process/output", ({ processId }) => processId === "q");
        server.process.kill("SIGTERM");
        expect(await server.exited).toBe(143);
        await second.session.closed;
        expect(isAlive(Number(second.output("q")))).toBe(false);
        expect(server.out).toEqual([url]);
        expect(server.err).toContain("SIGTERM: closing");
      },
    );

    it("makes requests to public addresses alone, unless it is told otherwise", async () => {
      const upstream = createServer((_, response) => response.end("inside"));
      await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
      const { port } = upstream.address() as AddressInfo;
      const request = { method: "GET", url: `http://127.0.0.1:${port}/`, requestId: "a" };
      const options = [[], ["--allow-private"], ["--allow-host", `127.0.0.1:${port}`]];
      const answers: string[] = [];
      for (const more of options) {
        const child = spawn(...command(runtime, "--listen", "stdio", ...more), { env: WITHOUT_PROXIES });
        const peer = await Peer.open(child, "codex");
        await peer.initialize();
        const answer = peer.call("http/request", request);
        answers.push(
          await answer.then(
            ({ bodyBase64 }) => Buffer.from(bodyBase64, "base64").toString(),
            (error: Error) => error.message,
          ),
        );
        await peer.session.close();
        await child.exited;
      }
      expect(answers).toEqual([expect.stringContaining("policy.allow"), "inside", "inside"]);
      await new Promise((resolve) => upstream.close(resolve));
    });

    it("makes requests through the proxies its environment names, but for the exceptions", async () => {
      await using server = await upstream((request, response) => response.end(request.url));
      await using proxy = await proxyServer({ to: Number(new URL(server.url).port) });
      const env = { ...WITHOUT_PROXIES, HTTP_PROXY: proxy.url, no_proxy: "127.0.0.1" };
      const options = ["--allow-private", "--allow-host", "name.invalid"];
      const child = spawn(...command(runtime, "--listen", "stdio", ...options), { env });
      const peer = await Peer.open(child, "codex");
      await peer.initialize();
      const get = async (url: string): Promise<string> => {
        const { bodyBase64 } = await peer.call("http/request", { method: "GET", url, requestId: "a" });
        return Buffer.from(bodyBase64, "base64").toString();
      };
      expect(await get("http://name.invalid/proxied")).toBe("/proxied");
      expect(await get(`${server.url}/direct`)).toBe("/direct");
      expect(proxy.asked).toMatchObject([{ method: "GET", target: "http://name.invalid/proxied" }]);
      // What the policy does not let through, the proxy does not either.
      expect(
        (
          await peer.refusal("http/request", { method: "GET", url: "http://other.invalid/", requestId: "a" })
        )[0],
      ).toBe(-32603);
      expect(proxy.asked.length).toBe(1);
      await peer.session.close();
      await child.exited;
    });

    it("prints its URL as JSON, and ends with its input where that is wanted", async () => {
      await using server = new Command(
        runtime,
        "--listen",
        "ws://127.0.0.1:0",
        "--json",
        "--exit-on-stdin-close",
      );
      expect(JSON.parse(await server.line())).toEqual({ url: expect.stringMatching(/^ws:/) });
      server.process.stdin!.end();
      expect(await server.exited).toBe(0);
    });

    it("does not speak to pages of other origins", async () => {
      await using server = new Command(runtime, "--listen", "ws://127.0.0.1:0");
      const url = await server.line();
      const headers = {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        origin: "https://page.example",
      };
      expect(await statusOf(url.replace("ws:", "http:"), headers)).toBe(403);
    });

    it("says what is wrong with its options, and ends with 2", async () => {
      const wrong: [string[], string][] = [
        [[], "--listen takes"],
        [["--listen", "tcp"], "--listen takes"],
        [["--listen", "stdio", "--allow-host", "10.0.0.0/99"], "is not a range"],
        [["--nonsense"], "--nonsense"],
      ];
      for (const [args, text] of wrong) {
        await using run = new Command(runtime, ...args);
        expect(await run.exited).toBe(2);
        expect(run.err.split("\n")[0]).toContain(text);
        expect(run.err).toContain("--exit-on-stdin-close");
        expect(run.out).toEqual([]);
      }
      await using help = new Command(runtime, "--help");
      expect([await help.exited, help.out[0]]).toEqual([0, expect.stringContaining("sluice-exec --listen")]);
    });
  });
}

/** fetch may not ask for an upgrade. */
function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = send(url, { headers });
    request.once("response", (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.once("upgrade", () => resolve(101));
    request.once("error", reject);
    request.end();
  });
}
