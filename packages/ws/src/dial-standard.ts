// Dialling with the standard WebSocket, as browsers, Deno and Bun have it.
import { TransportError, type Transport } from "@sluice/transport";
import { dialAborted, dialFailed, labelOf, wsUrl, type DialOptions } from "./dial-options.ts";
import { withDefaults } from "./limits.ts";
import { PROTOCOLS } from "./protocols.ts";
import { listen, StandardSocket, type MoreAbilities } from "./standard-socket.ts";
import { WsTransport } from "./ws-transport.ts";

/** Makes the runtime's WebSocket. */
export type Construct = (url: URL, protocols: readonly string[]) => WebSocket & MoreAbilities;

export async function dialWith(
  given: string | URL,
  options: DialOptions,
  construct: Construct,
): Promise<Transport> {
  const url = wsUrl(given);
  const limits = withDefaults(options.limits);
  const { signal, protocols = PROTOCOLS } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(dialAborted(url, signal));
    const socket = construct(url, protocols);
    socket.binaryType = "arraybuffer";
    const settle = (error?: TransportError): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.removeEventListener("open", onOpen);
      socket.removeEventListener("error", onError);
      socket.removeEventListener("close", onClose);
      if (error === undefined) return;
      // A socket that is still opening has nothing to say when it is dropped.
      socket.addEventListener("error", () => {});
      socket.close();
      reject(error);
    };
    const onAbort = (): void => settle(dialAborted(url, signal!));
    let cause: unknown;
    const onError = (event: Event): void => {
      cause = (event as { error?: unknown }).error ?? (event as { message?: string }).message;
    };
    const onClose = (): void =>
      settle(
        dialFailed(
          url,
          "it is not there, or refused the handshake or the subprotocol (WebSockets are not told which)",
          cause,
        ),
      );
    const onOpen = (): void => {
      // Not every runtime looks.
      const { protocol } = socket;
      if (protocol === "" ? protocols.length > 0 : !protocols.includes(protocol))
        return settle(dialFailed(url, "the server chose none of the subprotocols that were offered"));
      settle();
      const transport = new WsTransport(new StandardSocket(socket), protocol, labelOf(url), limits, () =>
        signal?.removeEventListener("abort", abort),
      );
      const abort = (): void => transport.abort(dialAborted(url, signal!));
      signal?.addEventListener("abort", abort);
      listen(socket, transport);
      resolve(transport);
    };
    const timer = setTimeout(
      () => settle(dialFailed(url, `no answer within ${limits.handshake} ms (limits.handshake)`)),
      limits.handshake,
    );
    signal?.addEventListener("abort", onAbort);
    socket.addEventListener("open", onOpen);
    socket.addEventListener("error", onError);
    socket.addEventListener("close", onClose);
  });
}
