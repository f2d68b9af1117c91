// Content codings (RFC 9110 section 8.4.1) that every runtime can undo by itself.
const FORMATS: ReadonlyMap<string, CompressionFormat> = new Map<string, CompressionFormat>([
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
]);

/** The body without its codings, the last applied first; as it is where one of them is not known. */
export function decoded(body: ReadableStream<Uint8Array>, headers: Headers): ReadableStream<Uint8Array> {
  const codings = (headers.get("content-encoding") ?? "")
    .split(",")
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "" && coding !== "identity");
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
