// Files open at the executor, as web streams: one block for each read or write, so that neither end holds more. A handle
// belongs to its connection; one that outlived it would be somebody else's.
import { toBase64 } from "@sluice/codec";
import type { Session } from "@sluice/session";
import { callError, ExecError } from "./client-error.ts";
import { decode, fileBlock } from "./client-wire.ts";
import type { Link } from "./link.ts";

/** Bytes; the largest block there is. */
const BLOCK = 1024 * 1024;

export class FileHandles {
  readonly #link: Link;
  readonly #open: Set<FileHandle> = new Set();
  #ids = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  get open(): number {
    for (const handle of this.#open) if (handle.isLost) this.#open.delete(handle);
    return this.#open.size;
  }

  read(path: string): ReadableStream<Uint8Array> {
    let opening: Promise<FileHandle> | undefined;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          opening ??= this.#opened(path, "read");
          const handle = await opening;
          try {
            const { chunk, eof } = await handle.read();
            if (chunk.length > 0) controller.enqueue(chunk);
            else if (!eof) throw new ExecError("protocol", "an empty block before the end of the file");
            if (!eof) return;
          } catch (error) {
            await this.#close(handle);
            throw error;
          }
          await this.#close(handle);
          controller.close();
        },
        // It may be cancelled while it is being opened.
        cancel: async () => {
          const handle = await opening?.catch(() => undefined); // the reader does not ask any more
          if (handle !== undefined) await this.#close(handle);
        },
      },
      { highWaterMark: 0 },
    );
  }

  write(path: string): WritableStream<Uint8Array> {
    let handle: FileHandle | undefined;
    return new WritableStream<Uint8Array>({
      write: async (chunk) => {
        handle ??= await this.#opened(path, "replace");
        try {
          await handle.write(chunk);
        } catch (error) {
          await this.#close(handle);
          throw error;
        }
      },
      close: async () => {
        handle ??= await this.#opened(path, "replace");
        this.#open.delete(handle);
        await handle.close();
      },
      abort: async () => {
        if (handle !== undefined) await this.#close(handle);
      },
    });
  }

  async #opened(path: string, mode: "read" | "replace"): Promise<FileHandle> {
    const handle = new FileHandle(await this.#link.session(), `file-${++this.#ids}`);
    // Executors from before there were two only read.
    await handle.call("fs/open", { path, ...(mode === "replace" && { mode }) });
    this.#open.add(handle);
    return handle;
  }

  /** Where it cannot be closed the connection is gone, and with it the handle. */
  async #close(handle: FileHandle): Promise<void> {
    if (this.#open.delete(handle)) await handle.close().catch(() => {});
  }
}

class FileHandle {
  readonly #session: Session;
  readonly #id: string;
  #offset = 0;

  constructor(session: Session, id: string) {
    this.#session = session;
    this.#id = id;
  }

  get isLost(): boolean {
    return this.#session.error !== undefined;
  }

  async call(method: string, params: object = {}): Promise<unknown> {
    try {
      return await this.#session.call(method, { handleId: this.#id, ...params });
    } catch (error) {
      throw callError(error, method);
    }
  }

  async read(): Promise<{ readonly chunk: Uint8Array; readonly eof: boolean }> {
    const answer = await this.call("fs/readBlock", { offset: this.#offset, len: BLOCK });
    const block = decode(fileBlock, answer, "the answer to fs/readBlock");
    if (block.chunk.length > BLOCK) throw new ExecError("protocol", "a block larger than was asked for");
    this.#offset += block.chunk.length;
    return block;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += BLOCK) {
      const block = bytes.subarray(at, at + BLOCK);
      await this.call("fs/writeBlock", { offset: this.#offset, chunk: toBase64(block) });
      this.#offset += block.length;
    }
  }

  async close(): Promise<void> {
    await this.call("fs/close");
  }
}
