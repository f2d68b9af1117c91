// What nobody claims though somebody wants it retried, and the handlers that come for it.
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  anyRequest,
  field,
  Handled,
  request,
  Untyped,
  type Builder,
  type ConnectionTo,
  type Dispatch,
} from "../builder.ts";
import { RpcError } from "../index.ts";
import type { Item } from "./item.ts";
import { Parking, type Parked } from "./parking.ts";
import { answer, call, gate, notice, peerFor, quiet, RawPeer, WAYS } from "./raw-peer.testing.ts";

const Ask = request<{ n: number }, { n: number }>("ask");
const Setup = request<unknown, { id: string }>("setup");

const retried = (): Builder => Untyped.builder().withHandler(() => Handled.no({ retry: true }));

const n = (dispatch: Dispatch): unknown => dispatch.kind !== "response" && field(dispatch.params, "n");

/** Claims everything, and says so. */
function claims(log: string[], name: string) {
  return (dispatch: Dispatch): Handled => {
    log.push(`${name}: ${dispatch.method} ${String(n(dispatch))}`);
    if (dispatch.kind === "request") dispatch.responder.respond({ by: name });
    return Handled.yes;
  };
}

afterEach(() => void vi.useRealTimers());

it("what is parked is offered to the handler added next, the oldest first, before it sees anything new", async () => {
  const log: string[] = [];
  const peer = new RawPeer();
  await retried().connectWith(peer.transport, async (cx) => {
    peer.say(notice("a", { n: 1 }), call(2, "b", { n: 2 }), notice("c", { n: 3 }));
    await quiet();
    peer.say(notice("d", { n: 4 }));
    cx.addDynamicHandler(claims(log, "added"));
    expect(await peer.answer(2)).toMatchObject({ result: { by: "added" } });
    await quiet();
  });
  expect(log).toEqual(["added: a 1", "added: b 2", "added: c 3", "added: d 4"]);
});

it("offers are taken one at a time, each after the one before, and new messages wait for them", async () => {
  const log: string[] = [];
  const peer = new RawPeer();
  await retried().connectWith(peer.transport, async (cx) => {
    peer.say(notice("a", { n: 1 }), notice("a", { n: 2 }));
    await quiet();
    cx.addDynamicHandler(async (dispatch) => {
      log.push(`${String(n(dispatch))} starts`);
      await quiet(2);
      log.push(`${String(n(dispatch))} ends`);
      if (dispatch.kind === "request") dispatch.responder.respond(null);
    });
    peer.say(notice("a", { n: 3 }), call(4, "b", { n: 4 }));
    await peer.answer(4);
  });
  expect(log).toEqual([
    "1 starts",
    "1 ends",
    "2 starts",
    "2 ends",
    "3 starts",
    "3 ends",
    "4 starts",
    "4 ends",
  ]);
});

it("what the added handler declines stays for the next one, and its retry is not asked for", async () => {
  const log: string[] = [];
  const peer = new RawPeer();
  await retried().connectWith(peer.transport, async (cx) => {
    peer.say(call(1, "a", { n: 1 }));
    await quiet();
    cx.addDynamicHandler((dispatch) => {
      log.push(`declined ${dispatch.method}`);
      return Handled.no({ message: { method: "changed", params: {} } });
    });
    cx.addDynamicHandler(claims(log, "second"));
    await peer.answer(1);
  });
  expect(log).toEqual(["declined a", "second: a 1"]);
});

it("what the added handler throws answers the request and reports the notification; both are gone then", async () => {
  const log: string[] = [];
  const reported: unknown[] = [];
  const peer = new RawPeer();
  await retried().connectWith(
    peer.transport,
    async (cx) => {
      peer.say(call(1, "a"), notice("b"));
      await quiet();
      cx.addDynamicHandler(({ method }) => {
        throw new RpcError(7, method);
      });
      expect(await peer.answer(1)).toMatchObject({ error: { code: 7, message: "a" } });
      await quiet();
      cx.addDynamicHandler(claims(log, "second"));
      await quiet();
    },
    { onHandlerError: (error) => void reported.push((error as Error).message) },
  );
  expect([log, reported]).toEqual([[], ["b"]]);
});

