// Two real ends over a link in memory: a RemoteHttp, and a script in the place of an executor.
import { codex } from "@sluice/codec";
import { connect, serve, type Handler, type Session } from "@sluice/session";
import { memoryPair, TransportError } from "@sluice/transport";
import { BODY_DELTA, CANCEL_CAPABILITY, type BodyDeltaParams } from "./http-wire.ts";
import type { Link } from "./link.ts";
import { RemoteHttp, type RemoteHttpLimits } from "./remote-http.ts";

/** `streams`: both ends greet. `deltas`: neither does, and the wire is the codex exec-server's. */
export type Wire = "streams" | "deltas";
export const WIRES: readonly Wire[] = ["streams", "deltas"];

export interface Pair {
  readonly http: RemoteHttp;
  readonly near: Session;
  readonly far: Session;
  /** The transport is lost, as it is when a process dies. */
  cut(reason: string): void;
  /** Ends both sessions. */
  close(reason?: string): Promise<void>;
}

export interface PairOptions {
  readonly limits?: Partial<RemoteHttpLimits>;
  /** Whether the far end says that it has `http/request/cancel`. Default true. */
  readonly cancels?: boolean;
  /** Sees the deltas in place of the client. */
  readonly onDelta?: (params: BodyDeltaParams) => void;
}

/** A RemoteHttp whose far end answers with these handlers. */
export async function scripted(
  wire: Wire,
  handlers: Readonly<Record<string, Handler>>,
  { limits = {}, cancels = true, onDelta }: PairOptions = {},
): Promise<Pair> {
  const dialect = { ...codex, greets: wire === "streams" };
  const [left, right] = memoryPair();
  let ids = 0;
  const opened = Promise.withResolvers<Session>();
  const link: Link = {
    session: () => opened.promise,
    capabilities: { [CANCEL_CAPABILITY]: cancels },
    nextRequestId: () => `http-${++ids}`,
  };
  const http = new RemoteHttp(link, limits);
  const message = 64 * 1024 * 1024;
  // A request whose connection is gone has nobody to answer to.
  const serving = { dialect, handlers, limits: { message, grace: 1 }, onHandlerError: (): void => {} };
  const opening = serve(right, serving);
  const notifications = onDelta === undefined ? http.notifications : { [BODY_DELTA]: onDelta };
  const near = await connect(left, { dialect, notifications, limits: { message } });
  opened.resolve(near);
  const far = await opening;
  void near.closed.then((error) => http.lost(error));
  const close = async (reason = "done"): Promise<void> => {
    await near.close(reason);
    await far.closed;
  };
  const cut = (reason: string): void => left.abort(new TransportError("aborted", reason));
  return { http, near, far, cut, close };
}
