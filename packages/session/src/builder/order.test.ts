// The order in which a connection runs what arrives. Each case runs a thousand times, for each way in which messages
// that are said together may arrive: a race shows itself rarely.
import { describe, expect, it } from "vitest";
import { Handled, notification, request, Untyped } from "../builder.ts";
import {
  answer,
  call,
  gate,
  notice,
  peerFor,
  quiet,
  RawPeer,
  WAYS,
  type Json,
  type Way,
} from "./raw-peer.testing.ts";

const TIMES = 1000;

const Ask = request<{ n: number }, { n: number }>("ask");
const Note = notification<{ n: number }>("note");
const Mark = notification<{ n: number }>("mark");

async function repeat(way: Way, once: (peer: RawPeer, round: number) => Promise<void>): Promise<void> {
  for (let round = 0; round < TIMES; round++) await once(peerFor(way), round);
}

/** Waits for microtasks, and on every other round for macrotasks, too. */
async function dawdle(microtasks: number, round: number): Promise<void> {
  for (let n = 0; n < microtasks; n++) await Promise.resolve();
  if (round % 2 === 1) await quiet(1);
}

async function nested<T>(depth: number, work: () => Promise<T>): Promise<T> {
  return depth === 0 ? await work() : await nested(depth - 1, work);
}

/** The id of a request that the connection has sent. */
const asked = async (peer: RawPeer, method = "ask"): Promise<unknown> => (await peer.called(method))["id"];

