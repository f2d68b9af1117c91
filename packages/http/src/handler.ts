// What happens to a request, in this order: is it from somewhere that may speak to us, is it for our path, is it from
// somebody who may, which session is it for. The rest is the session's, or makes one.
import { TransportError } from "@sluice/transport";
import { guard } from "@sluice/transport/guard";
import { Cors } from "./cors.ts";
import { openFrames } from "./frames-server.ts";
import { headerNames, type HeaderNames } from "./header-names.ts";
import { HTTP_LIMITS, type HttpLimits } from "./limits.ts";
import { openMcp, type McpContext } from "./mcp-server.ts";
import { mediaType } from "./media.ts";
import { FRAMES_TYPE, type Handler, type HandlerOptions, type RequestInfo } from "./options.ts";
import { refusal } from "./refusal.ts";
import type { Opening } from "./server-session.ts";
import { SessionTable } from "./session-table.ts";

/**
 * Serves sessions of either wire under one URL, to be called by any server that speaks in `Request` and `Response`.
 *
 * A client's first POST makes a session: of binary frames where it says so by its media type, of JSON otherwise. The
 * default guard takes requests for loopback names only, see `hosts` and `origins`.
 */
export function handler(options: HandlerOptions): Handler {
  return new HttpHandler(options);
}

class HttpHandler implements Handler {
  readonly #options: HandlerOptions;
  readonly #limits: HttpLimits;
  readonly #names: HeaderNames;
  readonly #cors: Cors;
  readonly #table: SessionTable;
  #life: "open" | "closed" = "open";
  /** Why it closed. */
  #reason = "";

  constructor(options: HandlerOptions) {
    this.#options = options;
    this.#limits = { ...HTTP_LIMITS, ...options.limits };
    this.#names = headerNames(options);
    this.#cors = new Cors(options.origins, this.#names);
    this.#table = new SessionTable(this.#limits);
  }

  get sessions(): number {
    return this.#table.size;
  }

  async fetch(request: Request, info: RequestInfo = {}): Promise<Response> {
    const refused = guard(
      {
        host: info.hosts ?? request.headers.get("host") ?? new URL(request.url).host,
        origin: request.headers.get("origin"),
        bound: info.bound,
      },
      this.#options,
    );
    if (refused !== undefined)
      return this.#cors.open(request, refusal(refused.status, refused.message), "refused");
    try {
      return this.#cors.open(request, await this.#answer(request, info), "passed");
    } catch {
      const failed = refusal(500, "the server failed; what failed is known to it alone");
      return this.#cors.open(request, failed, "passed");
    }
  }

  async close(reason = "the server closes"): Promise<void> {
    this.#life = "closed";
    this.#reason = reason;
    this.#table.abort(new TransportError("aborted", reason));
  }

  async #answer(request: Request, info: RequestInfo): Promise<Response> {
    const options = this.#options;
    if (options.path !== undefined && new URL(request.url).pathname !== options.path)
      return refusal(404, "nothing is served under this path");
    const preflight = this.#cors.preflight(request);
    if (preflight !== undefined) return preflight;
    const verdict = options.authorize === undefined ? true : await options.authorize(request);
    if (verdict instanceof Response) {
      if (verdict.status === 0) throw new TypeError("Response.error() is no answer");
      return verdict;
    }
    if (!verdict)
      return refusal(401, "not authorized", { headers: { "WWW-Authenticate": 'Bearer realm="sluice"' } });
    const id = request.headers.get(this.#names.session);
    if (id === null) return this.#open(request, info);
    if (!/^[!-+\--~]{1,256}$/.test(id))
      return refusal(400, `${this.#names.session}: exactly one, of visible ASCII without commas`);
    return this.#table.get(id)?.handle(request) ?? refusal(404, "no such session: open a new one");
  }

  async #open(request: Request, info: RequestInfo): Promise<Response> {
    if (request.method !== "POST") return this.#withoutSession(request.method);
    const open = wire(request);
    if (open instanceof Response) return open;
    if (this.#closed()) return busy(this.#reason);
    const client = this.#options.clientOf?.(request, info) ?? info.peer;
    const full = this.#table.full(client);
    if (full !== undefined) return busy(`limits.${full} is reached: end a session, or try again later`);

    const id = this.#table.reserve(client);
    const ended = (): void => this.#table.remove(id);
    const context = { ...this.#options, id, limits: this.#limits, headers: this.#names, ended };
    const opening = await open(request, context);
    if (opening instanceof Response) {
      ended();
      return opening;
    }
    const { session, response } = opening;
    this.#table.add(id, session);
    if (this.#closed()) {
      session.abort(new TransportError("aborted", this.#reason));
      return busy(this.#reason);
    }
    try {
      this.#options.onSession(session.transport, request);
    } catch (cause) {
      session.abort(new TransportError("aborted", "onSession threw", { cause }));
      throw cause;
    }
    return response;
  }

  #closed(): boolean {
    return this.#life === "closed";
  }

  #withoutSession(method: string): Response {
    if (method === "GET" || method === "DELETE")
      return refusal(400, `${this.#names.session} is missing: a session is opened by POST`);
    return refusal(405, "this is no method of a session", { headers: { Allow: "GET, POST, DELETE" } });
  }
}

/** Opens a session, or says why not. */
type Open = (request: Request, context: McpContext) => Opening | Promise<Opening | Response>;

/** What opens the session this request wants, by its media types; or why nothing does. */
function wire(request: Request): Response | Open {
  const { type } = mediaType(request.headers.get("content-type"));
  if (type === "application/json") return openMcp;
  if (type === FRAMES_TYPE) {
    const accepted = (request.headers.get("accept") ?? "").split(",");
    if (accepted.some((one) => mediaType(one).type === FRAMES_TYPE)) return openFrames;
    return refusal(406, `P2: a session in frames answers in ${FRAMES_TYPE}: name it in Accept`);
  }
  return refusal(415, `Content-Type has to be application/json or ${FRAMES_TYPE}`);
}

function busy(message: string): Response {
  return refusal(503, message, { headers: { "Retry-After": "5" } });
}
