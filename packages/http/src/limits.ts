// Every bound of the package. Sizes are bytes, times are ms. What happens at a bound is said beside it.

const MIB = 1024 * 1024;

/** Bounds of a server, for all its sessions together or for each of them. */
export interface HttpLimits {
  /** One JSON-RPC message of a client (mcp wire). Beyond: 413, and the rest is not read. Default 16 MiB. */
  readonly message: number;
  /** Sessions at a time. Beyond: 503 with `Retry-After`. Default 1000. */
  readonly sessions: number;
  /** Sessions at a time of one client, see `clientOf`. Beyond: 503 with `Retry-After`. Default 100. */
  readonly sessionsPerClient: number;
  /** For how long a session may have no request and no response under way. Then it ends, with code `timeout`. Default 5 min. */
  readonly idle: number;
  /** For how long a request's body may bring no byte while we read. Then the request ends with 408. Default 30 s. */
  readonly bodyTime: number;
  /** How often a quiet response says that it is still there. Default 15 s. */
  readonly keepAlive: number;
  /** Requests and responses under way in one session (mcp wire). Beyond: 429. Default 64. */
  readonly open: number;
  /** What may wait for a client before `write` returns false. Default 1 MiB. */
  readonly highWater: number;
  /** Events kept for a session, so that a response that was cut can be resumed (mcp wire). Beyond: the oldest go. Default 16384. */
  readonly keptEvents: number;
  /** Bytes of events kept for a session (mcp wire). Beyond: the oldest go. Default 16 MiB. */
  readonly keptBytes: number;
  /** What a client whose response was cut is told to wait before it resumes it (mcp wire). Default 1 s. */
  readonly retry: number;
  /** How long connections may take to end by themselves once their session was aborted, or the server closes. Then they are cut. Default 1 s. */
  readonly grace: number;
}

export const HTTP_LIMITS: HttpLimits = {
  message: 16 * MIB,
  sessions: 1000,
  sessionsPerClient: 100,
  idle: 300_000,
  bodyTime: 30_000,
  keepAlive: 15_000,
  open: 64,
  highWater: MIB,
  keptEvents: 16_384,
  keptBytes: 16 * MIB,
  retry: 1000,
  grace: 1000,
};

/** Bounds of a client. */
export interface DialLimits {
  /** One JSON-RPC message of the server (mcp wire). Beyond: the transport ends with code `protocol`. Default 16 MiB. */
  readonly message: number;
  /** Bytes in the body of one POST (frames wire). What is left goes in the next one. Default 1 MiB. */
  readonly post: number;
  /** How often what was cut is tried again: a POST (frames wire, default 2), a response (mcp wire). Then it has failed. */
  readonly retries: number;
  /** Waits before a response that was cut is resumed (mcp wire): from the first to the second, doubled each time. Default 1 s, 30 s. */
  readonly backoff: readonly [number, number];
  /** For how long a response may bring no byte while we read, with the server's keep-alive (frames wire), and a message may be missing while later ones are there (mcp wire, P6). Then the transport ends with code `timeout`. Default 45 s. */
  readonly silence: number;
  /** Requests without an answer (mcp wire). Beyond: answered -32012 here, and not sent. Default 256. */
  readonly pending: number;
  /** How long the next message waits for the headers of a request's response (mcp wire). Default 1 s. */
  readonly patience: number;
  /** How long `close` waits for the server to end its direction (mcp wire). Default 2 s. */
  readonly grace: number;
}

export const DIAL_LIMITS: DialLimits = {
  message: 16 * MIB,
  post: MIB,
  retries: 2,
  backoff: [1000, 30_000],
  silence: 45_000,
  pending: 256,
  patience: 1000,
  grace: 2000,
};
