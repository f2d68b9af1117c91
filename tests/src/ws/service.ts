// A server of Sluice's over WebSocket, and its session with each client in the order they came.
import { serve as answer, type Session, type SessionOptions } from "@sluice/session";
import type { Chunk, Transport } from "@sluice/transport";
import { serve, type ServeOptions, type Server } from "@sluice/ws";

export interface Service extends AsyncDisposable {
  readonly server: Server;
  /** The next client's session; it settles once the client has greeted, or said anything else. */
  session(): Promise<Session>;
}

export async function service(
  session: SessionOptions = {},
  serving: Partial<ServeOptions> = {},
  wrap: (transport: Transport) => Transport = (transport) => transport,
): Promise<Service> {
  const waiting: ((opening: Promise<Session>) => void)[] = [];
  const come: Promise<Session>[] = [];
  const server = await serve({
    onSession(transport) {
      const opening = answer(wrap(transport), { onHandlerError: () => {}, ...session });
      opening.catch(() => {});
      const first = waiting.shift();
      if (first === undefined) come.push(opening);
      else first(opening);
    },
    ...serving,
  });
  return {
    server,
    session: () => come.shift() ?? new Promise((resolve) => waiting.push((opening) => resolve(opening))),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** What has gone through a transport, in order, each message as `text` or its bytes. */
export interface Tapped {
  readonly sent: Chunk[];
  readonly received: Chunk[];
}

export function tap(transport: Transport, tapped: Tapped): Transport {
  return {
    unit: transport.unit,
    label: transport.label,
    ...(transport.encoding && { encoding: transport.encoding }),
    start: (events) =>
      transport.start({
        onData(chunk) {
          tapped.received.push(chunk);
          events.onData(chunk);
        },
        onDrain: () => events.onDrain(),
        onEnd: () => events.onEnd(),
        onClose: (error) => events.onClose(error),
      }),
    write(chunks) {
      tapped.sent.push(...chunks.map((chunk) => (typeof chunk === "string" ? chunk : chunk.slice())));
      return transport.write(chunks);
    },
    pause: () => transport.pause(),
    resume: () => transport.resume(),
    close: (reason, cause) => transport.close(reason, cause),
    abort: (error) => transport.abort(error),
  };
}
