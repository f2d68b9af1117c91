// Where each thing that arrives goes. Text is a JSON-RPC message, which in the JSON encoding may itself be a frame.
import {
  cancelledId,
  DecodeError,
  encodeError,
  frameOf,
  parseMessage,
  type Batch,
  type ControlFrame,
  type Id,
  type InvalidMessage,
  type Message,
  type NotificationMessage,
} from "@sluice/codec";
import { BatchAnswer } from "./batch.ts";
import type { Core } from "./core.ts";
import type { Unit } from "./input.ts";
import { HELLO } from "./greeting.ts";
import { salvage } from "./salvage.ts";

export class Router {
  readonly #core: Core;
  readonly #passesCancels: boolean;

  /** @param passesCancels whether the peer's cancels, once taken, are notifications as well */
  constructor(core: Core, passesCancels: boolean) {
    this.#core = core;
    this.#passesCancels = passesCancels;
  }

  route(unit: Unit): void {
    if (typeof unit === "string") this.#text(unit);
    else if (unit instanceof DecodeError) this.#unreadable(unit);
    else this.#frame(unit);
  }

  #text(text: string): void {
    const core = this.#core;
    const message = parseMessage(text, core.dialect, core.limits);
    const frame = message.kind === "notification" ? this.#frameIn(message, text) : undefined;
    if (frame instanceof DecodeError) return this.#unreadable(frame);
    if (frame !== undefined) return this.#frame(frame);
    core.observer?.frame?.("in", message.kind === "batch" ? text : message);
    if (core.phase === "greeting" && core.greeter.take(message)) return;
    if (message.kind === "batch") this.#batch(message, text);
    else this.#message(message, text, undefined);
  }

  // In the JSON encoding a frame comes as a notification; in a batch, which greeted peers do not send, it is none.
  #frameIn({ method, params }: NotificationMessage, text: string): ControlFrame | DecodeError | undefined {
    if (!this.#core.greeted || !method.startsWith("$/")) return undefined;
    return frameOf(method, params, text.length);
  }

  #message(message: Message, text: string, batch: BatchAnswer | undefined): void {
    const { calls } = this.#core;
    switch (message.kind) {
      case "request":
        batch?.expect();
        if (message.method === HELLO && this.#core.dialect.greets)
          return this.#secondHello(message.id, batch);
        return calls.request(message, text, batch);
      case "notification":
        return this.#notification(message, text, batch);
      case "result":
      case "error":
        return calls.answer(message, text);
      case "invalid":
        return this.#invalid(message, text, batch);
    }
  }

  #notification(message: NotificationMessage, text: string, batch: BatchAnswer | undefined): void {
    const core = this.#core;
    const { cancel } = core.dialect;
    if (message.method === cancel?.method) {
      const id = cancelledId(cancel, message.params);
      if (id !== undefined) core.calls.cancel(id);
      else core.fault({ rule: "C3", message: "a cancel that names no call" });
      if (!this.#passesCancels) return;
    }
    batch?.expect();
    core.calls.notification(message, text.length, batch);
  }

  #batch(batch: Batch, text: string): void {
    const core = this.#core;
    if (core.greeted) {
      const error = { code: -32600, message: "greeted peers send no batches (C8)" };
      return core.calls.reply(encodeError(core.dialect, null, error));
    }
    const answers = new BatchAnswer((answer) => {
      core.outbox.message(answer);
      core.host.wake();
    });
    // Each counts its share of what waits; mentions are not spoken with a peer that sends batches.
    for (const message of batch.messages) {
      this.#message(message, text.slice(0, Math.ceil(text.length / batch.messages.length)), answers);
      if (core.error !== undefined) return;
    }
    answers.close();
  }

  #frame(frame: ControlFrame): void {
    const core = this.#core;
    core.observer?.frame?.("in", frame);
    if (!core.greeted) return core.breach("H1", `a ${frame.type} frame before the greeting`);
    switch (frame.type) {
      case "ping":
        core.outbox.pong(frame.token);
        return core.host.wake();
      case "pong":
        return; // any byte was a sign of life (L5)
      case "drain":
        return core.peerDrains(frame.call, frame.reason);
      default: {
        const error = core.streams.receive(frame, core.now);
        if (error !== undefined) core.end(error);
      }
    }
  }

  #unreadable(error: DecodeError): void {
    const core = this.#core;
    if (error.fatal) return core.unreadable(error);
    this.#invalid({ kind: "invalid", id: null, answers: false, error }, "{", undefined);
  }

  #invalid(message: InvalidMessage, text: string, batch: BatchAnswer | undefined): void {
    const core = this.#core;
    const { error, id } = message;
    core.fault({ rule: error.rule, message: error.message, excerpt: error.excerpt() });
    if (core.error !== undefined) return;
    if (message.answers) return core.calls.malformedAnswer(message);
    if (core.phase === "greeting") return; // H1: nothing is sent before the greeting is over
    const unread =
      error.rule === "limits.depth" || error.rule === "limits.values"
        ? text
        : error.rule === "limits.message"
          ? error.excerpt()
          : "";
    if (id === null && batch === undefined && unread !== "" && this.#salvaged(error, unread)) return;
    // A line that does not even begin like JSON is a stray print: reported, and not answered.
    if (batch === undefined && !/^\s*[[{"\d\-tfn]/.test(text)) return;
    batch?.expect();
    core.calls.reply(encodeError(core.dialect, id, { code: error.code, message: error.message }), batch);
  }

  // True where whoever waits for the message has been told.
  #salvaged(error: DecodeError, text: string): boolean {
    const core = this.#core;
    const found = salvage(text);
    if (found === undefined) return false;
    if ("type" in found) {
      if (!core.greeted) return false;
      if (text.length > 2 * found.size + 1024) core.breach("S5", "an item larger than it says");
      else this.#frame(found);
    } else if (found.kind === "answer")
      core.calls.malformedAnswer({ kind: "invalid", id: found.id, answers: true, error });
    else if (core.calls.isFree(found.id))
      core.calls.reply(encodeError(core.dialect, found.id, { code: error.code, message: error.message }));
    else return false;
    return true;
  }

  // H1: nothing changes after the greeting.
  #secondHello(id: Id, batch: BatchAnswer | undefined): void {
    const core = this.#core;
    core.calls.reply(encodeError(core.dialect, id, { code: -32600, message: "greeted already (H1)" }), batch);
  }
}