it("a handler that adds another and wants its own message retried has it offered to that one", async () => {
  const log: string[] = [];
  const peer = new RawPeer();
  const over = Untyped.builder()
    .onReceiveRequest(Ask, (_params, _responder, cx) => {
      cx.addDynamicHandler(claims(log, "added"));
      return Handled.no({ retry: true });
    })
    .connectTo(peer.transport);
  peer.say(call(1, "ask", { n: 1 }));
  expect(await peer.answer(1)).toMatchObject({ result: { by: "added" } });
  peer.end();
  await over;
});

it("a claimed offer that is not answered is answered -32603, as any claim is", async () => {
  const peer = new RawPeer();
  const reported: string[] = [];
  await retried().connectWith(
    peer.transport,
    async (cx) => {
      peer.say(call(1, "a"));
      await quiet();
      cx.addDynamicHandler(() => Handled.yes);
      expect(await peer.answer(1)).toMatchObject({ error: { code: -32603 } });
    },
    { onHandlerError: (_, method) => void reported.push(method) },
  );
  expect(reported).toEqual(["a"]);
});

it("a handler that an offer runs may await an answer: the connection goes on, and the handler sees what comes", async () => {
  const log: string[] = [];
  const peer = new RawPeer();
  await retried().connectWith(peer.transport, async (cx) => {
    peer.say(notice("a", { n: 1 }));
    await quiet();
    cx.addDynamicHandler(async (dispatch, inner) => {
      if (dispatch.kind === "response") return Handled.no();
      log.push(`${String(n(dispatch))} starts`);
      if (n(dispatch) === 1) {
        await quiet(1); // behind which a browser knows the handler by its own handle alone
        await inner.sendRequest(Setup, {}).result();
      }
      log.push(`${String(n(dispatch))} ends`);
      return Handled.yes;
    });
    const { id } = await peer.called("setup");
    peer.say(notice("a", { n: 2 }), answer(id, { id: "s" }));
    await quiet();
  });
  expect(log).toEqual(["1 starts", "2 starts", "2 ends", "1 ends"]);
});

it("a parked notification of the protocol's own reaches a handler that is added, and is ignored otherwise", async () => {
  const log: string[] = [];
  const peer = new RawPeer();
  await retried().connectWith(peer.transport, async (cx) => {
    peer.say(notice("$/something", { n: 1 }), notice("$/cancelRequest", { id: 99, n: 2 }));
    await quiet();
    cx.addDynamicHandler(claims(log, "added"));
    await quiet();
  });
  expect(log).toEqual(["added: $/something 1", "added: $/cancelRequest 2"]);
  expect(peer.heard).toEqual([]);
});

it("an answer that a handler wants retried is offered to the handler added next, and waits for its router", async () => {
  const peer = new RawPeer();
  const result = await retried().connectWith(peer.transport, async (cx) => {
    const sent = cx.sendRequest(Ask, { n: 1 }).result();
    const { id } = await peer.called("ask");
    peer.say(answer(id, { n: 1 }));
    await quiet();
    cx.addDynamicHandler((dispatch) => {
      if (dispatch.kind === "response") dispatch.router.route({ n: 10 });
    });
    return sent;
  });
  expect(result).toEqual({ n: 10 });
});

