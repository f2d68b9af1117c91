import { TextLineStream } from "@std/streams/text-line-stream";

const KEEP = 4096;

/** Keeps the last 4 KiB of what a process prints, and passes its lines on to whoever wants them. */
export class StderrTail {
  readonly #kept: Uint8Array[] = [];
  #size = 0;
  readonly #bytes: WritableStreamDefaultWriter<BufferSource> | undefined;
  /** Resolves when every line has been passed on. */
  readonly done: Promise<void> = Promise.resolve();

  constructor(onLine?: (line: string) => void) {
    if (onLine === undefined) return;
    const decoder = new TextDecoderStream();
    this.#bytes = decoder.writable.getWriter();
    const lines = decoder.readable.pipeThrough(new TextLineStream());
    // A listener that throws loses its later lines; it must not cost the conversation.
    this.done = lines.pipeTo(new WritableStream({ write: onLine })).catch(() => {});
  }

  push(chunk: Uint8Array<ArrayBuffer>): void {
    this.#bytes?.write(chunk).catch(() => {});
    this.#kept.push(chunk.length > KEEP ? chunk.subarray(-KEEP) : chunk);
    this.#size += Math.min(chunk.length, KEEP);
    while (this.#size - this.#kept[0]!.length >= KEEP) this.#size -= this.#kept.shift()!.length;
  }

  end(): void {
    this.#bytes?.close().catch(() => {});
  }

  text(): string {
    const all = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#kept) {
      all.set(chunk, at);
      at += chunk.length;
    }
    // The cut may have split a character: leave out what is left of it.
    let from = Math.max(0, at - KEEP);
    while (from > 0 && ((all[from] ?? 0) & 0xc0) === 0x80) from++;
    return new TextDecoder().decode(all.subarray(from));
  }
}

/** What a program printed may hold terminal commands: writes them as `\x1b`. Line breaks and tabs stay. */
export function escapeControls(text: string): string {
  return text.replace(
    /[\0-\x08\x0b-\x1f\x7f-\x9f]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
