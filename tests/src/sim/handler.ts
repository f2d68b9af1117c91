// What one end does with the other's calls: it answers at once, late, twice, never, or with what JSON cannot write.
import { CancelledError, RpcError, type IncomingCall, type IncomingNotification } from "@sluice/core";
import type { End } from "./end.ts";
import type { Random } from "./random.ts";
import type { CallRecord } from "./record.ts";
import { canonical, randomValue, Received } from "./value.ts";
import { check } from "./violation.ts";

interface Head {
  readonly token: number;
  /** How many answers its sender had given before. */
  readonly after: number;
  readonly seq: number;
}

interface Running {
  readonly call: IncomingCall;
  readonly record: CallRecord;
  readonly random: Random;
}

export class Handler {
  readonly #end: End;
  readonly #running: Set<Running> = new Set();
  readonly #notifications: Set<() => void> = new Set();
  /** The calls this end has answered, in the order of its answers. */
  readonly answered: (CallRecord | undefined)[] = [];
  #seen = 0;
  #highest = -1;
  #notified = 0;

  constructor(end: End) {
    this.#end = end;
  }

  get answers(): number {
    return this.answered.length;
  }
  get running(): Iterable<Running> {
    return this.#running;
  }

  call(call: IncomingCall): void {
    const end = this.#end;
    const { head, value } = split(call.params);
    const record = end.world.ledger.calls[head.token];
    check(record !== undefined && record.from === end.peer, "calls", `a call ${head.token} that nobody made`);
    end.note("runs", head.token);
    check(++record.ran === 1, "once", `call ${head.token} ran twice`);
    record.handler = "running";
    this.#inOrder(head, `call ${head.token}`);
    const params = canonical(value);
    check(
      params === record.params,
      "S1",
      () => `call ${head.token}: params ${params}, sent ${record.params}`,
    );
    const random = end.world.callRandom(head.token);
    const running: Running = { call, record, random };
    this.#running.add(running);
    call.onCancel = (reason) => this.#cancelled(running, reason);
    if (random.chance(80)) this.take(value, random);
    const kind = end.world.over ? "now" : random.pick(["now", "now", "late", "late", "never", "react"]);
    if (kind === "now") this.#answer(running);
    else if (kind !== "never") end.world.clock.after(random.below(30), () => this.#answer(running));
    if (kind === "react") end.world.react(end, head.token);
  }

  notification(notification: IncomingNotification): void {
    const end = this.#end;
    const { message } = notification;
    const done = (): void => notification.done();
    check(message.method === "note", "calls", `a notification ${message.method} that nobody made`);
    const { text, value, ...head } = message.params as unknown as Head & { text: string; value: unknown };
    end.note("notified", head.seq);
    this.#notified++;
    this.#inOrder(head, `notification ${head.seq}`);
    check(
      canonical(value) === text,
      "S1",
      () => `notification ${head.seq}: ${canonical(value)}, sent ${text}`,
    );
    if (end.world.over || end.random.chance(60)) return done();
    const settle = (): void => {
      if (this.#notifications.delete(settle)) end.enter("done", head.seq, done);
    };
    this.#notifications.add(settle);
    if (end.random.chance(70)) end.world.clock.after(end.random.below(30), settle);
    else if (end.random.chance(30)) done(); // and once more later
  }

  /** Uses the streams in a value, or, given `random`, some of them. */
  take(value: unknown, random: Random | undefined): void {
    if (value instanceof Received) {
      if (random === undefined || random.chance(80)) this.#end.use(value.half);
    } else if (typeof value === "object" && value !== null)
      for (const inner of Object.values(value)) this.take(inner, random);
  }

  /** A notification for which there was no room. */
  lost(): void {
    this.#notified++;
  }
  checkNotified(): void {
    const { notified } = this.#end.peer.requester;
    check(
      this.#notified === notified,
      "order",
      `${this.#end.name} got ${this.#notified} of ${notified} notifications`,
    );
  }

  /** The program is over: answer everything. */
  finish(): void {
    // Each takes itself out.
    for (const running of this.#running) this.#answer(running);
    for (const settle of this.#notifications) settle();
  }

  #answer(running: Running): void {
    if (!this.#running.has(running)) return;
    const { call, record, random } = running;
    const end = this.#end;
    end.enter("answer", record.token, () => {
      const at = this.answered.push(record) - 1;
      // Where streams matter most calls succeed, or none would live long.
      const how = random.below(end.world.setup.kind === "streams" ? 8 : 10);
      // Before it is given: giving it may settle other things that look at it.
      const before = record.answer;
      let taken: boolean;
      if (how < 7) {
        const value = randomValue(random, end, random.chance(50) ? random.between(0, 2) : 0);
        record.answer = { result: canonical(value) };
        taken = call.succeed({ token: record.token, value });
      } else if (how === 7) {
        // What JSON cannot write, or the peer does not take.
        const tooLarge =
          end.core.peer !== undefined && end.core.peer.limits.message < 70_000 && random.chance(50);
        record.answer = { code: -32_603 };
        taken = call.succeed(tooLarge ? "x".repeat(70_000) : { big: 7n });
      } else if (how < 9) {
        record.answer = { code: 4000 + record.token };
        const text = random.chance(20) ? "é".repeat(40_000) : "no";
        taken = call.fail(new RpcError(4000 + record.token, text, { token: record.token, text }));
      } else {
        record.answer = { code: -32_603 };
        taken = call.fail(call.cancelled ?? new Error("thrown"));
        if (call.cancelled instanceof CancelledError) record.answer = { code: -32_800 };
      }
      this.#running.delete(running);
      if (taken) record.handler = "answered";
      else {
        this.answered[at] = undefined;
        record.answer = before;
        check(call.isOver, "once", `call ${record.token} refused its first answer`);
      }
      check(
        !call.succeed("again") && !call.fail(new Error("again")),
        "C2",
        `call ${record.token} was answered twice`,
      );
    });
  }

  #cancelled(running: Running, reason: Error): void {
    const { record, random } = running;
    this.#end.note("aborted", record.token);
    check(
      ++record.aborted === 1,
      "onCancel",
      () => `call ${record.token} was aborted twice: ${reason.message}`,
    );
    if (random.chance(50)) this.#end.world.clock.after(random.below(3), () => this.#answer(running));
    else if (random.chance(30)) this.#answer(running);
  }

  // Requests and notifications start in the order they were sent, and after the answers that came before them.
  #inOrder({ seq, after }: Head, what: string): void {
    const { peer } = this.#end;
    check(seq > this.#highest, "order", `${what} started after one that was sent later`);
    this.#highest = seq;
    for (; this.#seen < after; this.#seen++) {
      const record = peer.handler.answered[this.#seen];
      if (record === undefined) continue;
      check(
        record.settled === 1,
        "order",
        `${what} started before call ${record.token} was settled, answered earlier`,
      );
      check(
        record.continued || record.givenUp,
        "order",
        `${what} started before the continuation of call ${record.token}`,
      );
    }
  }
}

function split(params: unknown): { head: Head; value: unknown } {
  if (Array.isArray(params)) return { head: params[0] as Head, value: params[1] };
  return { head: params as Head, value: (params as { value: unknown }).value };
}