describe.each(WAYS)("messages that arrive %s", (way) => {
  it("are run one at a time in wire order, each after the one before with all its handlers (O1, O2)", async () => {
    await repeat(way, async (peer, round) => {
      const log: string[] = [];
      const slowly = async (name: string, microtasks: number): Promise<void> => {
        log.push(`${name} starts`);
        await dawdle(microtasks, round);
        log.push(`${name} ends`);
      };
      const over = Untyped.builder()
        .onReceiveNotification(Note, async ({ n }) => {
          await slowly(`first handler of note ${n}`, 7 - n);
          return Handled.no();
        })
        .onReceiveNotification(Note, ({ n }) => slowly(`note ${n}`, 3))
        .onReceiveNotification(Mark, ({ n }) => void log.push(`mark ${n}`))
        .onReceiveRequest(Ask, async ({ n }, responder) => {
          await slowly(`ask ${n}`, n);
          responder.respond({ n });
        })
        .connectTo(peer.transport);
      await peer.sayThus(
        way,
        notice("note", { n: 1 }),
        call(2, "ask", { n: 2 }),
        notice("mark", { n: 3 }),
        notice("note", { n: 4 }),
        call(5, "ask", { n: 5 }),
        notice("mark", { n: 6 }),
      );
      peer.end();
      await over;
      const both = (name: string): string[] => [`${name} starts`, `${name} ends`];
      expect(log).toEqual([
        ...both("first handler of note 1"),
        ...both("note 1"),
        ...both("ask 2"),
        "mark 3",
        ...both("first handler of note 4"),
        ...both("note 4"),
        ...both("ask 5"),
        "mark 6",
      ]);
    });
  });

  it("wait for an ordered callback of the answer before them (O3)", async () => {
    await repeat(way, async (peer, round) => {
      const log: string[] = [];
      const marked = gate();
      await Untyped.builder()
        .onReceiveNotification(Note, ({ n }) => void log.push(`note ${n}`))
        .onReceiveNotification(Mark, () => marked.open())
        .connectWith(peer.transport, async (cx) => {
          cx.sendRequest(Ask, { n: 1 }).onReceivingResult(async (outcome) => {
            log.push("callback starts");
            await dawdle(20, round);
            log.push(`callback ends: ${outcome.ok ? outcome.value.n : "failed"}`);
          });
          const id = await asked(peer);
          await peer.sayThus(
            way,
            notice("note", { n: 0 }),
            answer(id, { n: 7 }),
            notice("note", { n: 1 }),
            notice("mark"),
          );
          await marked.opened;
        });
      expect(log).toEqual(["note 0", "callback starts", "callback ends: 7", "note 1"]);
    });
  });

  it("wait for the callback of a result that a handler answers with (O3)", async () => {
    await repeat(way, async (peer, round) => {
      const log: string[] = [];
      const over = Untyped.builder()
        .onReceiveNotification(Note, ({ n }) => void log.push(`note ${n}`))
        .onReceiveRequest(request<unknown, number>("outer"), (_, responder, cx) => {
          cx.sendRequest(Ask, { n: 1 }).onReceivingOkResult(responder, async ({ n }, kept) => {
            log.push("callback starts");
            await dawdle(10, round);
            kept.respond(n);
            log.push("callback ends");
          });
          log.push("handler ends");
        })
        .connectTo(peer.transport);
      peer.say(call("o", "outer"));
      const id = await asked(peer);
      await peer.sayThus(way, answer(id, { n: 9 }), notice("note", { n: 1 }));
      expect(await peer.answer("o")).toMatchObject({ result: 9 });
      peer.end();
      await over;
      expect(log).toEqual(["handler ends", "callback starts", "callback ends", "note 1"]);
    });
  });

  it("wait until an answer that is forwarded has been forwarded (O3)", async () => {
    await repeat(way, async (peer, round) => {
      const log: string[] = [];
      const slow = request<unknown, { n: number }>("ask", {
        result: {
          "~standard": {
            version: 1,
            vendor: "test",
            validate: async (value) => {
              log.push("reading");
              await dawdle(10, round);
              return { value: value as { n: number } };
            },
          },
        },
      });
      const over = Untyped.builder()
        .onReceiveNotification(Note, (_, cx) => {
          log.push("note");
          void cx.sendNotification(Mark, { n: 1 });
        })
        .onReceiveRequest(request<unknown, { n: number }>("outer"), (_, responder, cx) =>
          cx.sendRequest(slow, {}).forwardTo(responder),
        )
        .connectTo(peer.transport);
      peer.say(call("o", "outer"));
      const id = await asked(peer);
      await peer.sayThus(way, answer(id, { n: 9 }), notice("note", { n: 1 }));
      // The forwarded answer is on the wire before what the message behind it says.
      expect([await peer.next(), await peer.next()]).toMatchObject([
        { id: "o", result: { n: 9 } },
        { method: "mark" },
      ]);
      peer.end();
      await over;
      expect(log).toEqual(["reading", "note"]);
    });
  });

  it("see a handler that the ordered callback of an answer before them added (O4)", async () => {
    await repeat(way, async (peer, round) => {
      const log: string[] = [];
      const marked = gate();
      await Untyped.builder()
        .onReceiveNotification(Mark, () => marked.open())
        .connectWith(peer.transport, async (cx) => {
          cx.sendRequest(Ask, { n: 1 }).onReceivingResult(async (_, inner) => {
            await dawdle(5, round);
            inner.addDynamicHandler((dispatch) => {
              if (dispatch.method !== "note") return Handled.no();
              log.push(`claimed ${String((dispatch as { params: Json }).params["n"])}`);
              return Handled.yes;
            });
          });
          const id = await asked(peer);
          await peer.sayThus(
            way,
            notice("note", { n: 0 }),
            answer(id, { n: 7 }),
            notice("note", { n: 1 }),
            notice("note", { n: 2 }),
            notice("mark"),
          );
          await marked.opened;
        });
      expect(log).toEqual(["claimed 1", "claimed 2"]);
    });
  });

  it("do not wait for a request that nobody consumes; its value is there later (O5)", async () => {
    await repeat(way, async (peer) => {
      const log: string[] = [];
      const noted = gate();
      await Untyped.builder()
        .onReceiveNotification(Note, () => {
          log.push("note");
          noted.open();
        })
        .connectWith(peer.transport, async (cx) => {
          const sent = cx.sendRequest(Ask, { n: 1 });
          const id = await asked(peer);
          await peer.sayThus(way, answer(id, { n: 7 }), notice("note", { n: 1 }));
          await noted.opened;
          log.push(`value ${(await sent.result()).n}`);
        });
      expect(log).toEqual(["note", "value 7"]);
    });
  });

  it("come after what follows the await of an answer before them, at any depth of async functions (O5)", async () => {
    await repeat(way, async (peer, round) => {
      const log: string[] = [];
      const marked = gate();
      await Untyped.builder()
        .onReceiveNotification(Note, ({ n }) => void log.push(`note ${n}`))
        .onReceiveNotification(Mark, () => marked.open())
        .connectWith(peer.transport, async (cx) => {
          const sent = cx.sendRequest(Ask, { n: 1 });
          const continued = nested(round % 201, () => sent.result()).then(async () => {
            await dawdle(round % 50, 0);
            log.push("continued");
          });
          const id = await asked(peer);
          await peer.sayThus(
            way,
            notice("note", { n: 0 }),
            answer(id, { n: 7 }),
            notice("note", { n: 1 }),
            notice("mark"),
          );
          await Promise.all([continued, marked.opened]);
        });
      expect(log).toEqual(["note 0", "continued", "note 1"]);
    });
  });

  it("come after the continuation also where the answer had to wait behind a slow handler", async () => {
    await repeat(way, async (peer, round) => {
      const log: string[] = [];
      const marked = gate();
      const busy = gate();
      await Untyped.builder()
        .onReceiveNotification(Note, async ({ n }) => {
          log.push(`note ${n} starts`);
          if (n === 0) await busy.opened;
          log.push(`note ${n} ends`);
        })
        .onReceiveNotification(Mark, () => marked.open())
        .connectWith(peer.transport, async (cx) => {
          const all = [1, 2].map((n) =>
            nested(round % 50, () => cx.sendRequest(Ask, { n }).result()).then(({ n: value }) =>
              log.push(`continued ${value}`),
            ),
          );
          const ids = [await asked(peer), await asked(peer)];
          await peer.sayThus(
            way,
            notice("note", { n: 0 }),
            answer(ids[0], { n: 1 }),
            notice("note", { n: 1 }),
            answer(ids[1], { n: 2 }),
            notice("note", { n: 2 }),
            notice("mark"),
          );
          await quiet(round % 4);
          busy.open();
          await Promise.all([...all, marked.opened]);
        });
      expect(log).toEqual([
        "note 0 starts",
        "note 0 ends",
        "continued 1",
        "note 1 starts",
        "note 1 ends",
        "continued 2",
        "note 2 starts",
        "note 2 ends",
      ]);
    });
  });

  it("are run to the last before the end of input, and pending requests fail in between, in order (O10)", async () => {
    await repeat(way, async (peer, round) => {
      const log: string[] = [];
      const failed = gate();
      await Untyped.builder()
        .onReceiveNotification(Note, async ({ n }) => {
          log.push(`note ${n} starts`);
          await dawdle(3, round);
          log.push(`note ${n} ends`);
        })
        .onClose(() => void log.push("closed"))
        .connectWith(peer.transport, async (cx) => {
          cx.sendRequest(Ask, { n: 1 }).onReceivingResult(({ ok }) => void log.push(`answer: ${ok}`));
          cx.sendRequest(Ask, { n: 2 }).onReceivingResult(async ({ ok }) => {
            await dawdle(3, round);
            log.push(`no answer: ${ok}`);
            failed.open();
          });
          const id = await asked(peer);
          await peer.sayThus(
            way,
            notice("note", { n: 1 }),
            answer(id, { n: 7 }),
            notice("note", { n: 2 }),
            notice("note", { n: 3 }),
          );
          peer.end();
          await failed.opened;
          await cx.incomingClosed();
        });
      const note = (n: number): string[] => [`note ${n} starts`, `note ${n} ends`];
      expect(log).toEqual([...note(1), "answer: true", ...note(2), ...note(3), "no answer: false", "closed"]);
    });
  });

  it("a cancel among them is taken at once, also by a handler that holds the connection, and is a notification in its turn (O11)", async () => {
    await repeat(way, async (peer, round) => {
      const log: string[] = [];
      const over = Untyped.builder()
        .onReceiveRequest(Ask, async ({ n }, responder) => {
          log.push(`ask ${n} starts`);
          await new Promise<void>((resolve) => responder.onCancel(() => resolve()));
          await dawdle(3, round);
          log.push(`ask ${n} ends`);
          responder.respond({ n });
        })
        .onReceiveNotification(notification("$/cancelRequest"), () => void log.push("the cancel"))
        .onReceiveNotification(Note, ({ n }) => void log.push(`note ${n}`))
        .connectTo(peer.transport);
      await peer.sayThus(
        way,
        call(1, "ask", { n: 1 }),
        notice("note", { n: 1 }),
        notice("$/cancelRequest", { id: 1 }),
        notice("note", { n: 2 }),
      );
      peer.end();
      await over;
      expect(log).toEqual(["ask 1 starts", "ask 1 ends", "note 1", "the cancel", "note 2"]);
    });
  });
});

