// What an executor says, checked. Members nobody here reads are let pass, so that newer executors are understood.
import { fromBase64 } from "@sluice/codec";
import * as v from "valibot";
import { ExecError } from "./client-error.ts";

/** The value as its schema has it. @throws ExecError of kind `protocol` that names the member. */
export function decode<T>(schema: v.GenericSchema<unknown, T>, value: unknown, what: string): T {
  const decoded = v.safeParse(schema, value);
  if (decoded.success) return decoded.output;
  const [issue] = decoded.issues;
  const member = v.getDotPath(issue) ?? "the whole";
  throw new ExecError(
    "protocol",
    `${what} is malformed at ${member}: expected ${issue.expected ?? "another"}`,
  );
}

const count: v.GenericSchema<unknown, number> = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const base64: v.GenericSchema<unknown, Uint8Array> = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const bytes = fromBase64(dataset.value);
    if (bytes !== undefined) return bytes;
    addIssue({ message: "not base64", expected: "base64" });
    return NEVER;
  }),
);
const stream: v.GenericSchema<unknown, "stdout" | "stderr" | "pty"> = v.picklist(["stdout", "stderr", "pty"]);

export const initialized: v.GenericSchema<unknown, { sessionId: string; environmentInfo?: unknown }> =
  v.object({ sessionId: v.pipe(v.string(), v.nonEmpty()), environmentInfo: v.optional(v.unknown()) });

/** Where the executor's programs run. */
export interface EnvironmentInfo {
  readonly shell: { readonly name: string; readonly path: string };
  /** A `file:` URL; so are the other folders. */
  readonly cwd?: string | null | undefined;
  readonly executorVersion?: string | null | undefined;
  readonly userHomeDir?: string | null | undefined;
  /** `linux`, `macos`, `windows`, … */
  readonly platformOs?: string | null | undefined;
  readonly tempDir?: string | null | undefined;
  readonly temporaryDirectories?: readonly string[] | null | undefined;
  /** What it can do, by name. */
  readonly capabilities: Readonly<Record<string, unknown>>;
}

const text: v.GenericSchema<unknown, string | null | undefined> = v.nullish(v.string());
export const environmentInfo: v.GenericSchema<unknown, EnvironmentInfo> = v.looseObject({
  shell: v.object({ name: v.string(), path: v.string() }),
  cwd: text,
  executorVersion: text,
  userHomeDir: text,
  platformOs: text,
  tempDir: text,
  temporaryDirectories: v.nullish(v.array(v.string())),
  capabilities: v.optional(v.record(v.string(), v.unknown()), {}),
});

export const environmentStatus: v.GenericSchema<unknown, { status: string }> = v.object({
  status: v.string(),
});

export interface OutputChunk {
  readonly seq: number;
  readonly stream: "stdout" | "stderr" | "pty";
  readonly chunk: Uint8Array;
}

/** The answer to `process/read`. */
export interface ProcessRead {
  readonly chunks: readonly OutputChunk[];
  readonly nextSeq: number;
  readonly exited: boolean;
  readonly exitCode?: number | null | undefined;
  readonly closed: boolean;
  readonly failure?: string | null | undefined;
  readonly sandboxDenied?: boolean | undefined;
}

const chunk = { seq: count, stream, chunk: base64 };
export const processRead: v.GenericSchema<unknown, ProcessRead> = v.object({
  chunks: v.array(v.object(chunk)),
  nextSeq: count,
  exited: v.boolean(),
  exitCode: v.nullish(v.number()),
  closed: v.boolean(),
  failure: text,
  sandboxDenied: v.optional(v.boolean()),
});

export const processWritten: v.GenericSchema<unknown, { status: string }> = v.object({ status: v.string() });
export const processTerminated: v.GenericSchema<unknown, { running: boolean }> = v.object({
  running: v.boolean(),
});

/** Params of the notifications about processes, by method. */
export const processOutput: v.GenericSchema<unknown, OutputChunk> = v.object(chunk);
export const processExited: v.GenericSchema<
  unknown,
  { seq: number; exitCode: number; sandboxDenied: boolean }
> = v.object({ seq: count, exitCode: v.number(), sandboxDenied: v.optional(v.boolean(), false) });
export const processClosed: v.GenericSchema<unknown, { seq: number }> = v.object({ seq: count });

export const fileData: v.GenericSchema<unknown, { dataBase64: Uint8Array }> = v.object({
  dataBase64: base64,
});
export const fileBlock: v.GenericSchema<unknown, { chunk: Uint8Array; eof: boolean }> = v.object({
  chunk: base64,
  eof: v.boolean(),
});
export const filePath: v.GenericSchema<unknown, { path: string }> = v.object({ path: v.string() });

export interface FileMetadata {
  readonly isDirectory: boolean;
  readonly isFile: boolean;
  readonly isSymlink: boolean;
  /** Bytes; undefined from executors that do not tell. */
  readonly size?: number | undefined;
  /** ms since 1970; 0 where the file system does not say. */
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
}
export const fileMetadata: v.GenericSchema<unknown, FileMetadata> = v.object({
  isDirectory: v.boolean(),
  isFile: v.boolean(),
  isSymlink: v.boolean(),
  size: v.optional(count),
  createdAtMs: v.number(),
  modifiedAtMs: v.number(),
});

export interface DirectoryEntry {
  readonly fileName: string;
  readonly isDirectory: boolean;
  readonly isFile: boolean;
}
export const directory: v.GenericSchema<unknown, { entries: DirectoryEntry[] }> = v.object({
  entries: v.array(v.object({ fileName: v.string(), isDirectory: v.boolean(), isFile: v.boolean() })),
});

export interface Walk {
  readonly entries: readonly { readonly path: string; readonly kind: string }[];
  /** What could not be looked into. */
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  /** Whether one of the options' bounds cut it short. */
  readonly truncated: boolean;
}
export const walk: v.GenericSchema<unknown, Walk> = v.object({
  entries: v.array(v.object({ path: v.string(), kind: v.string() })),
  errors: v.array(v.object({ path: v.string(), message: v.string() })),
  truncated: v.boolean(),
});