describe("a guard", () => {
  it("that is disposed of takes its handler out at once, also between two offers and before its turn has come", async () => {
    const log: string[] = [];
    const peer = new RawPeer();
    await retried().connectWith(peer.transport, async (cx) => {
      peer.say(notice("a", { n: 1 }), notice("a", { n: 2 }));
      await quiet();
      const guard = cx.addDynamicHandler((dispatch) => {
        log.push(`first: ${String(n(dispatch))}`);
        guard[Symbol.dispose]();
      });
      const never = cx.addDynamicHandler(claims(log, "never"));
      never[Symbol.dispose]();
      await quiet();
      cx.addDynamicHandler(claims(log, "last"));
      peer.say(notice("a", { n: 3 }));
      await quiet();
    });
    expect(log).toEqual(["first: 1", "last: a 2", "last: a 3"]);
  });

  it("that is let go of, detached or not, keeps its handler", async () => {
    const log: string[] = [];
    const peer = new RawPeer();
    await Untyped.builder().connectWith(peer.transport, async (cx) => {
      cx.addDynamicHandler((dispatch) => {
        log.push(`first: ${dispatch.method}`);
        return Handled.no();
      }).detach();
      cx.addDynamicHandler(claims(log, "second"));
      peer.say(notice("a", { n: 1 }));
      await quiet();
    });
    expect(log).toEqual(["first: a", "second: a 1"]);
  });

  it("that is disposed of while a message is on its way through the chain keeps its handler from that one, too", async () => {
    const log: string[] = [];
    const peer = new RawPeer();
    const arrived = gate();
    const go = gate();
    await Untyped.builder()
      .withHandler(async () => {
        arrived.open();
        await go.opened;
        return Handled.no();
      })
      .connectWith(peer.transport, async (cx) => {
        const guard = cx.addDynamicHandler(claims(log, "added"));
        peer.say(call(1, "a", { n: 1 }));
        await arrived.opened;
        guard[Symbol.dispose]();
        go.open();
        expect(await peer.answer(1)).toMatchObject({ error: { code: -32601 } });
      });
    expect(log).toEqual([]);
  });
});

it("added handlers come behind those of the builder, in the order they are added, and before the role's own", async () => {
  const log: string[] = [];
  const peer = new RawPeer();
  const pass = (name: string) => (): Handled => {
    log.push(name);
    return Handled.no();
  };
  await Untyped.builder()
    .withHandler(pass("builder"))
    .connectWith(peer.transport, async (cx) => {
      cx.addDynamicHandler(pass("added 1"));
      cx.addDynamicHandler(pass("added 2"));
      peer.say(call(1, "a"));
      await peer.answer(1);
    });
  expect(log).toEqual(["builder", "added 1", "added 2"]);
});

