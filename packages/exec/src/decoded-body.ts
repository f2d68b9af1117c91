import { HttpError } from "./http-error.ts";

// Content codings (RFC 9110 section 8.4.1) that every runtime can undo by itself.
const FORMATS: ReadonlyMap<string, CompressionFormat> = new Map<string, CompressionFormat>([
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
]);

/** Codings of one body. Each takes memory, and a few bytes of a header ask for one. As many as Node's fetch undoes. */
const MAX_CODINGS = 5;

/**
 * The body without its codings, the last applied first; as it is where one of them is not known.
 * @throws HttpError of kind `overflow` where there are more than five
 */
export function decoded(body: ReadableStream<Uint8Array>, headers: Headers): ReadableStream<Uint8Array> {
  const codings = (headers.get("content-encoding") ?? "")
    .split(",")
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "" && coding !== "identity");
  if (codings.length > MAX_CODINGS)
    throw new HttpError("overflow", `the response has more than ${MAX_CODINGS} content codings`);
  const formats = codings.map((coding) => FORMATS.get(coding)).filter((format) => format !== undefined);
  if (headers.get("content-length") === "0" || formats.length === 0 || formats.length < codings.length)
    return body;
  let plain = body;
  for (const format of formats.reverse())
    plain = plain.pipeThrough(
      new DecompressionStream(format) as ReadableWritablePair<Uint8Array, Uint8Array>,
    );
  return plain;
}
