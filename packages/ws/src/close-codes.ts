// W3: what a Close says, in both directions.
import type { CloseCause } from "@sluice/transport";

/** The code for each cause we close with (RFC 6455 section 7.4.1). */
export const CLOSE_CODE: Readonly<Record<CloseCause, number>> = {
  done: 1000,
  protocol: 1002,
  limit: 1008,
  timeout: 1008,
  failed: 1011,
};

/** A text message where only frames are spoken. */
export const UNSUPPORTED = 1003;
/** The server is shutting down. */
export const GOING_AWAY = 1001;
export const TOO_BIG = 1009;
/** The connection was dropped, without a Close (RFC 6455 section 7.1.5). */
export const LOST = 1006;
export const NO_CODE = 1005;

/** A standard WebSocket may only send 1000 and 3000 to 4999: there the others travel 3000 higher. */
const RAISED = 3000;

/** A code as a standard WebSocket may send it. */
export function raised(code: number): number {
  return code === 1000 || code >= 3000 ? code : code + RAISED;
}

/** A received code, whoever sent it. */
export function lowered(code: number): number {
  return code > 4000 && code <= 4015 ? code - RAISED : code;
}

const MEANING: Readonly<Record<number, string>> = {
  1000: "done",
  1001: "going away",
  1002: "protocol error",
  1003: "unsupported data",
  1005: "no code",
  1006: "dropped",
  1007: "invalid data",
  1008: "policy violation",
  1009: "message too big",
  1010: "extension missing",
  1011: "internal error",
  1012: "service restart",
  1013: "try again later",
  1015: "TLS failed",
};

/** A code as a person reads it: `1002 (protocol error)`. */
export function described(code: number): string {
  const meaning = MEANING[code];
  return meaning === undefined ? String(code) : `${code} (${meaning})`;
}

const REASON_BYTES = 123;

/** RFC 6455 section 5.5: a reason is at most 123 bytes of UTF-8; a longer one is cut between characters. */
export function reasonOf(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= REASON_BYTES) return text.toWellFormed();
  let end = REASON_BYTES;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return new TextDecoder().decode(bytes.subarray(0, end));
}

/** A peer's reason as it may stand in an error: without control characters, which could forge lines of a log. */
export function quoted(reason: string): string {
  return reason.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, " ").trim();
}
