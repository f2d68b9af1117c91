// Where there is a Buffer it is used: it does the same with less around it. A message of 70 bytes, in ns:
//   decode   TextDecoder 105, 336, 105   utf8Slice 55, 54, 169     (Node, Deno, Bun)
//   encode   encodeInto   68,  97,  75   utf8Write 25, 125, 16
interface BufferMethods {
  utf8Slice?(this: Uint8Array, start: number, end: number): string;
  utf8Write?(this: Uint8Array, text: string, at: number): number;
}
declare const Buffer: { readonly prototype: BufferMethods } | undefined;
const { utf8Slice, utf8Write }: BufferMethods = typeof Buffer === "undefined" ? {} : Buffer.prototype;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The text, or undefined where the bytes are not UTF-8. Nothing is ever replaced by U+FFFD. */
export function decodeUtf8(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
): string | undefined {
  if (utf8Slice === undefined) return decodeStrictly(bytes.subarray(start, end));
  const text = utf8Slice.call(bytes, start, end);
  // It replaces what is not UTF-8; the character may also have been in the text.
  return text.includes("\ufffd") ? decodeStrictly(bytes.subarray(start, end)) : text;
}

function decodeStrictly(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Writes the text's UTF-8 at `at`, where there must be three bytes of room for each unit. Returns how many it took. */
export function encodeUtf8Into(text: string, into: Uint8Array, at: number): number {
  return utf8Write === undefined
    ? encoder.encodeInto(text, into.subarray(at)).written
    : utf8Write.call(into, text, at);
}

/** How many bytes the text takes in UTF-8; a lone surrogate counts three, as it is written. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      bytes += 2; // two units, four bytes
      i++;
    } else bytes += 2;
  }
  return bytes;
}
