import type { Id } from "@sluice/codec";
import type { IncomingCall } from "./incoming.ts";

/**
 * The peer's calls that have not been answered, linked through the calls themselves. A Map would pay for every call
 * (80 ns and 300 bytes to add and take out) what only a cancel and a foreign peer's duplicate id need: to be found. They
 * look through the list, the latest first; how long it can be is a limit.
 */
export class CallList {
  #last: IncomingCall | undefined;

  add(call: IncomingCall): void {
    call.listed = true;
    call.before = this.#last;
    if (this.#last !== undefined) this.#last.after = call;
    this.#last = call;
  }

  /** Does nothing for a call that is not in it. */
  remove(call: IncomingCall): void {
    if (!call.listed) return;
    const { before, after } = call;
    if (before !== undefined) before.after = after;
    if (after !== undefined) after.before = before;
    else this.#last = before;
    call.listed = false;
    call.before = undefined;
    call.after = undefined;
  }

  /** The call with this id. Those with id null cannot be told apart, and are not found. */
  find(id: Id): IncomingCall | undefined {
    if (id === null) return undefined;
    let call = this.#last;
    while (call !== undefined && call.id !== id) call = call.before;
    return call;
  }

  /** The latest first. */
  all(): IncomingCall[] {
    const calls: IncomingCall[] = [];
    for (let call = this.#last; call !== undefined; call = call.before) calls.push(call);
    return calls;
  }

  /** Takes all out, the latest first. */
  clear(): IncomingCall[] {
    const calls: IncomingCall[] = [];
    for (let call = this.#last; call !== undefined; call = this.#last) {
      calls.push(call);
      this.remove(call);
    }
    return calls;
  }
}
