import type { HeaderNames } from "./header-names.ts";
import type { Requests } from "./requests.ts";

/** The requests of one session over the mcp wire, with the headers that name it. */
export class McpRequests {
  readonly #requests: Requests;
  readonly #names: HeaderNames;
  /** Undefined before the server has named one; some never do. */
  session: string | undefined;
  /** The version of MCP that was settled. */
  version: string | undefined;
  /** Whether a server has taken a request: from then on there is a session, named or not. */
  state: "new" | "open" = "new";

  constructor(requests: Requests, names: HeaderNames) {
    this.#requests = requests;
    this.#names = names;
  }

  async post(body: string, signal: AbortSignal): Promise<Response> {
    const response = await this.#send({ method: "POST", body, signal }, signal, {
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
    });
    if (!response.ok) return response;
    this.state = "open";
    this.session ??= response.headers.get(this.#names.session) ?? undefined;
    return response;
  }

  get(last: string | undefined, signal: AbortSignal): Promise<Response> {
    const from = last === undefined ? {} : { "Last-Event-ID": last };
    return this.#send({ method: "GET", signal }, signal, { ...from, Accept: "text/event-stream" });
  }

  /** Ends the session, as far as the server lets us; it is over for us either way. Never rejects. */
  async delete(signal?: AbortSignal): Promise<void> {
    if (this.session === undefined) return;
    try {
      const init = signal === undefined ? { keepalive: true } : { signal };
      const response = await this.#requests.send({ method: "DELETE", ...init }, this.#headers());
      await response.body?.cancel();
    } catch {
      // The server ends it when it has heard nothing for long.
    }
  }

  async #send(
    init: RequestInit,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const response = await this.#requests.send(init, { ...this.#headers(), ...headers });
    if (!signal.aborted) return response;
    // It came all the same, from a `fetch` that does not look at its signal.
    void response.body?.cancel().catch(() => {});
    throw signal.reason;
  }

  #headers(): Record<string, string> {
    return {
      ...(this.session !== undefined && { [this.#names.session]: this.session }),
      ...(this.version !== undefined && { [this.#names.version]: this.version }),
    };
  }
}
