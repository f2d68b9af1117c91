#!/usr/bin/env node
// The command `sluice-exec`: an executor on standard input and output, or on a server of WebSockets.
import { constants } from "node:os";
// Not the global: on Deno before 2.8 it gives a number, which cannot be told to let the process end.
import { setTimeout } from "node:timers";
import { styleText } from "node:util";
import { setFlagsFromString } from "node:v8";
import { parent } from "@sluice/stdio";
import { readArguments, type Arguments, type Listen } from "./cli-arguments.ts";
import { createExecutor, EXECUTOR_LIMITS, type Executor } from "./executor.ts";
import { localClient, proxyFromEnvironment } from "./local.ts";
import { ON_NODE } from "./runtime.ts";

type End = "done" | "SIGINT" | "SIGTERM";

// Bodies pass through as memory outside of a small heap, which V8 collects a hundred times a GiB. Over stdio and over a
// WebSocket, in MB/s and MiB at most:
//   as Node does by default                         880, 157   590, 146
//   at once, and not step by step                   950, 142   840, 153
//   and sooner, as its young generation is small    930, 139   915, 123
if (ON_NODE) {
  setFlagsFromString("--no-incremental-marking");
  setFlagsFromString("--semi-space-growth-factor=1");
}

process.exitCode = await main(readArguments());
// The executor is closed by now; what may still hold the process open, such as an input nobody ends, is let go of. But not at
// once: a compiler's thread that waits for a collection, and an exit that waits for the thread, wait for ever
// (nodejs/node#54918, Node 26.10): after 128 MiB of a body one end in 75.
setTimeout(() => process.exit(), 100).unref();

async function main(args: Arguments): Promise<number> {
  const { listen, policy } = args;
  // As codex, also by HTTP_PROXY: no web server starts this command, whose clients could set it.
  const proxy = proxyFromEnvironment({ http_proxy: process.env["HTTP_PROXY"], ...process.env });
  using http = localClient({ policy, proxy });
  await using executor = createExecutor({
    http,
    onHandlerError: (error, method) => log("red", `${method}: ${String(error)}`),
  });
  const end = await (listen.on === "stdio" ? onStdio(executor) : onWebSocket(executor, listen, args));
  if (end === "done") return 0;
  await executor.close(`the executor got ${end}`);
  return 128 + constants.signals[end];
}

/** Until its one connection is over. */
function onStdio(executor: Executor): Promise<End> {
  const signal = signalled();
  return new Promise((resolve) => {
    executor.accept(parent(), () => resolve("done"));
    void signal.then(resolve);
  });
}

/** Until it is told to end. */
async function onWebSocket(
  executor: Executor,
  { hostname, port, path }: Extract<Listen, { on: "ws" }>,
  { json, exitOnStdinClose }: Arguments,
): Promise<End> {
  const signal = signalled();
  const { serve } = await import("@sluice/ws"); // over stdio nobody needs its memory
  const server = await serve({
    hostname,
    port,
    path,
    // As large as a message may be, with what frames add to it.
    limits: { message: EXECUTOR_LIMITS.message + 64 * 1024 },
    onSession: (transport) => executor.accept(transport),
  });
  process.stdout.write(`${json ? JSON.stringify({ url: server.url }) : server.url}\n`);
  log("green", `listening on ${server.url}`);
  const end = await (exitOnStdinClose ? Promise.race([signal, inputEnded()]) : signal);
  await Promise.all([executor.close("the executor is closing"), server.close()]);
  return end;
}

/** The second signal ends the process as if nobody listened: what it has started is killed even so. */
function signalled(): Promise<End> {
  return new Promise((resolve) => {
    let heard = 0;
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.on(signal, () => {
        if (heard++ > 0) process.exit(128 + constants.signals[signal]);
        log("yellow", `${signal}: closing`);
        resolve(signal);
      });
  });
}

function inputEnded(): Promise<End> {
  return new Promise((resolve) => {
    process.stdin.once("end", () => resolve("done")).once("error", () => resolve("done"));
    process.stdin.once("close", () => resolve("done")).resume();
  });
}

/** To standard error: standard output says nothing but the URL, or is the wire. */
function log(style: "green" | "yellow" | "red", text: string): void {
  const color = process.stderr.isTTY && process.env["NO_COLOR"] === undefined;
  process.stderr.write(`sluice-exec: ${color ? styleText(style, text, { validateStream: false }) : text}\n`);
}
