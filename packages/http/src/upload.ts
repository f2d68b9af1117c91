import type { TransportError } from "@sluice/transport";

/** The upward direction at the client of the frames wire, in one of its two forms. */
export interface Upload {
  /** Takes all chunks; false when more than the high water waits. */
  write(chunks: readonly Uint8Array[]): boolean;
  /** What goes with the request that opens the session: records, or nothing. */
  first(): Uint8Array<ArrayBuffer> | undefined;
  /** The session is open: from now on it sends. */
  begin(): void;
  /** Ends the direction after what waits. */
  end(): void;
  /** Ends at once; what waits is lost. */
  stop(): void;
}

/** Who is told, and who sends. */
export interface UploadOwner {
  /** Sends a POST of this session. Rejects as `fetch` does. */
  post(
    body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
    offset: number,
    signal: AbortSignal,
  ): Promise<Response>;
  /** What an answer that is no success means. */
  refused(response: Response): TransportError;
  /** What went wrong while sending. */
  failed(cause: unknown): TransportError;
  onDrain(): void;
  /** The server has had everything, and the end after it. */
  onEnded(): void;
  onFailure(error: TransportError): void;
}
