export type HttpErrorKind =
  /** The request is not one: its URL, method, a header, or what it asks for. It was not sent. */
  | "invalid"
  /** A policy does not allow it, at the first hop or a later one. */
  | "refused"
  /** The server could not be reached, or broke off. */
  | "upstream"
  /** One of the request's timeouts has passed. */
  | "timeout"
  /** Whoever makes the request for us is gone. */
  | "disconnected"
  /** More than this side takes, or a body that was not read in time where nothing can hold it back. */
  | "overflow"
  /** The other end broke the rules of the wire. */
  | "protocol"
  /** Given up by the other end. */
  | "cancelled";

/** Why there is no response, or no more of its body. */
export class HttpError extends Error {
  readonly _tag: "HttpError" = "HttpError";
  override readonly name: string = "HttpError";
  readonly kind: HttpErrorKind;
  /** Whether the request may have reached its server. */
  readonly mayHaveRun: boolean;

  constructor(
    kind: HttpErrorKind,
    message: string,
    options: { readonly cause?: unknown; readonly mayHaveRun?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.mayHaveRun = options.mayHaveRun ?? (kind !== "invalid" && kind !== "refused");
  }
}
