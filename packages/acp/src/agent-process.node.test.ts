import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { request, type ConnectionTo } from "@sluice/session/builder";
import { quote } from "shlex";
import { describe, expect, it } from "vitest";
import {
  agentProcess,
  ChildExitError,
  claudeAgent,
  codexAgent,
  type ChildTransport,
  type SpawnOptions,
} from "./agent-process.ts";
import { gone, words } from "./fixtures/runtimes.ts";
import { Client, Conductor, InitializeRequest } from "./index.ts";
import { ask, gate } from "./parts.testing.ts";

const initialize = { protocolVersion: 1 };
const Pid = request<object, number>("_pid");
const Exit = request<{ code: number; words: string }>("_exit");
const Env = request<{ name: string }, [string | null, string, string[]]>("_env");

const line = (...args: string[]): string => words("fixtures/agent.ts", args).map(quote).join(" ");
const start = (mode?: string, options?: SpawnOptions): ChildTransport =>
  agentProcess.fromArgs(words("fixtures/agent.ts", mode === undefined ? [] : [mode]), options);

/** What a shell does with the line of an agent, which it is told. */
const shell = (script: string, ...args: string[]): ChildTransport =>
  agentProcess({
    command: "/bin/sh",
    args: ["-c", script, "sh", ...words("fixtures/agent.ts", args)],
    grace: { stdin: 1, term: 1 },
  });

/** The reason a connection was lost, down to what the process did. */
async function lost(running: Promise<unknown>): Promise<ChildExitError> {
  const error: unknown = await running.then(
    () => "it went well",
    (reason: unknown) => reason,
  );
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof ChildExitError) return cause;
  throw new Error("no process was the reason", { cause: error });
}

const initialized = (cx: ConnectionTo): Promise<unknown> =>
  cx.sendRequest(InitializeRequest, initialize).result();