describe("a parked request", () => {
  it("that the peer cancels is answered -32800 at once, and not offered any more", async () => {
    const log: string[] = [];
    const peer = new RawPeer();
    await retried().connectWith(peer.transport, async (cx) => {
      peer.say(call(1, "a", { n: 1 }), call(2, "a", { n: 2 }), notice("$/cancelRequest", { id: 1 }));
      expect(await peer.answer(1)).toMatchObject({ error: { code: -32800 } });
      const claim = claims(log, "added");
      cx.addDynamicHandler((dispatch) => (dispatch.kind === "request" ? claim(dispatch) : Handled.no()));
      await peer.answer(2);
    });
    expect(log).toEqual(["added: a 2"]);
  });

  it("that the peer cancels while another is being offered is not offered any more", async () => {
    const log: string[] = [];
    const peer = new RawPeer();
    await retried().connectWith(peer.transport, async (cx) => {
      peer.say(call(1, "a", { n: 1 }), call(2, "a", { n: 2 }));
      await quiet();
      const cancelled = gate();
      cx.addDynamicHandler(async (dispatch) => {
        log.push(String(n(dispatch)));
        await cancelled.opened;
        if (dispatch.kind === "request") dispatch.responder.respond(null);
      });
      peer.say(notice("$/cancelRequest", { id: 2 }));
      expect(await peer.answer(2)).toMatchObject({ error: { code: -32800 } });
      cancelled.open();
      await peer.answer(1);
    });
    expect(log[0]).toBe("1");
    expect(log).not.toContain("2");
  });

  it("gets its -32601 after ten seconds, and a notification is forgotten", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const log: string[] = [];
    const peer = new RawPeer();
    await retried().connectWith(peer.transport, async (cx) => {
      peer.say(call(1, "a"), notice("b"));
      await quiet();
      vi.advanceTimersByTime(9_900);
      peer.say(call(2, "c"));
      await quiet();
      expect(peer.heard).toEqual([]);
      vi.advanceTimersByTime(200);
      expect(await peer.answer(1)).toMatchObject({ error: { code: -32601 } });
      await quiet();
      expect(peer.heard).toEqual([]);
      cx.addDynamicHandler(claims(log, "added"));
      expect(await peer.answer(2)).toMatchObject({ result: { by: "added" } });
    });
    expect(log).toEqual(["added: c undefined"]);
  });

  it("and a notification, whose time is over while another is being offered, are not offered any more", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const log: string[] = [];
    const peer = new RawPeer();
    await retried().connectWith(peer.transport, async (cx) => {
      peer.say(notice("a", { n: 1 }), notice("a", { n: 2 }), call(3, "a", { n: 3 }));
      await quiet();
      const go = gate();
      cx.addDynamicHandler(async (dispatch) => {
        log.push(String(n(dispatch)));
        await go.opened;
      });
      await quiet();
      vi.advanceTimersByTime(10_000);
      expect(await peer.answer(3)).toMatchObject({ error: { code: -32601 } });
      go.open();
      await quiet();
    });
    expect(log).toEqual(["1"]);
  });

  it("is answered when the main function is over", async () => {
    const peer = new RawPeer();
    await retried().connectWith(peer.transport, async () => {
      peer.say(call(1, "a"));
      await quiet();
    });
    expect(await peer.answer(1)).toMatchObject({ error: { code: -32601 } });
  });

  it("is answered when the peer sends no more, for no handler comes any more", async () => {
    const peer = new RawPeer();
    const over = retried().connectTo(peer.transport);
    peer.say(call(1, "a"));
    peer.end();
    await over;
    expect(await peer.answer(1)).toMatchObject({ error: { code: -32601 } });
  });
});

it("1024 messages are parked at most: the oldest gives way", async () => {
  const peer = new RawPeer();
  await retried().connectWith(
    peer.transport,
    async (cx) => {
      peer.say(...Array.from({ length: 1026 }, (_, id) => call(id, "a")));
      expect([await peer.next(), await peer.next()]).toMatchObject([
        { id: 0, error: { code: -32601 } },
        { id: 1, error: { code: -32601 } },
      ]);
      await quiet();
      expect(peer.heard).toEqual([]);
      cx.addDynamicHandler(claims([], "added"));
      expect(await peer.answer(1025)).toMatchObject({ result: { by: "added" } });
      expect(peer.heard.length).toBe(1023);
    },
    { limits: { calls: 2000 } },
  );
});

it("a flood of what is parked does not accumulate beyond the bytes that may wait", async () => {
  const peer = new RawPeer();
  const seen: unknown[] = [];
  await retried().connectWith(
    peer.transport,
    async (cx) => {
      const text = "x".repeat(1000);
      for (let i = 0; i < 1000; i++) {
        peer.say(notice("update", { n: i, text }));
        if (i % 100 === 0) await quiet(1);
      }
      peer.say(notice("mark", { n: "last" }));
      await quiet();
      cx.addDynamicHandler((dispatch) => void seen.push(n(dispatch)));
      await quiet();
    },
    { limits: { waitingBytes: 20_000 } },
  );
  expect(seen.at(-1)).toBe("last");
  expect(seen.length).toBeGreaterThan(10);
  expect(seen.length).toBeLessThanOrEqual(21);
});

