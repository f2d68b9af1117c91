/** What decoding will take, whatever a peer sends. `@sluice/core` adds the session's limits to these. */
export interface DecodeLimits {
  /** Bytes of one message, before it is parsed. Above: refused before it is buffered (F4). Default 16 MiB. */
  readonly message: number;
  /** How deep arrays and objects may nest. Above: -32600, before the tree is built. Default 128. */
  readonly depth: number;
  /** JSON values in one message. Above: -32600, before the tree is built, which may take a hundred times the text. Default 1,048,576. */
  readonly values: number;
  /** UTF-16 units of a string id. Above: -32600. Default 256. */
  readonly id: number;
  /** UTF-16 units of a method name. Above: -32600. Default 1024. */
  readonly method: number;
  /** Entries of one batch. Above: one -32600, nothing runs. Default 1000. */
  readonly batch: number;
  /** Bytes of a Content-Length header block. Above: the session closes. Default 8 KiB. */
  readonly header: number;
}

export const DECODE_LIMITS: DecodeLimits = {
  message: 16 * 1024 * 1024,
  depth: 128,
  values: 1024 * 1024,
  id: 256,
  method: 1024,
  batch: 1000,
  header: 8 * 1024,
};

/** F2: bytes of one data frame's payload. */
export const DATA_LIMIT: number = 64 * 1024;
/** F1: bytes of one control frame's payload. */
export const CONTROL_LIMIT: number = 4 * 1024;
