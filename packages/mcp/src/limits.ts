// Every bound of a client. Sizes are bytes, times are ms. What happens at a bound is said beside it.

const MIB = 1024 * 1024;

export interface McpLimits {
  /** One event of a stream, and one JSON body. Beyond: an `McpError` of kind `overflow`, and the rest is not read. `Infinity`: no bound. Default 16 MiB. */
  readonly message: number;
  /** How much of the body of an error is kept in `McpError.body`. Default 8192. */
  readonly preview: number;
  /** How long the body of an error is waited for. Then what there is of it has to do. Default 2 s. */
  readonly previewTime: number;
  /** Messages under way. Beyond: an `McpError` of kind `overflow`, and nothing is sent. Default 1024. */
  readonly pending: number;
  /** Waits before what may be repeated is (initialize, initialized, server/discover, tools/list), one for each time. Default 250 ms, 1 s. */
  readonly repeats: readonly number[];
  /** How often in a row a stream that was cut is asked for again. Then it is lost. Default 5. */
  readonly resumes: number;
  /** Waits before that, where the server names none: from the first to the second, doubled each time. Default 1 s, 30 s. */
  readonly backoff: readonly [first: number, most: number];
  /** Redirects on the way to one response. Beyond: an `McpError` of kind `redirect`. Default 10. */
  readonly redirects: number;
  /** How long a stream may go on that has brought its answer, or whose request was cancelled. Then it is let go of. Default 1 s. */
  readonly grace: number;
  /** How long the end of the session may take. Then it is over all the same. Default 5 s. */
  readonly goodbye: number;
  /** What may wait to be sent before `write` of `mcpTransport` returns false. Default 1 MiB. */
  readonly highWater: number;
}

export const MCP_LIMITS: McpLimits = {
  message: 16 * MIB,
  preview: 8192,
  previewTime: 2000,
  pending: 1024,
  repeats: [250, 1000],
  resumes: 5,
  backoff: [1000, 30_000],
  redirects: 10,
  grace: 1000,
  goodbye: 5000,
  highWater: MIB,
};
