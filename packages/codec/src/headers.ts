// The base protocol of LSP: header lines, a blank line, then exactly Content-Length bytes. A header that is wrong is
// fatal at once: there is no telling where the next message starts, and waiting for it would wedge the session.
import type { ByteQueue } from "./byte-queue.ts";
import { DecodeError, ErrorCode } from "./error.ts";
import type { Framing } from "./framing.ts";
import type { DecodeLimits } from "./limits.ts";
import { decodeUtf8 } from "./utf8.ts";

const LF = 0x0a;
const MAX_HEADERS = 32;
const RULE = "LSP base protocol";
const FIELD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:/;
/** What may yet become a field when more of it has come. */
const FIELD_START = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?::|$)/;

export class Headers implements Framing {
  readonly name: string = "content-length";
  readonly suffix: string = "";
  readonly #limits: Pick<DecodeLimits, "message" | "header">;
  #scanned = 0;
  #lines: string[] = [];
  #headerBytes = 0;
  #length: number | undefined;

  constructor(limits: Pick<DecodeLimits, "message" | "header">) {
    this.#limits = limits;
  }

  get partial(): boolean {
    return this.#length !== undefined || this.#lines.length > 0;
  }

  prefix(bytes: number): string {
    return `Content-Length: ${bytes}\r\n\r\n`;
  }

  read(input: ByteQueue): string | DecodeError | undefined {
    while (this.#length === undefined) {
      const end = input.indexOf(LF, this.#scanned);
      const seen = this.#headerBytes + (end === -1 ? input.length : end + 1);
      if (seen > this.#limits.header)
        return fatal(`header longer than ${this.#limits.header} bytes`, input.peek(80));
      if (end === -1) {
        this.#scanned = input.length;
        // A stray print is found by its first bytes, and not only once its line is complete.
        return this.#lines.length === 0 ? this.#checkStart(input) : undefined;
      }
      this.#scanned = 0;
      this.#headerBytes += end + 1;
      const error = this.#line(input.take(end + 1));
      if (error !== undefined) return error;
    }
    if (input.length < this.#length) return undefined;
    const body = input.take(this.#length);
    this.#length = undefined;
    return decodeUtf8(body) ?? new DecodeError("RFC 8259 8.1", ErrorCode.parse, "not UTF-8", { input: body });
  }

  #checkStart(input: ByteQueue): DecodeError | undefined {
    if (input.length === 0) return undefined;
    const start = input.peek(80);
    return FIELD_START.test(String.fromCharCode(...start)) ? undefined : fatal("not a header", start);
  }

  // One header line; at the blank one, the length of what follows.
  #line(bytes: Uint8Array): DecodeError | undefined {
    const text = decodeUtf8(bytes);
    if (text === undefined || !text.endsWith("\r\n")) return fatal("a header line ends with CR LF", bytes);
    const line = text.slice(0, -2);
    if (line !== "") {
      if (this.#lines.push(line) > MAX_HEADERS) return fatal(`more than ${MAX_HEADERS} header lines`, bytes);
      return FIELD.test(line) ? undefined : fatal("not a header", bytes);
    }
    const error = this.#parse(this.#lines);
    this.#lines = [];
    this.#headerBytes = 0;
    return error;
  }

  #parse(lines: readonly string[]): DecodeError | undefined {
    let length: number | undefined;
    for (const line of lines) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      if (name === "content-type" && !/^[^;]*(;\s*charset=("?)utf-?8\2\s*)?$/i.test(value))
        return fatal("only charset utf-8 is spoken", line);
      if (name !== "content-length") continue;
      if (length !== undefined) return fatal("Content-Length twice", line);
      if (!/^[0-9]{1,15}$/.test(value)) return fatal("Content-Length must be a decimal number", line);
      length = Number(value);
    }
    if (length === undefined) return fatal("Content-Length is missing", lines.join(" "));
    if (length > this.#limits.message) {
      const message = `message of ${length} bytes, the limit is ${this.#limits.message}`;
      return new DecodeError("limits.message", ErrorCode.limit, message, { fatal: true });
    }
    this.#length = length;
    return undefined;
  }
}

function fatal(message: string, input: Uint8Array | string): DecodeError {
  return new DecodeError(RULE, ErrorCode.parse, message, { fatal: true, input });
}
