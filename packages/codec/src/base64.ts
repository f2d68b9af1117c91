// Native where the runtime has it (Node 25+, Deno, Bun, Chromium 140+); elsewhere by atob and btoa, in slices because
// fromCharCode takes its characters as arguments.
interface Native {
  toBase64?(): string;
}
interface NativeConstructor {
  fromBase64?(text: string): Uint8Array;
}
const SLICE = 8192;
// The alphabet of RFC 4648 section 4, padded. Engines differ in what else they let pass, so this decides.
// One character at a time: a repeated group of four exhausts the engine's stack on a text of megabytes.
const SHAPE = /^[A-Za-z0-9+/]*={0,2}$/;

export function toBase64(bytes: Uint8Array): string {
  const toNative = (bytes as Native).toBase64;
  if (toNative !== undefined) return toNative.call(bytes);
  let text = "";
  for (let at = 0; at < bytes.length; at += SLICE)
    text += String.fromCharCode(...bytes.subarray(at, at + SLICE));
  return btoa(text);
}

/** The bytes, or undefined where the text is not padded standard base64 (RFC 4648 section 4). */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !SHAPE.test(text)) return undefined;
  const fromNative = (Uint8Array as NativeConstructor).fromBase64;
  if (fromNative !== undefined) return fromNative.call(Uint8Array, text);
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
