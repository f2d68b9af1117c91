/** What a refusal says besides its status and sentence. */
export interface RefusalOptions {
  /** JSON-RPC code. Default: by status. */
  readonly code?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const CODES: Readonly<Record<number, number>> = {
  400: -32600,
  404: -32001,
  413: -32013,
  429: -32012,
  500: -32603,
  503: -32012,
};

/**
 * An answer that says no, as a JSON-RPC error without an id: MCP clients read it, and people can. The sentence names
 * the rule and what to do, and quotes nothing of the request.
 */
export function refusal(status: number, message: string, options: RefusalOptions = {}): Response {
  const code = options.code ?? CODES[status] ?? -32000;
  return new Response(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code, message } }), {
    status,
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store", ...options.headers },
  });
}
