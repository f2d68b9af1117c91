// The calls and notifications one end makes, and what becomes of them.
import { CancelledError, RefusedError, RpcError, type CallOptions, type OutgoingCall } from "@sluice/core";
import type { End } from "./end.ts";
import type { Random } from "./random.ts";
import type { CallRecord } from "./record.ts";
import { canonical, randomValue } from "./value.ts";
import { check } from "./violation.ts";

interface Open {
  readonly record: CallRecord;
  call: OutgoingCall | undefined;
}

/** Codes that say that a call did not run. */
const UNRUN: ReadonlySet<number> = new Set([-32_011, -32_012, -32_013, -32_601]);
/** Codes a session answers with by itself. */
const OWN: ReadonlySet<number> = new Set([-32_011, -32_012, -32_603, -32_800]);

export class Requester {
  readonly #end: End;
  readonly #open: Set<Open> = new Set();
  /** Settled inside the verb that is running: their continuations come after it. */
  #settled: CallRecord[] = [];
  #sent = 0;
  /** How many notifications have been sent. */
  notified = 0;

  constructor(end: End) {
    this.#end = end;
  }

  get pending(): number {
    return this.#open.size;
  }

  call(random: Random): void {
    const end = this.#end;
    const { world } = end;
    const streams = random.chance(world.setup.kind === "streams" ? 90 : 40) ? random.between(1, 3) : 0;
    const value = randomValue(random, end, streams);
    const record = world.ledger.call(end, canonical(value));
    const open: Open = { record, call: undefined };
    const waiter = {
      result: (result: unknown): void => this.#result(open, result),
      error: (error: Error): void => this.#error(open, error),
    };
    const options: CallOptions = random.chance(15)
      ? { timeout: random.pick([0, 0.5, 1, 10, 50]), now: world.clock.now }
      : {};
    const head = { token: record.token, after: end.handler.answers, seq: this.#sent++ };
    const params = random.chance(70) ? { ...head, value } : [head, value];
    this.#open.add(open);
    end.enter("call", record.token, () => {
      open.call = end.core.call("work", params, waiter, options);
    });
  }

  notify(random: Random): void {
    const end = this.#end;
    const head = { after: end.handler.answers, seq: this.#sent++ };
    const value = randomValue(random, end, random.chance(5) ? 1 : 0);
    end.enter("notify", head.seq, () => {
      try {
        end.core.notify("note", { ...head, value, text: canonical(value) });
        this.notified++;
      } catch (error) {
        check(
          error instanceof RefusedError ||
            error instanceof RpcError ||
            error === end.core.error ||
            end.error === undefined,
          "notify",
          () => `notify threw ${String(error)}`,
        );
      }
    });
  }

  cancelOne(random: Random): void {
    const open = [...this.#open];
    if (open.length === 0) return;
    const { call, record } = random.pick(open);
    if (call === undefined) return;
    this.#end.enter("cancel", record.token, () => this.#end.core.cancel(call, new CancelledError()));
  }

  /** The continuations of what was settled run once the verb is over. */
  continue(): void {
    if (this.#settled.length === 0) return;
    for (const record of this.#settled) record.continued = true;
    this.#settled = [];
  }

  #result(open: Open, result: unknown): void {
    const { record } = open;
    this.#once(open);
    const { token, value } = result as { token: number; value: unknown };
    check(token === record.token, "answers", `call ${record.token} got the answer of call ${token}`);
    check(
      record.answer !== undefined && "result" in record.answer,
      "answers",
      `call ${token}: a result nobody gave`,
    );
    const text = canonical(value);
    check(
      text === record.answer.result,
      "S1",
      () => `call ${token}: result ${text}, sent ${(record.answer as { result: string }).result}`,
    );
    this.#end.handler.take(value, undefined);
    this.#end.world.react(this.#end, record.token);
  }

  #error(open: Open, error: Error): void {
    const { record } = open;
    this.#once(open);
    record.outcome = error;
    record.givenUp = error instanceof CancelledError || error.name === "TimeoutError";
    if (error instanceof RpcError) this.#rpcError(record, error);
    if (error instanceof RefusedError || (error as { mayHaveRun?: boolean }).mayHaveRun === false)
      check(
        record.ran === 0,
        "mayHaveRun",
        () => `call ${record.token} ran, and failed with ${error.message}`,
      );
    this.#end.world.react(this.#end, record.token);
  }

  #rpcError(record: CallRecord, error: RpcError): void {
    const { token } = record;
    if (UNRUN.has(error.code))
      check(record.ran === 0, "E", `call ${token} ran and was answered ${error.code}`);
    check(error.code !== -32_013, "S14", `call ${token}: more streams than the peer takes`);
    const data = error.data as { token?: number } | undefined;
    if (data?.token !== undefined)
      check(data.token === token, "answers", `call ${token} got the answer of call ${data.token}`);
    const { answer } = record;
    const given = answer !== undefined && "code" in answer && answer.code === error.code;
    check(given || OWN.has(error.code), "answers", () => `call ${token}: ${error.code} ${error.message}`);
  }

  #once(open: Open): void {
    const { record } = open;
    this.#end.note("settled", record.token);
    check(++record.settled === 1, "C2", `call ${record.token} was settled twice`);
    this.#open.delete(open);
    this.#settled.push(record);
  }
}