describe("a retry by a function", () => {
  /** As the client of a session does it: what belongs to one waits only while one is being set up. */
  const waiting = (): Builder =>
    Untyped.builder().withHandler((dispatch, cx) => {
      if (dispatch.kind === "response") return Handled.no();
      return Handled.no({ retry: () => cx.pending.includes("setup") });
    });

  it("that says no is answered -32601 promptly, and floods of notifications are not kept", async () => {
    const log: string[] = [];
    const peer = new RawPeer();
    await waiting().connectWith(peer.transport, async (cx) => {
      peer.say(
        ...Array.from({ length: 500 }, (_, i) => notice("update", { n: i })),
        call(1, "read", { n: 1 }),
      );
      expect(await peer.answer(1)).toMatchObject({ error: { code: -32601 } });
      cx.addDynamicHandler(claims(log, "added"));
      await quiet();
    });
    expect(log).toEqual([]);
  });

  describe.each(WAYS)("with messages that arrive %s", (way) => {
    it("keeps what came early for the handler that an ordered callback of the awaited answer adds", async () => {
      for (let round = 0; round < 1000; round++) {
        const log: string[] = [];
        const peer = peerFor(way);
        const marked = gate();
        await waiting().connectWith(peer.transport, async (cx) => {
          cx.sendRequest(Setup, {}).onReceivingResult(async (_, inner) => {
            for (let turn = 0; turn < round % 10; turn++) await Promise.resolve();
            inner.addDynamicHandler(async (dispatch) => {
              await Promise.resolve();
              if (dispatch.kind === "notification" && dispatch.method === "mark") marked.open();
              return claims(log, "added")(dispatch);
            });
          });
          const { id } = await peer.called("setup");
          await peer.sayThus(
            way,
            notice("a", { n: 1 }),
            notice("a", { n: 2 }),
            answer(id, {}),
            notice("a", { n: 3 }),
            notice("mark"),
          );
          await marked.opened;
        });
        expect(log).toEqual(["added: a 1", "added: a 2", "added: a 3", "added: mark undefined"]);
      }
    });

    it("keeps what came early for the handler that is added after the await of the answer", async () => {
      for (let round = 0; round < 1000; round++) {
        const log: string[] = [];
        const peer = peerFor(way);
        const done = gate();
        await waiting().connectWith(peer.transport, async (cx) => {
          const { id } = await Promise.all([
            peer.called("setup"),
            (async () => {
              const sent = cx.sendRequest(Setup, {});
              void sent.result().then(async () => {
                for (let turn = 0; turn < round % 10; turn++) await Promise.resolve();
                const claim = claims(log, "added");
                cx.addDynamicHandler((dispatch) => {
                  claim(dispatch);
                  if (log.length === 2) done.open();
                });
              });
            })(),
          ]).then(([asked]) => asked);
          await peer.sayThus(way, notice("a", { n: 1 }), notice("a", { n: 2 }), answer(id, {}));
          await done.opened;
        });
        expect(log).toEqual(["added: a 1", "added: a 2"]);
      }
    });
  });

  it("is asked again when the awaited answer has come: nobody having been added, the request is answered", async () => {
    const peer = new RawPeer();
    await waiting().connectWith(peer.transport, async (cx) => {
      const sent = cx.sendRequest(Setup, {}).result();
      const { id } = await peer.called("setup");
      peer.say(call(1, "read"));
      await quiet();
      expect(peer.heard).toEqual([]);
      peer.say({ jsonrpc: "2.0", id, error: { code: 1, message: "no" } });
      await expect(sent).rejects.toMatchObject({ code: 1 });
      expect(await peer.answer(1)).toMatchObject({ error: { code: -32601 } });
    });
  });

  it("that throws fails its message alone", async () => {
    const peer = new RawPeer();
    const reported: unknown[] = [];
    let times = 0;
    const builder = Untyped.builder()
      .onReceiveRequest(Ask, ({ n: value }, responder) => responder.respond({ n: value }))
      .withHandler(() =>
        Handled.no({
          retry: () => {
            if (times++ > 0) throw new Error("who knows");
            return true;
          },
        }),
      );
    await builder.connectWith(
      peer.transport,
      async (cx) => {
        peer.say(call(1, "first"), call(2, "second"));
        expect(await peer.answer(2)).toMatchObject({ error: { code: -32603 } });
        cx.sendRequest(Setup, {}).detach();
        peer.say(answer((await peer.called("setup"))["id"], {}));
        expect(await peer.answer(1)).toMatchObject({ error: { code: -32603 } });
        peer.say(call(3, "ask", { n: 3 }));
        expect(await peer.answer(3)).toMatchObject({ result: { n: 3 } });
      },
      { onHandlerError: (error) => void reported.push((error as Error).message) },
    );
    expect(reported).toEqual(["who knows", "who knows"]);
  });

  it("of any handler is enough", async () => {
    const peer = new RawPeer();
    const log: string[] = [];
    await Untyped.builder()
      .withHandler(() => Handled.no({ retry: () => true }))
      .withHandler(async () => Handled.no({ retry: () => false }))
      .withHandler(() => Handled.no())
      .connectWith(peer.transport, async (cx) => {
        peer.say(call(1, "a", { n: 1 }));
        await quiet();
        cx.addDynamicHandler(claims(log, "added"));
        await peer.answer(1);
      });
    expect(log).toEqual(["added: a 1"]);
  });
});