it("what is sent goes out in the order it is sent, requests, notifications and answers alike (O8)", async () => {
  for (let round = 0; round < TIMES; round++) {
    const peer = new RawPeer();
    const over = Untyped.builder()
      .onReceiveRequest(Ask, async ({ n }, responder, cx) => {
        void cx.sendNotification(Note, { n });
        cx.sendRequest(request("first"), {}).detach();
        await dawdle(2, round);
        responder.respond({ n });
        void cx.sendNotification(Mark, { n });
        cx.sendRequest(request("second"), {}).detach();
      })
      .connectTo(peer.transport);
    peer.request("a", "ask", { n: 1 });
    await peer.called("second");
    peer.request("b", "ask", { n: 2 });
    await peer.called("second");
    expect(peer.heard.map(({ method, id }) => method ?? id)).toEqual([
      "note",
      "first",
      "a",
      "mark",
      "note",
      "first",
      "b",
      "mark",
    ]);
    peer.end();
    await over;
  }
});

it("an answer cannot come before its consumer has been named in the statement that sends the request (O6)", async () => {
  const echo = Untyped.builder().onReceiveRequest(Ask, ({ n }, responder) => responder.respond({ n }));
  await Untyped.builder().connectWith(echo, async (cx) => {
    for (let n = 0; n < TIMES; n++) {
      const log: string[] = [];
      const came = gate();
      const sent = cx.sendRequest(Ask, { n });
      log.push("sent");
      sent.onReceivingResult(() => {
        log.push("came");
        came.open();
      });
      log.push("named");
      await came.opened;
      expect(log).toEqual(["sent", "named", "came"]);
    }
  });
});
