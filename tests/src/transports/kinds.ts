// The transports there are between processes: what both ends of each need. The fixtures are those of their packages.
import * as http from "@sluice/http";
import type { Transport } from "@sluice/transport";
import { asText } from "@sluice/transport/compliance";
import * as ws from "@sluice/ws";
import type { Runtime } from "./runtimes.ts";

export const KINDS = ["ws sluice.v1", "ws jsonrpc", "http frames", "http mcp"] as const;
export type KindName = (typeof KINDS)[number];

/** A server that runs in this process. */
export interface Listening {
  readonly url: string;
  readonly sessions: number;
  close(): Promise<void>;
}

/** How long a server waits, in ms; both as in the limits of their packages. */
export interface Patience {
  /** For a client that could come back (http mcp). */
  readonly idle: number;
  /** For a sign of life (ws). */
  readonly heartbeat?: number;
}

export interface Kind {
  /** The folder of the package and what its fixtures `serve-compliance` and `dial-compliance` are given. */
  readonly fixtures: string;
  readonly args: readonly string[];
  /** Whether one direction can end alone. */
  readonly halfCloses: boolean;
  dial(url: string): Promise<Transport>;
  serve(onSession: (transport: Transport) => void, patience: Patience): Promise<Listening>;
  /** The transport as the cases of the compliance kit need it, which send what is no JSON. */
  asCase(transport: Transport, end: "client" | "server"): Transport;
  /** Why a case takes too long here, if it does. */
  slow?(name: string, near: "client" | "server"): string | undefined;
  /** Whether an end that pauses holds its sender back. */
  holdsBack(end: "client" | "server", runtime: Runtime): boolean;
}

const asItIs = (transport: Transport): Transport => transport;
const inJson = (transport: Transport, end: "client" | "server"): Transport =>
  asText(transport, end === "client" ? "initiator" : "acceptor");

function websocket(protocol: "sluice.v1" | "jsonrpc"): Kind {
  return {
    fixtures: "../../../packages/ws/src/fixtures",
    args: ["--protocol", protocol],
    halfCloses: protocol === "sluice.v1",
    dial: (url) => ws.dial(url, { protocols: [protocol] }),
    serve: (onSession, { heartbeat = ws.WS_LIMITS.heartbeat }) =>
      ws.serve({ protocols: [protocol], onSession, limits: { heartbeat } }),
    asCase: protocol === "jsonrpc" ? inJson : asItIs,
    // The standard WebSocket, which Deno has on both sides, cannot be paused, nor can Bun's at the server.
    holdsBack: (end, runtime) => runtime === "node" || (runtime === "bun" && end === "client"),
  };
}

/** How long a client waits for a server it could go on with (http mcp); its default is minutes. */
const RESUMING = { backoff: [10, 100] as const, retries: 3 };

function overHttp(wire: "frames" | "mcp"): Kind {
  return {
    fixtures: "../../../packages/http/src/fixtures",
    args: ["--wire", wire],
    halfCloses: true,
    dial: async (url) => http.dial(url, { wire, ...(wire === "mcp" && { limits: RESUMING }) }),
    serve: (onSession, { idle }) => http.serve({ onSession, limits: { idle } }),
    asCase: wire === "mcp" ? inJson : asItIs,
    holdsBack: () => true,
    slow: (name, near) =>
      wire === "mcp" && near === "server" && name.startsWith("a hundred thousand")
        ? "a client sends each message in a POST of its own, and a hundred thousand take most of a minute"
        : undefined,
  };
}

export const kinds: Readonly<Record<KindName, Kind>> = {
  "ws sluice.v1": websocket("sluice.v1"),
  "ws jsonrpc": websocket("jsonrpc"),
  "http frames": overHttp("frames"),
  "http mcp": overHttp("mcp"),
};

/** The kinds whose name begins so: `ws` is both of its wires. */
export function kindsOf(name: string | undefined): readonly KindName[] {
  const found = KINDS.filter((kind) => name === undefined || kind === name || kind.startsWith(`${name} `));
  if (found.length === 0)
    throw new Error(`there is no transport "${name}"; there are ws, http, ${KINDS.join(", ")}`);
  return found;
}
