// Programs for chains: an agent that answers prompts, proxies that change what passes, peers that speak one spelling alone, and a
// peer that says exactly what the test tells it.
import { RpcError } from "@sluice/session";
import type { Builder, Component, ConnectionTo, ConnectOptions, Dispatch } from "@sluice/session/builder";
import { messageOf, request } from "@sluice/session/builder";
import { memoryPair, type Transport } from "@sluice/transport";
import {
  Agent,
  Client,
  InitializeRequest,
  NewSessionRequest,
  PromptRequest,
  Proxy,
  SessionNotification,
  textOf,
  Untyped,
  type Spelling,
} from "./index.ts";

export type Json = Record<string, unknown>;

/** A text of the agent's, as an update. */
export function saying(sessionId: string, text: string): SessionNotification {
  return { sessionId, update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text } } };
}

/** Answers a prompt with its text; keeps the methods and params it has been asked. */
export function echo(seen: Json[] = []): Builder {
  return Agent.builder()
    .withHandler((dispatch) => {
      if (dispatch.kind !== "response") seen.push({ method: dispatch.method, params: dispatch.params });
      return { handled: false };
    })
    .onReceiveRequest(InitializeRequest, (_, responder) => responder.respond({ protocolVersion: 1 }))
    .onReceiveRequest(NewSessionRequest, (_, responder) => responder.respond({ sessionId: "s1" }))
    .onReceiveRequest(PromptRequest, async ({ sessionId, prompt }, responder, cx) => {
      const [block] = prompt;
      const text = block?.type === "text" ? (block as { text: string }).text : "";
      await cx.sendNotification(SessionNotification, saying(sessionId, text));
      responder.respond({ stopReason: "end_turn" });
    });
}

/** Puts a sign before every text of the agent's. */
export function arrow(sign: string = ">"): Component {
  return Proxy.builder().onReceiveNotificationFrom(Agent, SessionNotification, (notification, cx) =>
    cx.sendNotificationTo(Client, SessionNotification, {
      ...notification,
      ...saying(notification.sessionId, sign + textOf(notification.update)),
    }),
  );
}

/** What a client gets that initializes, asks for a session and says `hi`. */
export function ask(target: Component | Transport): Promise<string> {
  return Client.builder().connectWith(target, async (cx) => {
    await cx.sendRequest(InitializeRequest, { protocolVersion: 1 }).result();
    return cx.buildSession("/").runUntil((session) => session.prompt("hi").readToString());
  });
}

export interface OtherProxy {
  readonly spelling: Spelling;
  /** What it does with a method it does not know, from the client's side. */
  readonly unknown: "refused" | "passed on";
  /** How it cancels what it has asked its successor. */
  readonly cancels: "raw" | "wrapped";
}

