import type { Fetch } from "./options.ts";
import { FRAMES_TYPE } from "./options.ts";
import { URL_OF_DIRECT } from "./pairs.testing.ts";
import { encodeRecord, endRecord } from "./records.ts";
import { bytes } from "./watch.testing.ts";

/** A body of one record, with the end of the direction after it where `end` says so. */
export function body(text: string, end?: "end"): Uint8Array<ArrayBuffer> {
  const pieces = [...encodeRecord([bytes(text)]), ...(end === "end" ? [endRecord()] : [])];
  return new Uint8Array(pieces.flatMap((piece) => [...piece]));
}

/** Opens a session as the rules say, with this in the request's body. */
export function open(fetch: Fetch, content: BodyInit | null = null): Promise<Response> {
  const headers = { "Content-Type": FRAMES_TYPE, Accept: FRAMES_TYPE };
  return fetch(URL_OF_DIRECT, { method: "POST", body: content, headers, ...duplex(content) });
}

/** A later POST of a session. */
export function post(
  fetch: Fetch,
  opened: Response,
  content: BodyInit | null,
  offset: string | number,
): Promise<Response> {
  const headers = {
    "Content-Type": FRAMES_TYPE,
    "Mcp-Session-Id": opened.headers.get("mcp-session-id") ?? "none",
    "Sluice-Offset": String(offset),
  };
  return fetch(URL_OF_DIRECT, { method: "POST", body: content, headers, ...duplex(content) });
}

/** What a request with a body that is a stream must say. */
function duplex(content: BodyInit | null): object {
  return content instanceof ReadableStream ? { duplex: "half" } : {};
}
