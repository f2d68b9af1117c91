import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { request, type ConnectionTo } from "@sluice/session/builder";
import { quote } from "shlex";
import { afterAll, describe, expect, it } from "vitest";
import { agentProcess, type ChildTransport } from "./agent-process.ts";
import { absence, gone, own, RUNTIMES, words, type Runtime } from "./fixtures/runtimes.ts";
import { Client, InitializeRequest, NewSessionRequest, type TraceEvent } from "./index.ts";
import { ask } from "./parts.testing.ts";

const initialize = { protocolVersion: 1 };
const Pid = request<object, number>("_pid");
const folder = mkdtempSync(join(tmpdir(), "sluice-acp-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A line for a shell. */
const line = (...all: readonly string[]): string => all.map(quote).join(" ");
const initialized = (cx: ConnectionTo): Promise<unknown> =>
  cx.sendRequest(InitializeRequest, initialize).result();

/** What a command prints and exits with that is not spoken to. */
function run(runtime: Runtime, ...args: string[]): { code: number | null; out: string; err: string } {
  const [command, ...rest] = words("cli.ts", args, runtime);
  const { status, stdout, stderr } = spawnSync(command, rest, { encoding: "utf8", input: "" });
  return { code: status, out: stdout, err: stderr };
}

/** Node tests the command on every runtime, the others on their own. */
const runtimes = own === "node" ? RUNTIMES : [own];

for (const runtime of runtimes) {
  const missing = absence(runtime);
  describe.skipIf(missing !== undefined)(`sluice-acp on ${runtime} ${missing ?? ""}`.trim(), () => {
    const agent = (...args: string[]): string => line(...words("fixtures/agent.ts", args, runtime));
    const proxy = (...args: string[]): string => line(...words("fixtures/proxy.ts", args, runtime));
    const command = (...args: string[]): readonly string[] => words("cli.ts", args, runtime);
    const conductor = (...args: string[]): ChildTransport =>
      agentProcess.fromArgs(command("conductor", ...args));

    it("is an agent for a client that starts it, with proxies and an agent that it starts", async () => {
      const child = conductor("--", proxy("a"), proxy("b"), agent());
      expect(await ask(child)).toBe("abhi");
      expect(await child.exited).toEqual({ code: 0, signal: null });
    });

    it("nests: a conductor as a proxy of a conductor, and as its agent, equal a flat chain", async () => {
      const inner = line(...command("proxy", "--spelling", "proxy", "--", proxy("b"), proxy("c")));
      const behind = line(...command("conductor", "--name", "inner", "--", proxy("d"), agent()));
      const child = conductor("--", proxy("a"), inner, behind);
      expect(await ask(child)).toBe("abcdhi");
      expect(await child.exited).toEqual({ code: 0, signal: null });
    });

    it("writes every message that crosses it to the trace, a line of JSON each", async () => {
      const file = join(folder, `${runtime} trace.jsonl`);
      const child = conductor("--trace", file, "--name", "traced", "--", proxy(), agent());
      expect(await ask(child)).toBe(">hi");
      await child.exited;
      const text = readFileSync(file, "utf8");
      const events = text
        .trimEnd()
        .split("\n")
        .map((one) => JSON.parse(one) as TraceEvent);
      expect(events).toHaveLength(14);
      expect(new Set(events.map((event) => event.conductor))).toEqual(new Set(["traced"]));
      expect(events[0]).toMatchObject({
        from: "client",
        to: "proxy 0",
        kind: "request",
        method: "initialize",
      });
      expect(events.find(({ kind }) => kind === "notification")).toMatchObject({
        from: "agent",
        to: "proxy 0",
        method: "session/update",
      });
    });

    it("a program that fails ends the chain, with exit code 1 and its last words", async () => {
      const child = conductor("--", proxy("a"), proxy("b", "dies"), agent());
      const asking = Client.builder().connectWith(child, async (cx) => {
        await initialized(cx);
        const pid = await cx.sendRequest(Pid, {}).result();
        const answer = await cx
          .sendRequest(NewSessionRequest, { cwd: "/", mcpServers: [] })
          .result()
          .catch((error: unknown) => error);
        return { pid, answer };
      });
      const { pid, answer } = await asking;
      expect(answer).toMatchObject({ code: -32603 });
      expect(await child.exited).toEqual({ code: 1, signal: null });
      expect(child.stderr()).toContain("proxy 1: the proxy b is out of paper");
      expect(child.stderr()).toContain("exited with code 7 in the middle of the conversation");
      await gone(pid);
    });

    it("a program that cannot be started is named, with what to do", async () => {
      const child = conductor("--", "no-such-proxy-anywhere", agent());
      const answer = Client.builder().connectWith(child, initialized);
      await expect(answer).rejects.toBeInstanceOf(Error);
      expect(await child.exited).toEqual({ code: 1, signal: null });
      expect(child.stderr()).toContain('cannot start "no-such-proxy-anywhere": no such program; install it');
    });

    it("SIGTERM ends everything it has started", async () => {
      const child = conductor("--", proxy(), line(...command("conductor", "--", agent())));
      const pid = await Client.builder().connectWith(child, async (cx) => {
        await initialized(cx);
        const its = await cx.sendRequest(Pid, {}).result();
        process.kill(child.pid!, "SIGTERM");
        await cx.incomingClosed();
        return its;
      });
      const { code, signal } = await child.exited;
      expect(code ?? signal).toBe(143);
      expect(child.stderr()).toContain("SIGTERM: ending what was started");
      await gone(pid);
    });

    it("starts nothing before the client initializes", async () => {
      const file = join(folder, `${runtime} started`);
      const child = conductor("--", line("/bin/sh", "-c", `touch ${quote(file)}`));
      const asked = Client.builder().connectWith(child, (cx) =>
        cx.sendRequest(NewSessionRequest, { cwd: "/", mcpServers: [] }).result(),
      );
      await expect(asked).rejects.toMatchObject({ code: -32600 });
      expect(await child.exited).toEqual({ code: 0, signal: null });
      expect(existsSync(file)).toBe(false);
    });

    it("ends where nobody says anything", () => {
      expect(run(runtime, "conductor", "--", "never-started")).toEqual({ code: 0, out: "", err: "" });
    });
  });
}

describe("the command line", () => {
  it("--help tells what there is", () => {
    const { code, out, err } = run(own, "--help");
    expect([code, err]).toEqual([0, ""]);
    for (const word of ["conductor", "proxy", "--name", "--trace", "--spelling"]) expect(out).toContain(word);
  });

  it.each([
    [[], 'the first word is conductor or proxy, not ""'],
    [["agent"], 'the first word is conductor or proxy, not "agent"'],
    [["conductor"], "conductor takes the command of an agent after --"],
    [["proxy", "--"], "proxy takes the commands of proxies after --"],
    [
      ["conductor", "--", "ok", "'open"],
      "command 2: this is not the command line of an agent: a quote is not closed",
    ],
    [["conductor", "--spelling", "x", "--", "a"], '--spelling takes _proxy or proxy, not "x"'],
    [["conductor", "--wrong", "--", "a"], "--wrong"],
  ])("%j makes no sense: exit code 2, a sentence, and the usage", (args, sentence) => {
    const { code, out, err } = run(own, ...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(sentence);
    expect(err).toContain("sluice-acp conductor [options]");
  });

  it("a trace that cannot be written says so", () => {
    const { code, err } = run(own, "conductor", "--trace", join(folder, "missing", "trace"), "--", "a");
    expect(code).toBe(1);
    expect(err).toContain("missing");
  });
});
