/** JSON-RPC's own codes and Sluice's (PROTOCOL E). */
export const ErrorCode: {
  readonly parse: -32700;
  readonly invalidRequest: -32600;
  readonly methodNotFound: -32601;
  readonly invalidParams: -32602;
  readonly internal: -32603;
  readonly cancelled: -32800;
  readonly closed: -32001;
  readonly draining: -32011;
  readonly overloaded: -32012;
  readonly limit: -32013;
} = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  cancelled: -32800,
  closed: -32001,
  draining: -32011,
  overloaded: -32012,
  limit: -32013,
};

const EXCERPT = 80;
const encoder = new TextEncoder();

/**
 * Input that is not what it should be. Decoding returns it, never throws it.
 * The message names the rule and holds nothing of the peer's data; `excerpt()` does, and is for whoever may see it.
 */
export class DecodeError extends Error {
  readonly _tag: "DecodeError" = "DecodeError";
  override readonly name: string = "DecodeError";
  /** The rule that was broken, such as `F4` or `JSON-RPC 4.2`. */
  readonly rule: string;
  /** The JSON-RPC error code to answer with. */
  readonly code: number;
  /** True where the bytes that follow cannot be trusted either: the session has to close. */
  readonly fatal: boolean;
  readonly #input: Uint8Array;

  constructor(
    rule: string,
    code: number,
    message: string,
    options: { readonly fatal?: boolean; readonly input?: Uint8Array | string } = {},
  ) {
    super(`${message} (${rule})`);
    this.rule = rule;
    this.code = code;
    this.fatal = options.fatal ?? false;
    const { input = "" } = options;
    const bytes = typeof input === "string" ? encoder.encode(input.slice(0, EXCERPT)) : input;
    // A copy of the first bytes, so that the error does not hold on to a whole chunk. (A Buffer's own slice is a view.)
    this.#input = new Uint8Array(bytes.subarray(0, EXCERPT));
  }

  /** The first 80 bytes of the offending input, control characters escaped; empty if there were none. */
  excerpt(): string {
    // As a stream, so that a character cut by the limit is left out.
    return printable(new TextDecoder().decode(this.#input, { stream: true }));
  }
}

// Controls, bidirectional overrides and line separators could forge a log line.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Text safe for a log or a terminal: controls, escapes and bidirectional marks as `\u….`; at most the first `max` characters. */
export function printable(text: string, max: number = 256): string {
  const short = text.length > max ? `${text.slice(0, max)}…` : text;
  return short.replace(UNPRINTABLE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
