// Which proxy an environment names for a URL, by curl's rules (curl(1), "Environment"; its noproxy.c): variables in lower
// case before those in upper case, but `http_proxy` in lower case alone: to a program that a web server starts, HTTP_PROXY
// is a header of whoever asked (CVE-2016-5385, httpoxy). Beyond curl, an exception may name a port and begin with `*.`.
import ipaddr from "ipaddr.js";
import type { ProxyOf } from "./local-proxy.ts";

/**
 * Reads `http_proxy`, `https_proxy` and `HTTPS_PROXY`, `all_proxy` and `ALL_PROXY` for both, and the exceptions of
 * `no_proxy` and `NO_PROXY`: `*` for all; else, with commas or spaces between them, hosts with all below them, addresses
 * and ranges (`10.0.0.0/8`), each with or without a port. An empty variable is none; a proxy without a scheme is `http:`.
 *
 * @param env read once; most often `process.env`
 */
export function proxyFromEnvironment(env: Readonly<Record<string, string | undefined>>): ProxyOf {
  const read = (name: string): string => env[name] || env[name.toUpperCase()] || "";
  const all = read("all_proxy");
  const http = withScheme(env["http_proxy"] || all);
  const https = withScheme(read("https_proxy") || all);
  const exceptions = read("no_proxy").trim();
  if (exceptions === "*") return () => undefined;
  const direct = exceptions.split(/[\s,]+/).map(exception);
  return (url) => {
    const destination = destinationOf(url);
    if (direct.some((covers) => covers(destination))) return undefined;
    return url.protocol === "https:" ? https : http;
  };
}

interface Destination {
  /** In lower case, without brackets and the dot at its end. */
  readonly host: string;
  readonly port: number;
  /** Where the host is one. */
  readonly address: Address | undefined;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Covers = (destination: Destination) => boolean;

function withScheme(proxy: string): string | undefined {
  if (proxy === "") return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

function destinationOf({ protocol, hostname, port }: URL): Destination {
  const host = bare(hostname);
  return {
    host,
    port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port),
    address: ipaddr.isValid(host) ? ipaddr.process(host) : undefined,
  };
}

/** One entry of the list. One that makes no sense covers nothing. */
function exception(text: string): Covers {
  const [, named = text, digits] = /^(\[.*\]|[^:]*):(\d+)$/.exec(text) ?? [];
  const covers = hostException(bare(named).replace(/^\*?\./, ""));
  const port = digits === undefined ? undefined : Number(digits);
  return (destination) => (port === undefined || port === destination.port) && covers(destination);
}

function hostException(text: string): Covers {
  if (text === "") return () => false;
  const range = rangeOf(text);
  if (range !== undefined) {
    const [net, bits] = range;
    return ({ address }) => address?.kind() === net.kind() && address.match(net, bits);
  }
  // As a URL spells it, in other scripts than Latin, too.
  const host = URL.parse(`http://${text}/`)?.hostname ?? text;
  return (destination) => destination.host === host || destination.host.endsWith(`.${host}`);
}

/** A range, or an address as a range of itself alone. */
function rangeOf(text: string): [Address, number] | undefined {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (!ipaddr.isValid(text)) return undefined;
  const address = ipaddr.process(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

function bare(host: string): string {
  return host.toLowerCase().replaceAll(/^\[|\]$|\.$/g, "");
}
