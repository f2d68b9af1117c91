/** Bytes that will wait. A view keeps alive all that it came with, so they are copied out where that is most of it. */
export function own(bytes: Uint8Array): Uint8Array {
  return bytes.length * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes;
}
