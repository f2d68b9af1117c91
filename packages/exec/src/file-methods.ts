import { lstat, mkdir, opendir, realpath, rm, rmdir, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toBase64 } from "@sluice/codec";
import type { Handler, HandlerContext } from "@sluice/session";
import * as v from "valibot";
import type { MethodTable } from "./executor-methods.ts";
import { invalidRequest, systemError } from "./executor-error.ts";
import type { ExecutorLimits } from "./executor-limits.ts";
import { bytesOf, count, maybe, parse } from "./executor-params.ts";
import { refuseSandbox } from "./executor-sandbox.ts";
import { readWhole } from "./file-content.ts";
import { copy } from "./file-copy.ts";
import { FileHandles } from "./file-handles.ts";
import { pathOf, uriOf } from "./file-uri.ts";
import { walk, type Walked } from "./file-walk.ts";

/** `fs/*`, and the files that one connection has open. */
export class FileMethods implements MethodTable {
  readonly handlers: Record<string, Handler>;
  readonly #limits: ExecutorLimits;
  readonly #handles: FileHandles;

  constructor(limits: ExecutorLimits) {
    this.#limits = limits;
    this.#handles = new FileHandles(limits);
    this.handlers = {
      "fs/readFile": method(READ_FILE, (params) => this.#readFile(params)),
      "fs/writeFile": method(WRITE_FILE, writeWhole),
      "fs/open": method(OPEN, (params) => this.#open(params)),
      "fs/readBlock": method(READ_BLOCK, (params) => this.#readBlock(params)),
      "fs/writeBlock": method(WRITE_BLOCK, (params) => this.#writeBlock(params)),
      "fs/close": method(CLOSE, (params) => this.#close(params)),
      "fs/getMetadata": method(PATH, metadata),
      "fs/canonicalize": method(PATH, async ({ path }) => ({ path: uriOf(await realpath(pathOf(path))) })),
      "fs/readDirectory": method(PATH, (params) => this.#readDirectory(params)),
      "fs/createDirectory": method(CREATE, createDirectory),
      "fs/remove": method(REMOVE, remove),
      "fs/copy": method(COPY, copyPath),
      "fs/walk": method(WALK, (params, context) => this.#walk(params, context)),
    };
  }

  /** Files that are open. */
  get open(): number {
    return this.#handles.size;
  }

  close(): void {
    this.#handles.closeAll();
  }

  async #readFile({ path, followSymlinks }: v.InferOutput<typeof READ_FILE>): Promise<unknown> {
    const links = followSymlinks === false ? "refuse" : "follow";
    return { dataBase64: toBase64(await readWhole(pathOf(path), links, this.#limits.file)) };
  }

  async #open({ handleId, path, mode = "read" }: v.InferOutput<typeof OPEN>): Promise<unknown> {
    await this.#handles.open(handleId, pathOf(path), mode);
    return { handleId };
  }

  async #readBlock({ handleId, offset, len }: v.InferOutput<typeof READ_BLOCK>): Promise<unknown> {
    const { bytes, eof } = await this.#handles.read(handleId, offset, len);
    return { chunk: toBase64(bytes), eof };
  }

  async #writeBlock({ handleId, offset, chunk }: v.InferOutput<typeof WRITE_BLOCK>): Promise<unknown> {
    await this.#handles.write(handleId, offset, bytesOf(chunk, "chunk"));
    return {};
  }

  async #close({ handleId }: v.InferOutput<typeof CLOSE>): Promise<unknown> {
    await this.#handles.close(handleId);
    return {};
  }

  async #readDirectory({ path }: v.InferOutput<typeof PATH>): Promise<unknown> {
    const max = this.#limits.entries;
    const entries: { fileName: string; isDirectory: boolean; isFile: boolean }[] = [];
    const directory = pathOf(path);
    for await (const { name } of await opendir(directory)) {
      // What a link leads to counts; one that leads nowhere is left out.
      const stats = await stat(join(directory, name)).catch(() => undefined);
      if (stats === undefined) continue;
      if (entries.length >= max)
        throw invalidRequest(`the directory has more than ${max} entries (limits.entries)`);
      entries.push({ fileName: name, isDirectory: stats.isDirectory(), isFile: stats.isFile() });
    }
    return { entries };
  }

  async #walk({ path, options }: v.InferOutput<typeof WALK>, context: HandlerContext): Promise<Walked> {
    const { walkDepth, walkDirectories, walkEntries, walkSize } = this.#limits;
    const { maxDepth, maxDirectories, maxEntries } = options;
    if (maxDepth > walkDepth || maxDirectories > walkDirectories || maxEntries > walkEntries)
      throw invalidRequest(
        `filesystem walk limits exceed maximums: depth=${walkDepth}, directories=${walkDirectories}, entries=${walkEntries}`,
      );
    return walk(pathOf(path), options, walkSize, () => context.signal);
  }
}

/** Checks the params, and says in the peer's words what the system has said. */
function method<S extends v.GenericSchema<unknown, { readonly sandbox?: unknown }>>(
  schema: S,
  run: (params: v.InferOutput<S>, context: HandlerContext) => Promise<unknown>,
): Handler {
  return async (params: unknown, context) => {
    const checked = parse(schema, params);
    refuseSandbox({ sandbox: checked.sandbox });
    try {
      return await run(checked, context);
    } catch (error) {
      throw systemError(error);
    }
  };
}

async function writeWhole({ path, dataBase64 }: v.InferOutput<typeof WRITE_FILE>): Promise<unknown> {
  const file = pathOf(path);
  let data: Uint8Array;
  try {
    data = bytesOf(dataBase64, "dataBase64");
  } catch {
    throw invalidRequest("fs/writeFile requires valid base64 dataBase64: it is not padded standard base64");
  }
  await writeFile(file, data);
  return {};
}

async function metadata({ path }: v.InferOutput<typeof PATH>): Promise<unknown> {
  const file = pathOf(path);
  const [own, target] = await Promise.all([lstat(file), stat(file)]);
  return {
    isDirectory: target.isDirectory(),
    isFile: target.isFile(),
    isSymlink: own.isSymbolicLink(),
    size: target.size,
    createdAtMs: Math.trunc(target.birthtimeMs),
    modifiedAtMs: Math.trunc(target.mtimeMs),
  };
}

async function createDirectory({ path, recursive }: v.InferOutput<typeof CREATE>): Promise<unknown> {
  await mkdir(pathOf(path), { recursive: recursive ?? true });
  return {};
}

async function remove({ path, recursive, force }: v.InferOutput<typeof REMOVE>): Promise<unknown> {
  const file = pathOf(path);
  const stats = await lstat(file).catch((error: unknown) => {
    if (force !== false && (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  });
  if (stats === undefined) return {};
  if (!stats.isDirectory()) await unlink(file);
  else if (recursive === false) await rmdir(file);
  else await rm(file, { recursive: true, force: force !== false });
  return {};
}

async function copyPath(params: v.InferOutput<typeof COPY>, context: HandlerContext): Promise<unknown> {
  const [from, to] = [pathOf(params.sourcePath), pathOf(params.destinationPath)];
  await copy(from, to, params.recursive ? "copied" : "refused", () => context.signal);
  return {};
}

const sandbox = maybe(v.unknown());
const PATH = v.object({ path: v.string(), sandbox });
const READ_FILE = v.object({ path: v.string(), followSymlinks: maybe(v.boolean()), sandbox });
const WRITE_FILE = v.object({ path: v.string(), dataBase64: v.string(), sandbox });
const OPEN = v.object({
  handleId: v.string(),
  path: v.string(),
  mode: maybe(v.picklist(["read", "replace"])),
  sandbox,
});
const READ_BLOCK = v.object({ handleId: v.string(), offset: count("offset"), len: count("len"), sandbox });
const WRITE_BLOCK = v.object({ handleId: v.string(), offset: count("offset"), chunk: v.string(), sandbox });
const CLOSE = v.object({ handleId: v.string(), sandbox });
const CREATE = v.object({ path: v.string(), recursive: maybe(v.boolean()), sandbox });
const REMOVE = v.object({
  path: v.string(),
  recursive: maybe(v.boolean()),
  force: maybe(v.boolean()),
  sandbox,
});
const COPY = v.object({
  sourcePath: v.string(),
  destinationPath: v.string(),
  recursive: v.boolean(),
  sandbox,
});
const WALK = v.object({
  path: v.string(),
  options: v.object({
    maxDepth: count("options.maxDepth"),
    maxDirectories: count("options.maxDirectories"),
    maxEntries: count("options.maxEntries"),
    followDirectorySymlinks: v.boolean(),
    pruneHiddenDirectories: maybe(v.boolean()),
  }),
  sandbox,
});