it("a request that was answered and then passed on for a retry is not answered again", async () => {
  const peer = new RawPeer();
  await Untyped.builder()
    .onReceiveRequest(anyRequest, (_, responder) => {
      responder.respond("first");
      return Handled.no({ retry: true });
    })
    .connectWith(peer.transport, async (cx: ConnectionTo) => {
      peer.say(call(1, "a"), call(2, "b"));
      expect([await peer.next(), await peer.next()]).toMatchObject([
        { result: "first" },
        { result: "first" },
      ]);
      const seen: string[] = [];
      cx.addDynamicHandler(({ method }) => void seen.push(method));
      peer.say(notice("mark"));
      await quiet();
      expect(seen).toEqual(["mark"]);
    });
  expect(peer.heard).toEqual([]);
});

describe("parking", () => {
  const place = (name: string, size = 1, retry: Parked["retry"] = true): Parked => ({
    dispatch: { kind: "notification", method: name, params: undefined },
    item: { size } as Item,
    retry,
  });
  const bounds = { count: 3, bytes: 10, age: 100 };

  function parking(): { readonly all: Parking; readonly given: string[] } {
    const given: string[] = [];
    return {
      given,
      all: new Parking({ ...bounds, giveUp: ({ dispatch }) => void given.push(dispatch.method) }),
    };
  }

  it("gives up the oldest beyond its count and its bytes, but keeps one that is larger than all bytes", () => {
    const { all, given } = parking();
    for (const name of ["a", "b", "c", "d"]) all.add(place(name));
    expect(given).toEqual(["a"]);
    all.add(place("e", 9));
    expect(given).toEqual(["a", "b", "c"]);
    all.add(place("f", 100));
    expect([given, all.size]).toEqual([["a", "b", "c", "d", "e"], 1]);
    all.add(place("g", 1));
    expect([given.at(-1), all.size]).toEqual(["f", 1]);
    all.clear();
  });

  it("gives up each one at its own age, and none that was removed", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const { all, given } = parking();
    all.add(place("a"));
    vi.advanceTimersByTime(60);
    const b = all.add(place("b"));
    all.add(place("c"));
    vi.advanceTimersByTime(41);
    expect(given).toEqual(["a"]);
    expect([all.remove(b), all.remove(b), all.has(b)]).toEqual([true, false, false]);
    vi.advanceTimersByTime(60);
    expect([given, all.size, vi.getTimerCount()]).toEqual([["a", "c"], 0, 0]);
  });

  it("gives up everything when it is cleared, in order, and leaves no timer", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const { all, given } = parking();
    for (const name of ["a", "b"]) all.add(place(name));
    all.clear();
    expect([given, vi.getTimerCount()]).toEqual([["a", "b"], 0]);
  });
});
