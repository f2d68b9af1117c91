// What pages of other origins may do (Fetch, section 3.2, CORS protocol): as much as the option `origins` says, and
// without it nothing. The guard has judged the request before; here its answer is made readable for the page.
import type { HeaderNames } from "./header-names.ts";
import type { HandlerOptions } from "./options.ts";
import { withOwnHeaders } from "./own-headers.ts";

const LASTS = "600";

export class Cors {
  readonly #origins: HandlerOptions["origins"];
  readonly #names: HeaderNames;

  constructor(origins: HandlerOptions["origins"], names: HeaderNames) {
    this.#origins = origins;
    this.#names = names;
  }

  /** The answer to a preflight of a page that may speak to us; undefined where the request is none. */
  preflight(request: Request): Response | undefined {
    if (this.#origins === undefined || request.method !== "OPTIONS") return undefined;
    if (!request.headers.has("origin") || !request.headers.has("access-control-request-method"))
      return undefined;
    const allowed = ["authorization", "content-type", "last-event-id", "sluice-offset"];
    return new Response(null, {
      status: 204,
      headers: {
        "Access-Control-Allow-Methods": "GET, POST, DELETE",
        "Access-Control-Allow-Headers": [...allowed, this.#names.session, this.#names.version].join(", "),
        "Access-Control-Max-Age": LASTS,
      },
    });
  }

  /** Lets the page that asked read the answer. `judged`: whether the guard let the request pass. */
  open(request: Request, response: Response, judged: "passed" | "refused"): Response {
    if (this.#origins === undefined) return response;
    const open = withOwnHeaders(response);
    open.headers.append("Vary", "Origin");
    const origin = request.headers.get("origin");
    if (judged === "refused" || origin === null) return open;
    open.headers.set("Access-Control-Allow-Origin", origin);
    open.headers.set("Access-Control-Expose-Headers", this.#names.session);
    return open;
  }
}
