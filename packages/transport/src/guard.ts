// Who may talk to a server that pages in a browser can reach. A page's script may open a WebSocket to any address and
// POST to it, and by DNS rebinding its own host name may stand for a loopback address; the browser tells the truth about
// both in `Host` and `Origin`. Programs that are no browsers send no `Origin`, and are judged by `authorize`.

/** What is checked before anything else about a request. */
export interface GuardOptions {
  /**
   * Host names, without port, under which this server may be spoken to; `any` for all. Default: on a loopback address,
   * and where the address is not known, the names of loopback (`localhost`, `*.localhost`, `127.x.x.x`, `[::1]`);
   * elsewhere `any`.
   */
  readonly hosts?: readonly string[] | "any";
  /**
   * Origins, such as `https://app.example`, whose pages may speak to this server; `any` for all. Default: those whose
   * host and port are the server's own. A request without `Origin` passes: it is from no page.
   */
  readonly origins?: readonly string[] | "any";
}

/** Why a request is turned away: an HTTP status and a sentence that quotes nothing of the request. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** What the guard looks at. */
export interface Guarded {
  /** All `Host` headers; a runtime that joins or drops repeated ones gives what it has. */
  readonly host: string | readonly string[] | null | undefined;
  readonly origin: string | null | undefined;
  /** The address the server listens on, such as `127.0.0.1` or `::`. undefined where it is not known. */
  readonly bound: string | undefined;
}

/**
 * Judges a request by where it says it comes from (RFC 9112 section 3.2, RFC 6455 section 10.2, MCP 2025-11-25
 * "Security Warning"). undefined: it may go on.
 */
export function guard(request: Guarded, options: GuardOptions = {}): Refusal | undefined {
  const given = request.host;
  const host = typeof given === "string" ? given : given?.length === 1 ? given[0] : undefined;
  const named = host === undefined ? undefined : split(host);
  if (named === undefined) return { status: 400, message: "a request has exactly one valid Host header" };
  if (!hostAllowed(named.name, request.bound, options.hosts))
    return {
      status: 403,
      message:
        "this Host is not served here; a server that is known by other names lists them in its option hosts",
    };
  if (!originAllowed(request.origin, host!, options.origins))
    return {
      status: 403,
      message: "pages of this Origin may not speak to this server; its option origins lists those that may",
    };
  return undefined;
}

/** Whether an address can only be reached from the same machine. */
export function isLoopback(address: string): boolean {
  const name = address.toLowerCase().replace(/^\[|\]$/g, "");
  if (name === "localhost" || name.endsWith(".localhost") || name === "::1") return true;
  return /^(::ffff:)?127(\.\d{1,3}){3}$/.test(name);
}

function hostAllowed(name: string, bound: string | undefined, hosts: GuardOptions["hosts"]): boolean {
  if (hosts === "any") return true;
  if (hosts !== undefined) return hosts.some((one) => one.toLowerCase() === name);
  return bound !== undefined && !isLoopback(bound) ? true : isLoopback(name);
}

function originAllowed(
  origin: string | null | undefined,
  host: string,
  origins: GuardOptions["origins"],
): boolean {
  if (origin === null || origin === undefined || origins === "any") return true;
  // `null` is what a sandboxed frame or a file sends: it is nobody's own.
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (url === undefined || url.origin === "null") return false;
  if (origins !== undefined)
    return origins.some((one) => URL.canParse(one) && new URL(one).origin === url.origin);
  // Not every scheme takes a port: the browsers' `file:` has an origin, and no host.
  const own = `${url.protocol}//${host}`;
  return URL.canParse(own) && url.host === new URL(own).host;
}

/** The name in a Host header, in lower case; undefined where the header is none. */
function split(host: string): { readonly name: string } | undefined {
  if (!/^(\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(:\d{1,5})?$/i.test(host)) return undefined;
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return URL.canParse(`http://${host}`) ? { name } : undefined;
}