/** A proxy that knows one spelling, made of nothing but JSON-RPC. Passes everything on; keeps what it hears. */
export function otherProxy({ spelling, unknown, cancels }: OtherProxy, heard: Json[] = []): Component {
  const successor = `${spelling}/successor`;
  const forward = (
    dispatch: Exclude<Dispatch, { kind: "response" }>,
    cx: ConnectionTo,
  ): Promise<void> | void => {
    const message = messageOf(dispatch);
    if (dispatch.kind === "notification") {
      if (message.method.startsWith("$/")) return undefined;
      return cx.sendNotification({ kind: "notification", method: successor }, message);
    }
    const sent = cx.sendRequest(request(successor), message);
    dispatch.responder.keep();
    if (cancels === "raw") return sent.forwardTo(dispatch.responder);
    dispatch.responder.onCancel(() => {
      const cancel = { method: "$/cancel_request", params: { requestId: sent.id } };
      void cx.sendNotification({ kind: "notification", method: successor }, cancel);
    });
    sent.onReceivingResult((outcome) => dispatch.responder.respondWithResult(outcome));
    return undefined;
  };
  return Untyped.builder().withHandler((dispatch, cx) => {
    if (dispatch.kind === "response") return cx.sendProxiedMessage(dispatch);
    heard.push({ method: dispatch.method, params: dispatch.params });
    if (dispatch.method === successor) {
      const { method, params } = dispatch.params as { method: string; params?: Json };
      return cx.sendProxiedMessage({ ...dispatch, method, params });
    }
    if (dispatch.method === `${spelling}/initialize`)
      return forward({ ...dispatch, method: "initialize" }, cx);
    if (/^_?proxy\//.test(dispatch.method) && unknown === "refused")
      throw new RpcError(-32601, "what is this?");
    return forward(dispatch, cx);
  });
}

/** Says exactly what it is told, message by message, and keeps what it hears. */
export class Wire {
  /** The end for what is tested. */
  readonly transport: Transport;
  readonly heard: Json[] = [];
  ended: "no" | "yes" = "no";
  readonly #ours: Transport;
  #waiting: (() => void)[] = [];

  constructor() {
    const [theirs, ours] = memoryPair({ unit: "messages" });
    this.transport = theirs;
    this.#ours = ours;
    const tell = (): void => {
      for (const resolve of this.#waiting.splice(0)) resolve();
    };
    ours.start({
      onData: (text) => {
        this.heard.push(JSON.parse(text as string) as Json);
        tell();
      },
      onDrain: () => {},
      onEnd: () => {
        this.ended = "yes";
        ours.close();
        tell();
      },
      onClose: tell,
    });
  }

  /** Says these in one turn; an array is a batch. */
  say(...messages: readonly (Json | readonly Json[])[]): void {
    this.#ours.write(messages.map((message) => JSON.stringify(message)));
  }
  request(id: string | number, method: string, params: unknown = {}): void {
    this.say({ jsonrpc: "2.0", id, method, params });
  }
  notify(method: string, params: unknown = {}): void {
    this.say({ jsonrpc: "2.0", method, params });
  }
  end(): void {
    this.#ours.close();
  }
  abort(): void {
    this.#ours.abort();
  }

  /** The next message it has not returned yet that `is` is true of. Throws where the other end has ended before. */
  async next(is: (message: Json) => boolean = () => true): Promise<Json> {
    for (;;) {
      const at = this.heard.findIndex(is);
      if (at >= 0) return this.heard.splice(at, 1)[0]!;
      if (this.ended === "yes") throw new Error("it ended before it said that");
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
  answer(id: string | number): Promise<Json> {
    return this.next((message) => message["id"] === id && message["method"] === undefined);
  }
  called(method: string): Promise<Json & { readonly id: number; readonly params: Json }> {
    return this.next((message) => message["method"] === method) as never;
  }
  /** Settles once the other end has ended. */
  async over(): Promise<void> {
    while (this.ended === "no") await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** Some leave before they are answered. */
export const quietly: ConnectOptions = { onHandlerError: () => {}, limits: { grace: 1 } };

/** A part that is spoken to by the test, and the first thing it hears. */
export function listener(): { readonly part: Component; readonly wire: Promise<Wire> } {
  const { opened, open } = gate<Wire>();
  const part: Component = {
    connectTo: (transport) => {
      const wire = new Wire();
      open(wire);
      return pipe(transport, wire);
    },
  };
  return { part, wire: opened };
}

/** Joins a transport to a wire. */
function pipe(transport: Parameters<Component["connectTo"]>[0], wire: Wire): Promise<void> {
  const other = wire.transport;
  return new Promise((resolve) => {
    transport.start({
      onData: (chunk) => void other.write([chunk]),
      onDrain: () => {},
      onEnd: () => other.close(),
      onClose: () => resolve(),
    });
    other.start({
      onData: (chunk) => void transport.write([chunk]),
      onDrain: () => {},
      onEnd: () => transport.close(),
      onClose: (error) => (error === undefined ? transport.close() : transport.abort(error)),
    });
  });
}

/** A client of a conductor, as the test speaks it. */
export function client(conductor: Component): { readonly wire: Wire; readonly over: Promise<unknown> } {
  const wire = new Wire();
  const over = conductor.connectTo(wire.transport, quietly).catch((error: unknown) => error);
  return { wire, over };
}

/** A promise and what settles it. */
export function gate<T = void>(): { readonly opened: Promise<T>; open(value: T): void } {
  let open!: (value: T) => void;
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Lets everything run that is due: as many turns of the event loop. */
export async function quiet(turns = 8): Promise<void> {
  for (let turn = 0; turn < turns; turn++)
    await new Promise<void>((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener("message", () => {
        port1.close();
        resolve();
      });
      port1.start();
      port2.postMessage(0);
    });
}
