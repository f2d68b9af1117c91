// Dialling with the `ws` package: on Node, and on Deno, whose own WebSocket sends the head of a message and its body in
// two small writes without TCP_NODELAY, so that each of more than 1 KiB waits 44 ms for the far end's delayed
// acknowledgement (Deno 2.9).
import type { Duplex } from "node:stream";
import type { Transport, TransportError } from "@sluice/transport";
import { WebSocket } from "ws";
import { dialAborted, dialFailed, labelOf, wsUrl, type DialOptions } from "./dial-options.ts";
import { withDefaults } from "./limits.ts";
import { listen, NodeSocket } from "./node-socket.ts";
import { PROTOCOLS } from "./protocols.ts";
import { WsTransport } from "./ws-transport.ts";

/**
 * Connects to a WebSocket server; settles once the connection is open.
 * @throws TransportError `connect`, or `aborted` by the signal. TypeError where the URL is none of a WebSocket's.
 */
export async function dial(given: string | URL, options: DialOptions = {}): Promise<Transport> {
  const url = wsUrl(given);
  const limits = withDefaults(options.limits);
  const { signal, protocols = PROTOCOLS } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(dialAborted(url, signal));
    const socket = new WebSocket(url, [...protocols], {
      headers: options.headers ?? {},
      maxPayload: limits.message,
      maxFragments: limits.fragments,
      perMessageDeflate: false,
    });
    const settled = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const giveUp = (error: TransportError): void => {
      reject(error);
      socket.terminate();
    };
    const onAbort = (): void => giveUp(dialAborted(url, signal!));
    const timer = setTimeout(
      () => giveUp(dialFailed(url, `no answer within ${limits.handshake} ms (limits.handshake)`)),
      limits.handshake,
    );
    // Stays: a socket that is terminated while it opens fails once more.
    socket.on("error", (error) => {
      settled();
      reject(dialFailed(url, error.message, error));
    });
    let stream: Duplex | undefined;
    socket.once("upgrade", (response) => (stream = response.socket));
    socket.once("open", () => {
      settled();
      const abort = (): void => transport.abort(dialAborted(url, signal!));
      const onOver = (): void => signal?.removeEventListener("abort", abort);
      const transport = new WsTransport(
        new NodeSocket(socket, stream),
        socket.protocol,
        labelOf(url),
        limits,
        onOver,
      );
      signal?.addEventListener("abort", abort);
      listen(socket, transport);
      resolve(transport);
    });
    signal?.addEventListener("abort", onAbort);
  });
}
