import type { Transport } from "@sluice/transport";
import { dialFrames } from "./frames-client.ts";
import { dialMcp } from "./mcp-client.ts";
import type { DialOptions } from "./options.ts";

/**
 * A transport to a server, over HTTP. The frames wire connects when it is started, the mcp wire with its first message.
 *
 * Throws a `TypeError` where the URL is not of http or https, or the options cannot work here. A server that cannot be
 * reached, or refuses, closes it with code `connect`; one that forgot the session, with `unknown-session`. `close` sends what was
 * accepted and ends our direction; `abort` also ends the session at the server.
 */
export function dial(url: string | URL, options: DialOptions = {}): Transport {
  if (!URL.canParse(url)) throw new TypeError("dial: this is no URL");
  const target = new URL(url);
  if (target.protocol !== "http:" && target.protocol !== "https:")
    throw new TypeError(`dial: the URL has to begin with http: or https:, not ${target.protocol}`);
  if (options.upload === "stream" && options.fetch === undefined && !("process" in globalThis))
    throw new TypeError(`dial: browsers cannot upload a stream here; leave the option upload at "posts"`);
  return options.wire === "frames" ? dialFrames(target, options) : dialMcp(target, options);
}
