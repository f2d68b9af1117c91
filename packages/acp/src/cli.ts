#!/usr/bin/env node
// The command `sluice-acp`: a conductor on standard input and output, its proxies and its agent programs that it starts.
import { constants } from "node:os";
// Not the global: on Deno before 2.8 it gives a number, which cannot be told to let the process end.
import { setTimeout } from "node:timers";
import { styleText } from "node:util";
import { parent, type ChildTransport } from "@sluice/stdio";
import type { AgentCommand } from "./agent-command.ts";
import { agentProcess } from "./agent-process.ts";
import { readArguments, type Arguments } from "./cli-arguments.ts";
import { traceFile, type TraceFile } from "./cli-trace.ts";
import { Conductor, type ConductorOptions } from "./conductor.ts";

type Signal = "SIGINT" | "SIGTERM";

process.exitCode = await main(readArguments());
// All that was started is gone by now; what may still hold the process open, such as an input nobody ends, is let go of. But not
// at once: an exit can wait for a compiler's thread that waits for a collection, for ever (nodejs/node#54918).
setTimeout(() => process.exit(), 100).unref();

async function main(args: Arguments): Promise<number> {
  const abort = new AbortController();
  let heard: Signal | undefined;
  onSignal((signal) => {
    heard = signal;
    abort.abort(new Error(`the conductor got ${signal}`));
  });
  try {
    using file = openTrace(args.trace);
    await conductorOf(args, file).connectTo(parent(), {
      signal: abort.signal,
      onHandlerError: (error, method) => log("red", `${method}: ${textOf(error)}`),
    });
  } catch (error) {
    if (heard === undefined) {
      log("red", textOf(error));
      return 1;
    }
  }
  return heard === undefined ? 0 : 128 + constants.signals[heard];
}

function conductorOf({ proxies, agent, name, spelling }: Arguments, file: TraceFile | undefined): Conductor {
  const options: ConductorOptions = { name, spelling, ...(file !== undefined && { trace: file.trace }) };
  const started = (): ChildTransport[] => proxies.map((command, i) => start(command, `proxy ${i}`));
  if (agent === undefined) return Conductor.proxy(() => ({ proxies: started() }), options);
  return Conductor.agent(() => ({ proxies: started(), agent: start(agent, "agent") }), options);
}

function start(command: AgentCommand, name: string): ChildTransport {
  const onStderrLine = (line: string): void => void process.stderr.write(`${name}: ${line}\n`);
  return agentProcess({ ...command, onStderrLine });
}

function openTrace(path: string | undefined): TraceFile | undefined {
  if (path === undefined) return undefined;
  return traceFile(path, (error) => log("red", `the trace ends here: ${textOf(error)}`));
}

/** The second signal ends the process as if nobody listened: what it has started is killed even so. */
function onSignal(listener: (signal: Signal) => void): void {
  let times = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      if (times++ > 0) process.exit(128 + constants.signals[signal]);
      log("yellow", `${signal}: ending what was started`);
      listener(signal);
    });
}

/** What went wrong, and what that came from. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause, message } = error;
  return cause instanceof Error && !message.includes(cause.message)
    ? `${message}: ${textOf(cause)}`
    : message;
}

/** To standard error: standard output is the wire. */
function log(style: "yellow" | "red", text: string): void {
  const color = process.stderr.isTTY && process.env["NO_COLOR"] === undefined;
  process.stderr.write(`sluice-acp: ${color ? styleText(style, text, { validateStream: false }) : text}\n`);
}
