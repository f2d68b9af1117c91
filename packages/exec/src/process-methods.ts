import type { Handler } from "@sluice/session";
import * as v from "valibot";
import type { MethodTable } from "./executor-methods.ts";
import { invalidParams, invalidRequest } from "./executor-error.ts";
import { bytesOf, count, maybe, name, parse, variables, words } from "./executor-params.ts";
import { pathOf } from "./file-uri.ts";
import { environmentOf } from "./process-environment.ts";
import type { ProcessTable } from "./process-table.ts";
import { refuseSandbox, SANDBOX } from "./executor-sandbox.ts";

/** `process/*`, on the processes of the connection's session. */
export function processMethods(processes: () => ProcessTable): MethodTable {
  return { handlers: handlers(processes), close() {} };
}

function handlers(table: () => ProcessTable): Record<string, Handler> {
  return {
    async "process/start"(params: unknown) {
      const start = parse(START, params);
      const { processId, argv, cwd, env, arg0, envPolicy, pipeStdin, tty } = start;
      if (argv.length === 0) throw invalidParams("argv must not be empty");
      refuseSandbox(start);
      if (tty && arg0 !== undefined) throw invalidParams("arg0 cannot be set for a process on a terminal");
      const spec = {
        argv,
        cwd: pathOf(cwd),
        env: environmentOf(env, envPolicy),
        arg0,
        pipeStdin: pipeStdin === true,
      };
      await table().start(processId, spec, tty ? "terminal" : "pipes");
      return { processId, sandboxType: "none" };
    },
    async "process/read"(params: unknown, context) {
      const read = parse(READ, params);
      const process = table().get(read.processId);
      // A start that this was sent right behind comes first.
      if (process === undefined || (await process.started) === "failed")
        throw invalidRequest(`unknown process id ${read.processId}`);
      return process.read(read, () => context.signal);
    },
    async "process/write"(params: unknown) {
      const { processId, chunk, writeId } = parse(WRITE, params);
      const bytes = bytesOf(chunk, "chunk");
      const process = table().get(processId);
      if (process === undefined) return { status: "unknownProcess" };
      if (process.isStarting) return { status: "starting" };
      return { status: await process.write(bytes, writeId) };
    },
    "process/signal"(params: unknown) {
      const { processId } = parse(SIGNAL, params);
      table().get(processId)?.interrupt();
      return {};
    },
    "process/terminate"(params: unknown) {
      const { processId } = parse(TERMINATE, params);
      return { running: table().get(processId)?.terminate() ?? false };
    },
  };
}

const POLICY = v.object({
  inherit: v.picklist(["all", "core", "none"]),
  ignoreDefaultExcludes: maybe(v.boolean()),
  exclude: maybe(words("envPolicy.exclude")),
  set: maybe(variables("envPolicy.set")),
  includeOnly: maybe(words("envPolicy.includeOnly")),
});

const START = v.object({
  processId: name("processId"),
  argv: words("argv"),
  cwd: v.string(),
  env: variables("env"),
  tty: v.boolean(),
  arg0: maybe(v.pipe(v.string(), v.excludes("\0", "invalid field `arg0`: expected no NUL"))),
  envPolicy: maybe(POLICY),
  pipeStdin: maybe(v.boolean()),
  ...SANDBOX,
});

const READ = v.object({
  processId: v.string(),
  afterSeq: maybe(count("afterSeq")),
  maxBytes: maybe(count("maxBytes")),
  waitMs: maybe(count("waitMs")),
});

const WRITE = v.object({
  processId: v.string(),
  chunk: v.string(),
  writeId: v.pipe(name("writeId"), v.nonEmpty("writeId must not be empty")),
});

const SIGNAL = v.object({ processId: v.string(), signal: v.literal("interrupt") });
const TERMINATE = v.object({ processId: v.string() });
