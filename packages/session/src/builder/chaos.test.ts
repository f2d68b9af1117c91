// Two connections whose handlers do at random whatever handlers may do. Whatever comes of it: each request has one outcome,
// messages start in the order they were sent, nothing is held up, and nothing is left.
import { memoryPair } from "@sluice/transport";
import { expect, it } from "vitest";
import {
  Handled,
  notification,
  request,
  Untyped,
  type Builder,
  type ConnectionTo,
  type Responder,
} from "../builder.ts";
import { RpcError } from "../index.ts";
import { continuation } from "./queue.ts";
import { gate, quiet } from "./raw-peer.testing.ts";

const ROUNDS = 400;
const REQUESTS = 15;

interface Order {
  readonly seq: number;
  readonly depth: number;
}
const Ask = request<Order>("ask");
const Note = notification<{ seq: number }>("note");

/** mulberry32: the same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

interface Side {
  readonly builder: Builder;
  /** Numbers of the other side's messages, as their handlers started. */
  readonly started: number[];
  /** Requests of this side by what came of them. */
  readonly outcomes: Map<number, number>;
  ask(cx: ConnectionTo, depth: number): Promise<unknown> | undefined;
  /** Whether something it asked has come to nothing yet. */
  isBusy(): boolean;
  /** Settles once all it asked has come to something. */
  settled(): Promise<void>;
}

function side(pick: (below: number) => number): Side {
  const started: number[] = [];
  const outcomes = new Map<number, number>();
  const kept: Responder[] = [];
  let seq = 0;
  let open = 0;
  let idle = gate();

  const came = (n: number): void => {
    outcomes.set(n, outcomes.get(n)! + 1);
    if (--open === 0) idle.open();
  };

  // Asks, and consumes the answer in one way or another. Returns a promise where the handler is to await it.
  const ask = (cx: ConnectionTo, depth: number): Promise<unknown> | undefined => {
    const n = seq++;
    outcomes.set(n, 0);
    if (open++ === 0) idle = gate();
    const sent = cx.sendRequest(Ask, { seq: n, depth });
    if (pick(6) === 0) sent.cancel();
    switch (pick(4)) {
      case 0:
        return sent.result().then(
          () => came(n),
          () => came(n),
        );
      case 1:
        sent.onReceivingResult(async (_, inner) => {
          await quiet(pick(2));
          came(n);
          if (depth > 0 && pick(3) === 0) await ask(inner, depth - 1);
        });
        return undefined;
      case 2:
        sent.onReceivingResult(() => came(n));
        return undefined;
      default:
        void sent
          .map((value) => [value])
          .result()
          .then(
            () => came(n),
            () => came(n),
          );
        return undefined;
    }
  };

  const handle = async ({ depth }: Order, responder: Responder, cx: ConnectionTo): Promise<void> => {
    if (pick(2) === 0) await quiet(pick(2));
    const answerKept = (): void => kept.splice(0).forEach((one) => !one.isSettled && one.respond("kept"));
    switch (pick(9)) {
      case 0:
        return responder.respond(1);
      case 1:
        throw new RpcError(7, "at random");
      case 2:
        return; // forgets it
      case 3:
        kept.push(responder.keep());
        cx.spawn(async () => {
          await quiet(1);
          answerKept();
        });
        return;
      case 4:
        if (depth > 0) await ask(cx, depth - 1);
        void cx.sendNotification(Note, { seq: seq++ });
        return responder.respond(2);
      case 5:
        cx.spawn(async () => {
          if (depth > 0) await ask(cx, depth - 1);
          responder.respond(3);
        });
        return;
      case 6: {
        if (depth === 0) return responder.respond(4);
        const n = seq++;
        outcomes.set(n, 0);
        if (open++ === 0) idle = gate();
        const sent = cx.sendRequest(Ask, { seq: n, depth: depth - 1 });
        responder.onCancel(() => {});
        sent.forwardTo(responder.tap(() => came(n)));
        return;
      }
      case 7:
        await responder.runUntilCancelled(() => quiet(2));
        return responder.respond(5);
      default: {
        const guard = cx.addDynamicHandler(() => Handled.no());
        await quiet(1);
        guard[Symbol.dispose]();
        return responder.respond(6);
      }
    }
  };

  const builder = Untyped.builder()
    .withHandler(async (dispatch) => {
      if (dispatch.kind === "response") {
        if (pick(20) === 0) throw new Error("an answer that is refused");
        return Handled.no();
      }
      if (dispatch.method === "ask" || dispatch.method === "note")
        started.push((dispatch.params as Order).seq);
      if (pick(4) === 0) await Promise.resolve();
      return Handled.no();
    })
    .onReceiveRequest(Ask, handle)
    .onReceiveNotification(Note, async () => {
      await quiet(pick(2));
      if (pick(5) === 0) throw new Error("a bad note");
    });
  const isBusy = (): boolean => open > 0;
  const settled = (): Promise<void> => (isBusy() ? idle.opened : Promise.resolve());
  return { builder, started, outcomes, ask, isBusy, settled };
}

it("whatever handlers do, each request has one outcome, messages start in order, and nobody waits for ever", async () => {
  for (let seed = 0; seed < ROUNDS; seed++) {
    const pick = random(seed);
    const [left, right] = [side(pick), side(pick)];
    const asked = gate();
    const options = { holding: Number.POSITIVE_INFINITY, onHandlerError: () => {} };
    const [ours, theirs] = memoryPair({ unit: seed % 2 === 0 ? "messages" : "bytes" });
    const over = right.builder
      .withRunner(async (cx) => {
        for (let n = 0; n < REQUESTS; n++) {
          void right.ask(cx, 2);
          if (pick(3) === 0) await quiet(1);
        }
        asked.open();
      })
      .connectTo(theirs, options);
    await left.builder.connectWith(
      ours,
      async (cx) => {
        for (let n = 0; n < REQUESTS; n++) {
          void left.ask(cx, 2);
          if (pick(3) === 0) await quiet(1);
        }
        await asked.opened;
        for (let calm = 0; calm < 5; calm++) {
          if (left.isBusy() || right.isBusy()) calm = 0;
          await Promise.all([left.settled(), right.settled()]);
          await quiet(2);
          await continuation();
        }
        expect(cx.pending, `seed ${seed}`).toEqual([]);
      },
      options,
    );
    await over;
    for (const { outcomes } of [left, right])
      expect(
        [...outcomes.values()].every((times) => times === 1),
        `seed ${seed}`,
      ).toBe(true);
    for (const { started } of [left, right])
      expect(started, `seed ${seed}`).toEqual(started.toSorted((a, b) => a - b));
  }
});
