// The files a connection has open, by the ids its client gave them. They are its own, and closed with it.
import { open, stat, type FileHandle } from "node:fs/promises";
import { invalidRequest, NOT_FOUND, systemError } from "./executor-error.ts";
import type { ExecutorLimits } from "./executor-limits.ts";
import { RpcError } from "@sluice/session";

export type OpenMode = "read" | "replace";

export class FileHandles {
  readonly #limits: Pick<ExecutorLimits, "handles" | "block">;
  readonly #open: Map<string, Promise<FileHandle>> = new Map();
  #life: "open" | "over" = "open";

  constructor(limits: Pick<ExecutorLimits, "handles" | "block">) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#open.size;
  }

  /** `replace` makes the file, or empties it. @throws RpcError */
  async open(id: string, path: string, mode: OpenMode): Promise<void> {
    const { handles } = this.#limits;
    if (Buffer.byteLength(id) > MAX_ID)
      throw invalidRequest(`file handle ID must not exceed ${MAX_ID} bytes`);
    if (this.#open.has(id)) throw invalidRequest(`file handle \`${id}\` already exists`);
    if (this.#open.size >= handles)
      throw invalidRequest(`at most ${handles} file handles may be open per connection`);
    if (this.#life === "over") throw invalidRequest("the connection is over");
    // The id is taken before the first wait.
    const opening = openFile(path, mode);
    this.#open.set(id, opening);
    try {
      await opening;
    } catch (error) {
      // It may have been closed meanwhile, and its id be another's.
      if (this.#open.get(id) === opening) this.#open.delete(id);
      throw systemError(error);
    }
  }

  /** `eof` where there was less than asked for. */
  async read(id: string, offset: number, length: number): Promise<{ bytes: Uint8Array; eof: boolean }> {
    const { block } = this.#limits;
    if (length < 1 || length > block)
      throw invalidRequest(`file read block length must be between 1 and ${block}`);
    const file = await this.#get(id);
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    try {
      while (at < length) {
        const { bytesRead } = await file.read(bytes, at, length - at, offset + at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
    } catch (error) {
      throw systemError(error);
    }
    return { bytes: bytes.subarray(0, at), eof: at < length };
  }

  async write(id: string, offset: number, bytes: Uint8Array): Promise<void> {
    const { block } = this.#limits;
    if (bytes.length > block) throw invalidRequest(`file write block must not exceed ${block} bytes`);
    const file = await this.#get(id);
    let at = 0;
    try {
      while (at < bytes.length) {
        const { bytesWritten } = await file.write(bytes, at, bytes.length - at, offset + at);
        at += bytesWritten;
      }
    } catch (error) {
      throw systemError(error);
    }
  }

  /** One that is not there is closed already. Settles once the system has closed it. */
  async close(id: string): Promise<void> {
    const opening = this.#open.get(id);
    if (opening === undefined) return;
    this.#open.delete(id);
    try {
      await (await opening).close();
    } catch (error) {
      throw systemError(error);
    }
  }

  /** Closes all, at once or as soon as they are open. */
  closeAll(): void {
    this.#life = "over";
    for (const id of this.#open.keys()) this.close(id).catch(() => {}); // nobody is left to be told
  }

  #get(id: string): Promise<FileHandle> {
    const opening = this.#open.get(id);
    if (opening === undefined) throw new RpcError(NOT_FOUND, `unknown file handle \`${id}\``);
    return opening;
  }
}

const MAX_ID = 32;

async function openFile(path: string, mode: OpenMode): Promise<FileHandle> {
  // Before it is opened: opening a pipe waits until somebody opens its other end.
  const before = await stat(path).catch((error: unknown) => {
    if (mode === "replace" && (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  });
  if (before !== undefined && !before.isFile()) throw invalidRequest(`path \`${path}\` is not a file`);
  return open(path, mode === "read" ? "r" : "w");
}
