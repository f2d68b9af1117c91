/** Stream codes of PROTOCOL E; an application's own start at 1000. */
export const StreamCode: {
  readonly none: 0;
  readonly cancelled: 1;
  readonly limit: 2;
  readonly protocol: 3;
  readonly internal: 4;
  readonly refused: 5;
  readonly timeout: 6;
  readonly sessionEnded: 7;
  readonly application: 1000;
} = {
  none: 0,
  cancelled: 1,
  limit: 2,
  protocol: 3,
  internal: 4,
  refused: 5,
  timeout: 6,
  sessionEnded: 7,
  application: 1000,
};

/** Why a stream did not come to its end. */
export class StreamError extends Error {
  readonly _tag: "StreamError" = "StreamError";
  override readonly name: string = "StreamError";
  /** One of `StreamCode`, or 1000 and above for the application's own. */
  readonly code: number;
  /** Who gave it up. */
  readonly by: "us" | "peer";
  /** What the peer sent along with its reset. */
  readonly data: unknown;

  constructor(
    code: number,
    by: "us" | "peer",
    message: string,
    options: { readonly cause?: unknown; readonly data?: unknown } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.by = by;
    this.data = options.data;
  }
}
