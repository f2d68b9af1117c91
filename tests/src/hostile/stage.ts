// A live session on one end of a wire and a raw peer on the other, with a call of the session's on its way: whatever the
// peer does, that call settles.
import {
  assertNoLeaks,
  connect,
  serve,
  type Fault,
  type Handler,
  type Session,
  type SessionOptions,
} from "@sluice/session";
import { expect } from "vitest";
import { helloOf, RawPeer, type Json } from "./raw-peer.ts";
import { wireOf, type Kind } from "./wire.ts";

/** How the conversation opens: a plain JSON-RPC peer, or one that greets and speaks JSON or frames. */
export type Via = "plain" | "json" | "frames";

export interface StageOptions {
  readonly via?: Via;
  /** What the peer says first, in place of a notification or its hello. */
  readonly opens?: (peer: RawPeer) => void;
  readonly hello?: Readonly<Json>;
  readonly options?: SessionOptions;
  readonly handlers?: Readonly<Record<string, Handler>>;
  /** The session greets, and the peer answers. */
  readonly initiates?: boolean;
}

/** Rejections nobody has taken: there must be none. */
export const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));

export class Stage {
  readonly kind: Kind;
  readonly session: Session;
  readonly peer: RawPeer;
  readonly faults: Fault[];
  readonly failed: unknown[];
  /** Params of the calls of `hold`; each stays open until `release`. */
  readonly held: Json[];
  readonly #holds: ((result: unknown) => void)[];
  /** The session's own call. */
  readonly pending: Promise<unknown>;
  pendingId = 0;

  constructor(kind: Kind, session: Session, peer: RawPeer, told: Told) {
    this.kind = kind;
    this.session = session;
    this.peer = peer;
    this.faults = told.faults;
    this.failed = told.failed;
    this.held = told.held;
    this.#holds = told.holds;
    this.pending = session.call("ours");
    this.pending.catch(() => {});
  }

  get rules(): string[] {
    return this.faults.map(({ rule }) => rule);
  }

  release(result: unknown = null): void {
    for (const resolve of this.#holds.splice(0)) resolve(result);
  }

  /** `n` calls of `hold` run. */
  async untilHeld(n: number): Promise<void> {
    while (this.held.length < n) await this.probe();
  }

  /** A good call, answered. Everything said before it has been dealt with by then. */
  async probe(): Promise<void> {
    const id = this.peer.call("probe");
    expect((await this.peer.answer(id))["result"]).toBe("well");
  }

  /** The session goes on: calls work both ways. Then it closes and holds nothing. */
  async goesOn(): Promise<void> {
    await this.probe();
    this.peer.message({ id: this.pendingId, result: "done" });
    expect(await this.pending).toBe("done");
    this.release();
    await this.session.close();
    await this.#over();
  }

  /** The session is over for this reason, and its call was told. */
  async isClosed(reason: Json): Promise<void> {
    const error = await this.session.closed;
    expect(error).toMatchObject(reason);
    await expect(this.pending).rejects.toBe(error);
    await expect(this.session.call("more")).rejects.toBe(error);
    this.release();
    await this.#over();
  }

  async #over(): Promise<void> {
    await this.peer.untilEnd();
    await new Promise((resolve) => setImmediate(resolve));
    assertNoLeaks(this.session);
  }
}

interface Told {
  readonly faults: Fault[];
  readonly failed: unknown[];
  readonly held: Json[];
  readonly holds: ((result: unknown) => void)[];
}

function handlersOf(told: Told, more: Readonly<Record<string, Handler>> = {}): Record<string, Handler> {
  return {
    probe: () => "well",
    echo: (params: unknown) => params,
    hold: (params: Json) => {
      told.held.push(params);
      return new Promise((resolve) => told.holds.push(resolve));
    },
    ...more,
  };
}

/** A session and its peer, before anything has been said. */
export async function unopened(
  kind: Kind,
  stage: StageOptions = {},
): Promise<{ readonly peer: RawPeer; readonly opened: Promise<Session>; readonly told: Told }> {
  const told: Told = { faults: [], failed: [], held: [], holds: [] };
  const wire = await wireOf(kind);
  const open = stage.initiates === true ? connect : serve;
  const opened = open(wire.near, {
    onFault: (fault) => told.faults.push(fault),
    onHandlerError: (error) => told.failed.push(error),
    ...stage.options,
    handlers: handlersOf(told, stage.handlers),
  });
  opened.catch(() => {});
  return { peer: new RawPeer(wire, stage.options?.framing ?? "lines"), opened, told };
}

export async function open(kind: Kind, stage: StageOptions = {}): Promise<Stage> {
  const { peer, opened, told } = await unopened(kind, stage);
  const { via = "plain", opens, hello, initiates = false } = stage;
  if (opens !== undefined) opens(peer);
  else if (initiates) {
    const { id } = await peer.until((said) => said["method"] === "$/hello");
    if (via === "plain") peer.message({ id, error: { code: -32601, message: "method not found" } });
    else peer.message({ id, result: helloOf(via, hello) });
  } else if (via === "plain") peer.message({ method: "hi" });
  else peer.message({ id: 1, method: "$/hello", params: helloOf(via, hello) });
  const session = await opened;
  if (via !== "plain" && !initiates) await peer.until((said) => "result" in said);
  if (via === "frames") peer.speaks = peer.hears = true;
  peer.heard.length = 0;
  const staged = new Stage(kind, session, peer, told);
  staged.pendingId = (await peer.until((said) => said["method"] === "ours"))["id"] as number;
  return staged;
}
