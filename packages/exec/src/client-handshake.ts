// From a transport to a session in which the executor takes calls: our own greeting (which a codex exec-server answers
// with "method not found", and is then spoken to as such), `initialize`, `initialized`.
import { codex, connect, RpcError, type Session, type SessionOptions } from "@sluice/session";
import type { Transport } from "@sluice/transport";
import { RESERVED, admission } from "./client-admission.ts";
import { callError, ExecError } from "./client-error.ts";
import type { ExecLimits } from "./client-limits.ts";
import { decode, environmentInfo, initialized, type EnvironmentInfo } from "./client-wire.ts";
import { LONGEST } from "./timer.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** Gives a transport. `signal` aborts when it is not wanted any more; what comes later is let go of. */
export type Dial = (signal: AbortSignal) => Transport | Promise<Transport>;

export interface HandshakeOptions {
  readonly clientName: string;
  /** `auto`: we greet first. `codex`: nothing of ours is ever sent. */
  readonly wire: "auto" | "codex";
  readonly limits: ExecLimits;
  /** What is handed to the session as it is. */
  readonly session: Pick<
    SessionOptions,
    "handlers" | "fallback" | "notifications" | "fallbackNotification" | "observer" | "onHandlerError"
  >;
}

/** A session whose handshake is over. */
export interface Connection {
  readonly session: Session;
  readonly sessionId: string;
  readonly environment: EnvironmentInfo | undefined;
}

/**
 * Dials and shakes hands, within `limits.handshake`. Aborting `signal` gives it up with its reason.
 * @param resume the session to go on with; without, a new one.
 * @throws ExecError, or what `dial` threw.
 */
export async function handshake(
  dial: Dial,
  options: HandshakeOptions,
  resume: string | undefined,
  signal: AbortSignal,
): Promise<Connection> {
  const { handshake: ms } = options.limits;
  const abort = new AbortController();
  const late = new ExecError("timeout", `no handshake within ${ms} ms (limits.handshake)`);
  const timer = setTimeout(() => abort.abort(late), Math.min(ms, LONGEST));
  const either = AbortSignal.any([signal, abort.signal]);
  let session: Session | undefined;
  try {
    const transport = await dialled(dial, either);
    const given = new AbortController();
    const onAbort = (): void => given.abort();
    either.addEventListener("abort", onAbort, { once: true });
    try {
      // The peer of a session is known when its first call is made.
      const largest = (): number | undefined =>
        session?.peer === undefined ? plainLimit(transport, options.limits) : undefined;
      session = await connect(transport, {
        ...sessionOptions(options),
        interceptOutgoing: [admission(options.limits.calls, largest)],
        signal: given.signal,
      });
      return await initialize(session, options, resume);
    } finally {
      // From here on the session's life is its holder's.
      either.removeEventListener("abort", onAbort);
    }
  } catch (error) {
    await session?.close("the handshake failed");
    if (either.aborted) throw either.reason;
    throw callError(error, "the greeting");
  } finally {
    clearTimeout(timer);
  }
}

function sessionOptions({ clientName, wire, limits, session }: HandshakeOptions): SessionOptions {
  const { message, calls } = limits;
  return {
    ...session,
    name: clientName,
    dialect: { ...codex, greets: wire === "auto" },
    // Calls are refused at half of the outbox: one of the largest messages must not do that to those beside it.
    limits: { message, pending: calls + RESERVED, outbox: 4 * message, window: limits.window },
  };
}

function plainLimit({ unit }: Transport, { message, codexFrame }: ExecLimits): number {
  return unit === "messages" ? Math.min(message, codexFrame) : message;
}

async function initialize(
  session: Session,
  { clientName }: HandshakeOptions,
  resume: string | undefined,
): Promise<Connection> {
  const params = { clientName, ...(resume !== undefined && { resumeSessionId: resume }) };
  const answer = await session.call("initialize", params).catch((error: unknown) => {
    throw callError(error, "initialize");
  });
  const { sessionId, environmentInfo: info } = decode(initialized, answer, "the answer to initialize");
  if (resume !== undefined && sessionId !== resume)
    throw new ExecError(
      "protocol",
      "exec-server initialized an unexpected session: another than was to resume",
    );
  await session.notify("initialized", {});
  return { session, sessionId, environment: await environmentOf(session, info) };
}

/** Older executors tell it only when asked, and the oldest not at all. */
async function environmentOf(session: Session, told: unknown): Promise<EnvironmentInfo | undefined> {
  const info = told ?? (await session.call("environment/info", {}).catch(unlessRefused));
  return info === undefined ? undefined : decode(environmentInfo, info, "environmentInfo");
}

function unlessRefused(error: unknown): undefined {
  if (!(error instanceof RpcError)) throw callError(error, "environment/info");
}

/** What `dial` gives, unless `signal` aborts first; then what it gives is let go of when it comes. */
async function dialled(dial: Dial, signal: AbortSignal): Promise<Transport> {
  const transport = (async (): Promise<Transport> => dial(signal))();
  try {
    return await unlessAborted(transport, signal);
  } catch (error) {
    transport.then(letGo, () => {});
    throw error;
  }
}

// A transport has to be started before it can be let go of.
function letGo(transport: Transport): void {
  transport.start({ onData() {}, onDrain() {}, onEnd() {}, onClose() {} });
  transport.abort();
}
