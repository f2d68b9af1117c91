// Terminals of the client's, in which the agent runs programs.
import { spawn, type ChildProcess } from "node:child_process";
import {
  Client,
  CreateTerminalRequest,
  KillTerminalRequest,
  ReleaseTerminalRequest,
  resourceNotFound,
  TerminalOutputRequest,
  WaitForTerminalExitRequest,
  type ConnectionToAgent,
  type TerminalExitStatus,
} from "@sluice/acp";
import type { Builder } from "@sluice/session/builder";

/** Bytes of output that are kept where the agent does not say how many. */
const KEPT = 1024 * 1024;

interface Terminal {
  readonly child: ChildProcess;
  readonly exited: Promise<TerminalExitStatus>;
  exit: TerminalExitStatus | undefined;
  output: Buffer;
  truncated: "no" | "yes";
}

export class Terminals {
  readonly #terminals: Map<string, Terminal> = new Map();

  builder(): Builder<ConnectionToAgent> {
    return Client.builder()
      .name("terminals")
      .onReceiveRequest(
        CreateTerminalRequest,
        ({ command, args = [], env = [], cwd, outputByteLimit }, responder) => {
          const terminalId = crypto.randomUUID();
          const child = spawn(command, args, {
            ...(typeof cwd === "string" && { cwd }),
            env: { ...process.env, ...Object.fromEntries(env.map(({ name, value }) => [name, value])) },
            stdio: ["ignore", "pipe", "pipe"],
          });
          this.#terminals.set(terminalId, watch(child, outputByteLimit ?? KEPT));
          responder.respond({ terminalId });
        },
      )
      .onReceiveRequest(TerminalOutputRequest, ({ terminalId }, responder) => {
        const { output, truncated, exit } = this.#find(terminalId);
        responder.respond({
          output: output.toString("utf8"),
          truncated: truncated === "yes",
          ...(exit && { exitStatus: exit }),
        });
      })
      .onReceiveRequest(WaitForTerminalExitRequest, ({ terminalId }, responder, cx) => {
        const { exited } = this.#find(terminalId);
        cx.spawn(async () => {
          try {
            responder.respond(await responder.runUntilCancelled(() => exited));
          } catch (error) {
            responder.respondWithError(error);
          }
        });
      })
      .onReceiveRequest(KillTerminalRequest, ({ terminalId }, responder) => {
        this.#find(terminalId).child.kill();
        responder.respond({});
      })
      .onReceiveRequest(ReleaseTerminalRequest, ({ terminalId }, responder) => {
        this.#find(terminalId).child.kill();
        this.#terminals.delete(terminalId);
        responder.respond({});
      });
  }

  /** Ends what runs. */
  close(): void {
    for (const { child } of this.#terminals.values()) child.kill();
    this.#terminals.clear();
  }

  #find(terminalId: string): Terminal {
    const terminal = this.#terminals.get(terminalId);
    if (terminal === undefined) throw resourceNotFound(terminalId);
    return terminal;
  }
}

function watch(child: ChildProcess, limit: number): Terminal {
  let exited!: (status: TerminalExitStatus) => void;
  const terminal: Terminal = {
    child,
    exited: new Promise((resolve) => (exited = resolve)),
    exit: undefined,
    output: Buffer.alloc(0),
    truncated: "no",
  };
  const take = (chunk: Buffer): void => {
    const output = Buffer.concat([terminal.output, chunk]);
    if (output.length > limit) terminal.truncated = "yes";
    terminal.output = output.subarray(Math.max(0, output.length - limit));
  };
  child.stdout?.on("data", take);
  child.stderr?.on("data", take);
  const end = (exit: TerminalExitStatus): void => {
    terminal.exit ??= exit;
    exited(terminal.exit);
  };
  child.on("error", (error) => {
    take(Buffer.from(`${error.message}\n`));
    end({ exitCode: 127 });
  });
  child.on("close", (exitCode, signal) => end({ exitCode, signal }));
  return terminal;
}
