// Where requests may go. Whoever lets others choose URLs lends them its place in the network: the metadata service of its
// host, its own loopback, its company's machines (server-side request forgery). So nothing but public addresses is reached
// unless it was allowed. An address is judged when its name has been resolved, at each hop, and that very address is the
// one connected to: a name cannot change its mind in between. Where a proxy is on the way this cannot be held to: a name is
// judged here all the same, and the proxy trusted to resolve it to the same. The proxy itself is not judged: who makes the
// client has chosen it, and not who asks for requests.
import ipaddr from "ipaddr.js";
import { HttpError } from "./http-error.ts";

/** Kinds of addresses that are not public. */
export type AddressKind = "loopback" | "private" | "link-local" | "other";

export interface Destination {
  readonly url: URL;
  /** What its name was resolved to. */
  readonly address: string;
  /** 0 for the request itself, then one more for each redirect. */
  readonly hop: number;
}

export interface HttpPolicy {
  /**
   * What may be reached besides public addresses: kinds of addresses, ranges (`10.1.0.0/16`), or hosts with or without a
   * port (`build.internal`, `127.0.0.1:8080`), as a URL spells them. Default: nothing. `other` are multicast, reserved
   * and the like.
   */
  readonly allow?: readonly (AddressKind | (string & {}))[];
  /** Schemes that may be used. Default both. */
  readonly schemes?: readonly ("http" | "https")[];
  /**
   * Has the last word on what the rules above let pass: false, or an exception, refuses. Asked for each request and each
   * redirect, once for each address that its name has.
   */
  check?(destination: Destination): boolean | Promise<boolean>;
}

/** A policy, ready to judge. */
export class Policy {
  readonly #policy: HttpPolicy;
  readonly #kinds: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;
  readonly #ranges: readonly Range[];

  /** @throws TypeError where an entry of `allow` is neither a kind, a range nor a host */
  constructor(policy: HttpPolicy) {
    const entries = policy.allow ?? [];
    this.#policy = policy;
    this.#kinds = new Set(entries.filter((entry) => KINDS.has(entry)));
    this.#ranges = entries.filter((entry) => entry.includes("/")).map(range);
    this.#hosts = new Set(entries.filter((entry) => !KINDS.has(entry) && !entry.includes("/")).map(hostOf));
  }

  /** Whether each request is to be judged, whatever connection it goes over. */
  get hasCheck(): boolean {
    return this.#policy.check !== undefined;
  }

  /** @throws HttpError of kind `refused` where the URL may not be requested, whatever it resolves to */
  scheme(url: URL): void {
    const { schemes } = this.#policy;
    if (schemes !== undefined && !schemes.some((scheme) => url.protocol === `${scheme}:`))
      throw refused(`${url.protocol.slice(0, -1)} is not among policy.schemes`);
  }

  /** Those of the addresses that may be connected to. @throws HttpError of kind `refused` where none may */
  async addresses<A extends { readonly address: string }>(
    url: URL,
    hop: number,
    all: readonly A[],
  ): Promise<readonly A[]> {
    const allowed: A[] = [];
    let why = NO_ADDRESS;
    for (const one of all) {
      const kind = kindOf(one.address);
      if (kind !== "public" && !this.#allows(url, one.address, kind))
        why = `it leads to a ${kind} address: allow it by policy.allow`;
      else if (!(await this.#checked({ url, address: one.address, hop }))) why = "policy.check";
      else allowed.push(one);
    }
    if (allowed.length === 0) throw refused(why);
    return allowed;
  }

  /**
   * For what is reached through a proxy, which resolves names by itself and takes whichever address it likes: each of
   * them has to be allowed. A host that `allow` names need not be resolved here, unless there is a `check`.
   * @throws HttpError of kind `refused`, or what `resolve` threw
   */
  async behindProxy(
    url: URL,
    hop: number,
    resolve: () => Promise<readonly { readonly address: string }[]>,
  ): Promise<void> {
    if (!this.hasCheck && this.#names(url)) return;
    const all = await resolve();
    if (all.length === 0) throw refused(NO_ADDRESS);
    for (const one of all) await this.addresses(url, hop, [one]);
  }

  #names({ hostname, protocol, port }: URL): boolean {
    const at = port === "" ? DEFAULT_PORTS[protocol] : port;
    return this.#hosts.has(hostname) || this.#hosts.has(`${hostname}:${at}`);
  }

  #allows(url: URL, address: string, kind: AddressKind): boolean {
    if (this.#kinds.has(kind) || this.#names(url)) return true;
    const parsed = embedded(address);
    return this.#ranges.some(([net, bits]) => parsed?.kind() === net.kind() && parsed.match(net, bits));
  }

  async #checked(destination: Destination): Promise<boolean> {
    const { check } = this.#policy;
    if (check === undefined) return true;
    try {
      return await check(destination);
    } catch {
      return false;
    }
  }
}

/** Of what kind an address is; one that cannot be read is `other`. */
export function kindOf(address: string): AddressKind | "public" {
  const parsed = embedded(address);
  if (parsed === undefined) return "other";
  const kind = KIND_OF[parsed.range()] ?? "other";
  // RFC 4291 section 2.4: what is not special is not public yet; all that is given out begins with 001.
  const givenOut = parsed.kind() === "ipv4" || (parsed.toByteArray()[0] ?? 0) >> 5 === 1;
  return kind === "public" && !givenOut ? "other" : kind;
}

const NO_ADDRESS = "its name has no address";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

const KINDS: ReadonlySet<string> = new Set<AddressKind>(["loopback", "private", "link-local", "other"]);

const KIND_OF: Readonly<Record<string, AddressKind | "public">> = {
  unicast: "public",
  loopback: "loopback",
  unspecified: "loopback", // connecting to it reaches this host
  private: "private",
  uniqueLocal: "private",
  carrierGradeNat: "private",
  deprecatedSiteLocal: "private",
  linkLocal: "link-local",
};

/** The address, or the IPv4 one it stands for: mapped, translated (RFC 6052, 6145) or 6to4. Others that tunnel stay as they are. */
function embedded(address: string): Address | undefined {
  const bare = address.replace(/%.*$/, "");
  if (!ipaddr.isValid(bare)) return undefined;
  const parsed = ipaddr.parse(bare);
  if (parsed.kind() === "ipv4") return parsed;
  const bytes = parsed.toByteArray();
  switch (parsed.range()) {
    case "ipv4Mapped":
    case "rfc6052":
    case "rfc6145":
      return ipaddr.fromByteArray(bytes.slice(12));
    case "6to4":
      return ipaddr.fromByteArray(bytes.slice(2, 6));
    default:
      return parsed;
  }
}

function range(text: string): Range {
  try {
    return ipaddr.parseCIDR(text);
  } catch (cause) {
    throw new TypeError(`policy.allow: ${JSON.stringify(text)} is not a range such as 10.1.0.0/16`, {
      cause,
    });
  }
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

/** As a URL spells it, with the port where there is one. */
function hostOf(text: string): string {
  const url = URL.parse(`http://${text}/`);
  if (url === null || url.pathname !== "/" || url.search !== "" || url.username !== "")
    throw new TypeError(
      `policy.allow: ${JSON.stringify(text)} is neither a kind of address, a range nor a host`,
    );
  // A URL does not show its scheme's own port; of two schemes one shows it.
  const port = url.port || new URL(`https://${text}/`).port;
  return port === "" ? url.hostname : `${url.hostname}:${port}`;
}

function refused(why: string): HttpError {
  return new HttpError("refused", `http/request refused: ${why}`);
}