describe("an agent that is a process", () => {
  it("is spoken to, and ends by itself with its connection", async () => {
    const agent = start();
    expect(await ask(agent)).toBe("hi");
    expect(await agent.exited).toEqual({ code: 0, signal: null });
  });

  it("is started from a line as for a shell, with its environment, arguments and folder", async () => {
    const cwd = realpathSync(tmpdir());
    const agent = agentProcess.fromString(`SLUICE_A='a b' SLUICE_C=$HOME ${line("one two")} "three ''"`, {
      cwd,
      env: { SLUICE_B: "b", SLUICE_A: "less" },
    });
    const told = Client.builder().connectWith(agent, (cx) =>
      Promise.all(["A", "B", "C"].map((name) => cx.sendRequest(Env, { name: `SLUICE_${name}` }).result())),
    );
    const args = ["one two", "three ''"];
    expect(await told).toEqual([
      ["a b", cwd, args],
      ["b", cwd, args],
      ["$HOME", cwd, args],
    ]);
  });

  it("is started from JSON", async () => {
    const [command, ...args] = words("fixtures/agent.ts", ["x"]);
    const json = JSON.stringify({ command, args, env: { SLUICE_A: "j" } });
    const told = Client.builder().connectWith(agentProcess.fromString(json), (cx) =>
      cx.sendRequest(Env, { name: "SLUICE_A" }).result(),
    );
    expect((await told)[0]).toBe("j");
  });

  it.each([7, 0])(
    "that exits with %i in the middle fails all that waits, with its status and the last of its standard error",
    async (code) => {
      const agent = start();
      const error = await lost(
        Client.builder().connectWith(agent, async (cx) => {
          await initialized(cx);
          await cx.sendRequest(Exit, { code, words: "first words\nout of paper\n" }).result();
        }),
      );
      expect(error.exit).toEqual({ code, signal: null });
      expect(error.message).toContain(`exited with code ${code} in the middle of the conversation`);
      expect(error.message).toContain("first words\nout of paper");
    },
  );

  it("that fails under a conductor ends the chain with that error", async () => {
    const failing = Conductor.agent(() => ({ agent: start() }));
    const over = gate<Promise<unknown>>();
    const target = {
      connectTo: (transport: Parameters<typeof failing.connectTo>[0]): Promise<void> => {
        const running = failing.connectTo(transport, { onHandlerError: () => {} });
        over.open(running.catch((error: unknown) => error));
        return running;
      },
    };
    const asking = Client.builder().connectWith(target, async (cx) => {
      await initialized(cx);
      await cx.sendRequest(Exit, { code: 3, words: "out of paper" }).result();
    });
    await expect(asking).rejects.toMatchObject({ code: -32603 });
    const error = await lost(Promise.reject(await over.opened));
    expect(error.message).toContain("out of paper");
  });

  it("that cannot be started says so, and what to do", async () => {
    const agent = agentProcess({ command: "no-such-agent-anywhere" });
    await expect(Client.builder().connectWith(agent, initialized)).rejects.toThrow(
      /no-such-agent-anywhere.*no such program; install it/s,
    );
  });

  it("that goes on after the end of its input is ended, by SIGKILL where SIGTERM does not", async () => {
    const agent = start("stubborn", { grace: { stdin: 1, term: 1 } });
    await Client.builder().connectWith(agent, initialized);
    const { code, signal } = await agent.exited;
    expect(code === null ? signal : code).not.toBe(0);
    await gone(agent.pid!);
  });

  it("that does not read is ended all the same, whatever waits for it", async () => {
    const agent = start("deaf", { grace: { stdin: 1, term: 1 } });
    const text = "x".repeat(1024 * 1024);
    await Client.builder()
      .connectWith(
        agent,
        (cx) => {
          for (let i = 0; i < 4; i++) cx.sendRequest(request("_eat"), { text }).detach();
        },
        { limits: { close: 1 } },
      )
      .catch(() => {}); // what was not written was lost
    await gone(agent.pid!);
    expect((await agent.exited).code).not.toBe(0);
  });

  it("that prints without end to standard error is drained, and its lines are heard", async () => {
    const lines: string[] = [];
    const agent = start("talker", { onStderrLine: (text) => void lines.push(text) });
    expect(await ask(agent)).toBe("hi");
    await agent.exited;
    expect(lines).toHaveLength(5000);
    expect(agent.stderr().length).toBeLessThanOrEqual(4096);
  });

  it("is killed where its signal aborts", async () => {
    const abort = new AbortController();
    const agent = start("stubborn", { signal: abort.signal });
    const running = Client.builder().connectWith(agent, async (cx) => {
      await initialized(cx);
      abort.abort(new Error("enough"));
      await new Promise(() => {});
    });
    await expect(running).rejects.toMatchObject({ code: "lost" });
    await gone(agent.pid!);
  });

  it("takes what it has started with it: an agent behind a wrapper ends where the connection does", async () => {
    // A shell gives a background job an empty input; this one has ours.
    const behind = shell('exec 3<&0; "$@" <&3 & wait', "stubborn");
    const pid = await Client.builder().connectWith(behind, (cx) => cx.sendRequest(Pid, {}).result());
    expect(pid).not.toBe(behind.pid);
    await gone(pid);
  });

  it("that was started by a launcher which ends is killed, and the launcher named", async () => {
    const launcher = shell('exec 3<&0; "$@" <&3 & echo $! >&2; read line <&3; exit 4', "stubborn");
    const error = await lost(Client.builder().connectWith(launcher, initialized));
    await gone(Number(error.stderr));
    expect(error.exit).toEqual({ code: 4, signal: null });
  });
});

it("presets are the adapters, fetched by npx", async () => {
  const cases = [
    [claudeAgent, "claude-agent-acp"],
    [codexAgent, "codex-acp"],
  ] as const;
  for (const [preset, name] of cases) {
    // Nothing is on this PATH: what would have been started is in the error.
    const agent = preset({ env: { PATH: "/nowhere" } });
    expect(agent.label).toContain(`npx -y @agentclientprotocol/${name}@latest`);
    agent.abort();
    await agent.exited;
  }
});
