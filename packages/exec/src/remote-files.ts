import { toBase64 } from "@sluice/codec";
import type { CallOptions } from "@sluice/session";
import { ExecError } from "./client-error.ts";
import type { ClientLink } from "./client-link.ts";
import { fileUri, type FilePath } from "./client-path.ts";
import {
  decode,
  directory,
  fileData,
  fileMetadata,
  filePath,
  walk,
  type DirectoryEntry,
  type FileMetadata,
  type Walk,
} from "./client-wire.ts";
import { FileHandles } from "./remote-file-handles.ts";

export interface FileCallOptions {
  /** Gives the call up; it may have been done. */
  readonly signal?: AbortSignal;
}

export interface WalkOptions extends FileCallOptions {
  /** Folders below the first one. Default 64. */
  readonly maxDepth?: number;
  /** Default 10,000. */
  readonly maxDirectories?: number;
  /** Default 50,000. */
  readonly maxEntries?: number;
  readonly followDirectorySymlinks?: boolean;
  /** Folders whose names begin with a dot are named, and not entered. */
  readonly pruneHiddenDirectories?: boolean;
}

/** Files at the executor. All reject with an `ExecError`: of kind `not found` where there is no such file. */
export interface RemoteFiles {
  /** All of it, in one message: for large files there is `readStream`. */
  readFile(path: FilePath, options?: FileCallOptions & { followSymlinks?: boolean }): Promise<Uint8Array>;
  /** Writes all of it, in one message. */
  writeFile(path: FilePath, data: Uint8Array | string, options?: FileCallOptions): Promise<void>;
  /**
   * The file, in pieces of up to 1 MiB, each asked for when it is read. It is opened at the first read; ended, cancelled
   * or broken off it is closed. It does not outlive its connection: then it ends with an `ExecError`.
   */
  readStream(path: FilePath): ReadableStream<Uint8Array>;
  /**
   * Replaces the file by what is written, in place. It is opened at the first write or the close; aborted it stays as
   * far as it was written. `unsupported` where the executor has not the capability `fileWriteStreaming`.
   */
  writeStream(path: FilePath): WritableStream<Uint8Array>;
  getMetadata(path: FilePath, options?: FileCallOptions): Promise<FileMetadata>;
  readDirectory(path: FilePath, options?: FileCallOptions): Promise<readonly DirectoryEntry[]>;
  /** `recursive`: with those above it, and no error where it is there. */
  createDirectory(path: FilePath, options?: FileCallOptions & { recursive?: boolean }): Promise<void>;
  /** `recursive`: a folder with all in it. `force`: no error where it is not there. Default of both: as the executor's. */
  remove(path: FilePath, options?: FileCallOptions & { recursive?: boolean; force?: boolean }): Promise<void>;
  /** `recursive` for folders. */
  copy(from: FilePath, to: FilePath, options?: FileCallOptions & { recursive?: boolean }): Promise<void>;
  /** Where it really is, as a `file:` URL. */
  canonicalize(path: FilePath, options?: FileCallOptions): Promise<string>;
  /** What is in a folder and those below it. */
  walk(path: FilePath, options?: WalkOptions): Promise<Walk>;
}

export class Files implements RemoteFiles {
  readonly #link: ClientLink;
  readonly #handles: FileHandles;

  constructor(link: ClientLink) {
    this.#link = link;
    this.#handles = new FileHandles(link);
  }

  /** Files that are open. */
  get open(): number {
    return this.#handles.open;
  }

  async readFile(
    path: FilePath,
    { followSymlinks, ...options }: FileCallOptions & { followSymlinks?: boolean } = {},
  ): Promise<Uint8Array> {
    const params = { path: fileUri(path), ...(followSymlinks !== undefined && { followSymlinks }) };
    const answer = await this.#link.call("fs/readFile", params, options);
    return decode(fileData, answer, "the answer to fs/readFile").dataBase64;
  }

  async writeFile(path: FilePath, data: Uint8Array | string, options?: CallOptions): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    await this.#link.call("fs/writeFile", { path: fileUri(path), dataBase64: toBase64(bytes) }, options);
  }

  readStream(path: FilePath): ReadableStream<Uint8Array> {
    return this.#handles.read(fileUri(path));
  }

  writeStream(path: FilePath): WritableStream<Uint8Array> {
    if (this.#link.capabilities["fileWriteStreaming"] !== true)
      throw new ExecError("unsupported", "this executor cannot write a file in pieces: use writeFile");
    return this.#handles.write(fileUri(path));
  }

  async getMetadata(path: FilePath, options?: CallOptions): Promise<FileMetadata> {
    const answer = await this.#link.call("fs/getMetadata", { path: fileUri(path) }, options);
    return decode(fileMetadata, answer, "the answer to fs/getMetadata");
  }

  async readDirectory(path: FilePath, options?: CallOptions): Promise<readonly DirectoryEntry[]> {
    const answer = await this.#link.call("fs/readDirectory", { path: fileUri(path) }, options);
    return decode(directory, answer, "the answer to fs/readDirectory").entries;
  }

  async createDirectory(
    path: FilePath,
    { recursive, ...options }: FileCallOptions & { recursive?: boolean } = {},
  ): Promise<void> {
    const params = { path: fileUri(path), ...(recursive !== undefined && { recursive }) };
    await this.#link.call("fs/createDirectory", params, options);
  }

  async remove(
    path: FilePath,
    { recursive, force, ...options }: FileCallOptions & { recursive?: boolean; force?: boolean } = {},
  ): Promise<void> {
    const params = {
      path: fileUri(path),
      ...(recursive !== undefined && { recursive }),
      ...(force !== undefined && { force }),
    };
    await this.#link.call("fs/remove", params, options);
  }

  async copy(
    from: FilePath,
    to: FilePath,
    { recursive = false, ...options }: FileCallOptions & { recursive?: boolean } = {},
  ): Promise<void> {
    const params = { sourcePath: fileUri(from), destinationPath: fileUri(to), recursive };
    await this.#link.call("fs/copy", params, options);
  }

  async canonicalize(path: FilePath, options?: CallOptions): Promise<string> {
    const answer = await this.#link.call("fs/canonicalize", { path: fileUri(path) }, options);
    return decode(filePath, answer, "the answer to fs/canonicalize").path;
  }

  async walk(path: FilePath, { signal, ...given }: WalkOptions = {}): Promise<Walk> {
    const options = { ...WALK, ...given };
    const call = signal === undefined ? {} : { signal };
    const answer = await this.#link.call("fs/walk", { path: fileUri(path), options }, call);
    return decode(walk, answer, "the answer to fs/walk");
  }
}

const WALK: Required<
  Pick<WalkOptions, "maxDepth" | "maxDirectories" | "maxEntries" | "followDirectorySymlinks">
> = {
  maxDepth: 64,
  maxDirectories: 10_000,
  maxEntries: 50_000,
  followDirectorySymlinks: false,
};
