// How a connection ends: the peer sends no more, the main function is over, something fails.
import { memoryPair } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import {
  anyNotification,
  anyRequest,
  Handled,
  notification,
  request,
  Untyped,
  type ConnectionTo,
  type Responder,
} from "../builder.ts";
import { RpcError, SessionError } from "../index.ts";
import { answer, call, gate, notice, quiet, RawPeer } from "./raw-peer.testing.ts";

const Ask = request<{ n: number }, { n: number }>("ask");
const Note = notification<{ n: number }>("note");

const outcome = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    (value) => ({ value }),
    (error: unknown) => error,
  );

describe("the peer sends no more", () => {
  it("connectTo settles though a spawned task is not done", async () => {
    const log: string[] = [];
    const peer = new RawPeer();
    const over = Untyped.builder()
      .onReceiveNotification(Note, (_, cx) => {
        log.push("spawned");
        cx.spawn(() => new Promise(() => {}));
      })
      .connectTo(peer.transport);
    peer.notify("note", { n: 1 });
    peer.end();
    await over;
    expect(log).toEqual(["spawned"]);
  });

  it("a handler that runs still answers, however many turns it takes within the grace", async () => {
    const peer = new RawPeer();
    const over = Untyped.builder()
      .onReceiveRequest(Ask, async ({ n }, responder) => {
        await quiet(20);
        responder.respond({ n });
      })
      .connectTo(peer.transport);
    peer.say(call(1, "ask", { n: 1 }), call(2, "ask", { n: 2 }), call(3, "other"));
    peer.end();
    await over;
    expect(peer.heard).toMatchObject([
      { id: 1, result: { n: 1 } },
      { id: 2, result: { n: 2 } },
      { id: 3, error: { code: -32601 } },
    ]);
  });

  it("a spawned task of a request's handler, and a responder that is kept, still answer", async () => {
    const peer = new RawPeer();
    const kept = gate<Responder>();
    const over = Untyped.builder()
      .onReceiveRequest(Ask, ({ n }, responder, cx) => {
        if (n === 1)
          cx.spawn(async () => {
            await quiet(10);
            responder.respond({ n });
          });
        else kept.open(responder.keep() as Responder);
      })
      .connectTo(peer.transport);
    peer.say(call(1, "ask", { n: 1 }), call(2, "ask", { n: 2 }));
    peer.end();
    expect(await peer.answer(1)).toMatchObject({ result: { n: 1 } });
    (await kept.opened).respond("late");
    await over;
    expect(peer.heard).toMatchObject([{ id: 2, result: "late" }]);
  });

  it("what is not answered when the grace is over is answered -32603, run or not", async () => {
    const peer = new RawPeer();
    const over = Untyped.builder()
      .onReceiveRequest(Ask, ({ n }, responder) => {
        responder.keep();
        return n === 2 ? new Promise<void>(() => {}) : undefined;
      })
      .connectTo(peer.transport, { limits: { grace: 30 } });
    peer.say(call(1, "ask", { n: 1 }), call(2, "ask", { n: 2 }), call(3, "ask", { n: 3 }));
    peer.end();
    await over;
    expect(new Set(peer.heard.map(({ id }) => id))).toEqual(new Set([1, 2, 3]));
    expect(peer.heard).toMatchObject([1, 2, 3].map(() => ({ error: { code: -32603 } })));
  });

  it("a main function goes on, may wait for it, and answers what was asked before", async () => {
    const peer = new RawPeer();
    const value = await Untyped.builder()
      .onReceiveRequest(Ask, async ({ n }, responder) => {
        await quiet(3);
        responder.respond({ n });
      })
      .connectWith(peer.transport, async (cx) => {
        expect(cx.isIncomingClosed).toBe(false);
        peer.say(call(1, "ask", { n: 1 }));
        peer.end();
        await cx.incomingClosed();
        expect(cx.isIncomingClosed).toBe(true);
        await cx.incomingClosed();
        await quiet(10);
        return "main is over";
      });
    expect([value, peer.heard]).toMatchObject(["main is over", [{ id: 1, result: { n: 1 } }]]);
  });

  it("every pending request fails, in order, before the onClose functions run, whatever awaits them", async () => {
    const peer = new RawPeer();
    const log: string[] = [];
    await Untyped.builder()
      .onClose((cx) => void log.push(`closing, ${cx.pending.length} pending`))
      .connectWith(peer.transport, async (cx) => {
        const tell = (name: string) => (error: unknown) =>
          log.push(
            `${name}: ${error instanceof SessionError ? `${error.code} by ${error.by}` : String(error)}`,
          );
        cx.sendRequest(Ask, { n: 1 }).onReceivingResult(async (result) => {
          await quiet(1);
          tell("first")(!result.ok && result.error);
        });
        void cx.sendRequest(Ask, { n: 2 }).result().catch(tell("second"));
        cx.sendRequest(Ask, { n: 3 }).onReceivingResult(
          (result) => void tell("third")(!result.ok && result.error),
        );
        const unconsumed = cx.sendRequest(Ask, { n: 4 });
        await peer.called("ask");
        peer.end();
        await cx.incomingClosed();
        await unconsumed.result().catch(tell("fourth"));
      });
    const closed = (name: string): string => `${name}: closed by peer`;
    expect(log).toEqual([
      closed("first"),
      closed("second"),
      closed("third"),
      "closing, 0 pending",
      closed("fourth"),
    ]);
  });

  it("a request made after it fails at once, and is not written", async () => {
    const peer = new RawPeer();
    await Untyped.builder().connectWith(peer.transport, async (cx) => {
      peer.end();
      await cx.incomingClosed();
      const late = gate<boolean>();
      cx.sendRequest(Ask, { n: 1 }).onReceivingResult(({ ok }) => late.open(ok));
      expect(await late.opened).toBe(false);
      await expect(cx.sendRequest(Ask, { n: 2 }).result()).rejects.toBeInstanceOf(SessionError);
    });
    expect(peer.heard).toEqual([]);
  });

  it("a request that onClose makes fails, and onClose goes on", async () => {
    const peer = new RawPeer();
    const log: string[] = [];
    const over = Untyped.builder()
      .onClose(async (cx) => {
        await cx
          .sendRequest(Ask, { n: 1 })
          .result()
          .catch(() => log.push("failed"));
        log.push("went on");
      })
      .connectTo(peer.transport);
    peer.end();
    await over;
    expect(log).toEqual(["failed", "went on"]);
  });

  it("a request that was answered before it has its answer", async () => {
    const peer = new RawPeer();
    const results = await Untyped.builder().connectWith(peer.transport, async (cx) => {
      const sent = [1, 2].map((n) => outcome(cx.sendRequest(Ask, { n }).result()));
      const [first] = [await peer.called("ask"), await peer.called("ask")];
      peer.say(answer(first["id"], { n: 1 }));
      peer.end();
      return Promise.all(sent);
    });
    expect(results).toMatchObject([{ value: { n: 1 } }, { _tag: "SessionError" }]);
  });

  it("all onClose functions run, one after the other, those of a builder that was merged at its place; the first error ends it", async () => {
    const peer = new RawPeer();
    const log: string[] = [];
    const closer = (name: string, error?: Error) => async (): Promise<void> => {
      log.push(`${name} starts`);
      await quiet(2);
      log.push(`${name} ends`);
      if (error !== undefined) throw error;
    };
    const merged = Untyped.builder()
      .onClose(closer("b", new Error("first")))
      .onClose(closer("c", new Error("second")));
    const over = Untyped.builder()
      .onClose(closer("a"))
      .withConnectionBuilder(merged)
      .onClose(closer("d"))
      .connectTo(peer.transport);
    peer.end();
    await expect(over).rejects.toThrow("first");
    expect(log).toEqual(["a", "b", "c", "d"].flatMap((name) => [`${name} starts`, `${name} ends`]));
  });

  it("what onClose throws ends a main function that waits, even for that, with it", async () => {
    for (const wait of [
      (): Promise<unknown> => new Promise(() => {}),
      (cx: ConnectionTo) => cx.incomingClosed(),
    ]) {
      const peer = new RawPeer();
      const over = Untyped.builder()
        .onClose(async () => {
          await quiet(2);
          throw new Error("out of paper");
        })
        .connectWith(peer.transport, wait);
      peer.end();
      await expect(over).rejects.toThrow("out of paper");
    }
  });

  it("a main function that is over while onClose runs waits for it, and its error comes first", async () => {
    const peer = new RawPeer();
    const running = gate();
    const go = gate();
    let closed = "no";
    const over = Untyped.builder()
      .onClose(async () => {
        running.open();
        await go.opened;
        closed = "yes";
        throw new Error("out of paper");
      })
      .connectWith(peer.transport, async () => {
        peer.end();
        await running.opened;
      });
    await running.opened;
    await quiet();
    go.open();
    await expect(over).rejects.toThrow("out of paper");
    expect(closed).toBe("yes");
  });

  it("what an ordered callback throws because of it ends the connection, and onClose runs all the same", async () => {
    const peer = new RawPeer();
    const log: string[] = [];
    const over = Untyped.builder()
      .onClose(async () => {
        await quiet(2);
        log.push("closed");
      })
      .connectWith(peer.transport, async (cx) => {
        cx.sendRequest(Ask, { n: 1 }).onReceivingResult(() => {
          throw new Error("no answer");
        });
        await peer.called("ask");
        peer.end();
        await new Promise(() => {});
      });
    await expect(over).rejects.toThrow("no answer");
    expect(log).toEqual(["closed"]);
  });

  it("half a message and then the end is a loss, and no hang", async () => {
    const peer = new RawPeer("bytes");
    const log: string[] = [];
    const over = Untyped.builder()
      .onReceiveNotification(anyNotification, ({ method }) => void log.push(method))
      .onClose(() => void log.push("closed"))
      .connectTo(peer.transport);
    peer.say(notice("whole"));
    peer.bytes(new TextEncoder().encode('{"jsonrpc":"2.0","method":"cut'));
    peer.end();
    await expect(over).rejects.toMatchObject({ _tag: "SessionError", code: "lost" });
    expect(log).toEqual(["whole", "closed"]);
  });
});

describe("the main function is over", () => {
  it("a notification, and an answer, that it gave right before are written", async () => {
    const peer = new RawPeer();
    const kept = gate<Responder<{ n: number }>>();
    const value = await Untyped.builder()
      .onReceiveRequest(Ask, (_, responder) => kept.open(responder.keep()))
      .connectWith(peer.transport, async (cx) => {
        peer.say(call(1, "ask", { n: 1 }));
        const responder = await kept.opened;
        void cx.sendNotification(Note, { n: 1 });
        responder.respond({ n: 2 });
        void cx.sendNotification(Note, { n: 3 });
        return 4;
      });
    expect(value).toBe(4);
    expect(peer.heard).toMatchObject([
      { method: "note", params: { n: 1 } },
      { id: 1, result: { n: 2 } },
      { method: "note", params: { n: 3 } },
    ]);
    expect(peer.ended).toBe("yes");
  });

  it("what is pending is cancelled at the peer once and fails here; what is not answered is answered -32603", async () => {
    const peer = new RawPeer();
    const failed: unknown[] = [];
    const running = gate();
    await Untyped.builder()
      .onReceiveRequest(Ask, async (_, responder) => {
        running.open();
        responder.keep();
        if (responder.id === 2) await new Promise(() => {});
      })
      .connectWith(peer.transport, async (cx) => {
        void cx
          .sendRequest(Ask, { n: 1 })
          .result()
          .catch((error: unknown) => failed.push(error));
        const second = cx.sendRequest(Ask, { n: 2 });
        second.onReceivingResult((result) => failed.push(!result.ok && result.error));
        second.cancel();
        peer.say(call(1, "ask", { n: 1 }), call(2, "ask", { n: 2 }), call(3, "ask", { n: 3 }));
        await running.opened;
      });
    expect(failed.map((error) => error instanceof SessionError && error.code)).toEqual(["closed", "closed"]);
    const [first, second] = [await peer.called("ask"), await peer.called("ask")];
    expect(
      peer.heard.filter(({ method }) => method === "$/cancelRequest").map(({ params }) => params),
    ).toEqual([{ id: second["id"] }, { id: first["id"] }]);
    for (const id of [1, 2, 3]) expect(await peer.answer(id)).toMatchObject({ error: { code: -32603 } });
  });

  it("nothing that waits is run any more, and the end is not held up by a queue that is full", async () => {
    const peer = new RawPeer();
    const log: unknown[] = [];
    const running = gate();
    await Untyped.builder()
      .onReceiveNotification(Note, async ({ n }) => {
        log.push(n);
        running.open();
        await new Promise(() => {});
      })
      .connectWith(
        peer.transport,
        async () => {
          for (let n = 0; n < 50; n++) peer.notify("note", { n });
          await running.opened;
          await quiet();
        },
        { limits: { waiting: 4, close: 1_000_000 } },
      );
    await quiet();
    expect(log).toEqual([0]);
  });

  it("what it throws is thrown, after the same end", async () => {
    const peer = new RawPeer();
    const failure = new Error("out of paper");
    const over = Untyped.builder().connectWith(peer.transport, async (cx) => {
      void cx.sendNotification(Note, { n: 1 });
      throw failure;
    });
    await expect(over).rejects.toBe(failure);
    expect([peer.heard.length, peer.ended]).toEqual([1, "yes"]);
  });

  it("a peer that does not end its side is waited for until limits.close, and no longer", async () => {
    const [ours, theirs] = memoryPair({ unit: "messages" });
    theirs.start({ onData: () => {}, onDrain: () => {}, onEnd: () => {}, onClose: () => {} });
    expect(await Untyped.builder().connectWith(ours, () => 1, { limits: { close: 20 } })).toBe(1);
  });

  it("a handle that has escaped fails what it is asked for, and keeps nothing", async () => {
    const peer = new RawPeer();
    const cx = await Untyped.builder().connectWith(peer.transport, (inner) => inner);
    expect(cx.signal.aborted).toBe(true);
    await expect(cx.sendRequest(Ask, { n: 1 }).result()).rejects.toBeInstanceOf(SessionError);
    await expect(cx.sendNotification(Note, { n: 1 })).rejects.toBeInstanceOf(SessionError);
    void cx.sendNotification(Note, { n: 2 }); // not awaited, and no unhandled rejection
    cx.addDynamicHandler(() => Handled.yes)[Symbol.dispose]();
    await cx.incomingClosed();
    await quiet();
    expect([cx.pending, peer.heard]).toEqual([[], []]);
  });
});

describe("something fails", () => {
  it("a transport that is lost fails main, what is pending and connectTo, with the loss", async () => {
    const peer = new RawPeer();
    const pending = gate<unknown>();
    const main = Untyped.builder().connectWith(peer.transport, async (cx) => {
      cx.sendRequest(Ask, { n: 1 }).onReceivingResult((result) => pending.open(!result.ok && result.error));
      await peer.called("ask");
      peer.abort();
      await new Promise(() => {});
    });
    await expect(main).rejects.toMatchObject({ _tag: "SessionError", code: "lost" });
    expect(await pending.opened).toMatchObject({ code: "lost" });

    const other = new RawPeer();
    const over = Untyped.builder().connectTo(other.transport);
    other.abort();
    await expect(over).rejects.toMatchObject({ code: "lost" });
  });

  it("handlers are told by their signals, once", async () => {
    const peer = new RawPeer();
    const reasons: unknown[] = [];
    const over = Untyped.builder()
      .onReceiveRequest(anyRequest, (_, responder) => {
        responder.keep().onCancel((reason) => reasons.push(reason));
        responder.signal.addEventListener("abort", () => reasons.push(responder.signal.reason));
      })
      .connectTo(peer.transport);
    peer.say(call(1, "a"));
    await quiet();
    peer.abort();
    await expect(over).rejects.toBeInstanceOf(SessionError);
    expect(reasons).toMatchObject([{ code: "lost" }, { code: "lost" }]);
  });

  it("an answer that has arrived and waits for its turn is delivered when the transport is lost", async () => {
    const peer = new RawPeer();
    const seen = gate<unknown>();
    const main = Untyped.builder()
      .onReceiveNotification(Note, () => new Promise(() => {}))
      .connectWith(peer.transport, async (cx) => {
        cx.sendRequest(Ask, { n: 1 }).onReceivingResult((result) => seen.open(result));
        const { id } = await peer.called("ask");
        peer.say(notice("note", { n: 1 }), answer(id, { n: 7 }));
        await quiet();
        peer.abort();
        await new Promise(() => {});
      });
    await expect(main).rejects.toMatchObject({ code: "lost" });
    expect(await seen.opened).toEqual({ ok: true, value: { n: 7 } });
  });

  it("an answer that a handler kept and never routed fails with the end of the connection", async () => {
    const peer = new RawPeer();
    const failed = gate<unknown>();
    await Untyped.builder()
      .withHandler((dispatch) => {
        if (dispatch.kind === "response") dispatch.router.keep();
      })
      .connectWith(peer.transport, async (cx) => {
        void cx.sendRequest(Ask, { n: 1 }).result().catch(failed.open);
        peer.say(answer((await peer.called("ask"))["id"], { n: 7 }));
        await quiet();
        expect(cx.pending).toEqual(["ask"]);
      });
    expect(await failed.opened).toBeInstanceOf(SessionError);
  });

  it("an answer that a handler claimed and never routed fails at once, with an error of its own, also in a callback", async () => {
    const peer = new RawPeer();
    await Untyped.builder()
      .withHandler(() => Handled.yes)
      .connectWith(peer.transport, async (cx) => {
        const result = gate<unknown>();
        cx.sendRequest(Ask, { n: 1 }).onReceivingResult((came) => result.open(!came.ok && came.error));
        peer.say(answer((await peer.called("ask"))["id"], { n: 7 }));
        const error = await result.opened;
        expect(error).toBeInstanceOf(RpcError);
        expect(error).toMatchObject({ code: -32603 });
      });
  });

  it("the signal of the options ends it, in order", async () => {
    const peer = new RawPeer();
    const abort = new AbortController();
    const over = Untyped.builder().connectTo(peer.transport, { signal: abort.signal });
    await quiet(1);
    abort.abort();
    await over;
    expect(peer.ended).toBe("yes");
  });

  it("a task's own onError is told in place of the end, and what that throws ends it", async () => {
    const peer = new RawPeer();
    const told: unknown[] = [];
    const over = Untyped.builder().connectWith(peer.transport, async (cx) => {
      cx.spawn(() => Promise.reject(new Error("one")), {
        onError: (error) => told.push((error as Error).message),
      });
      await quiet();
      expect(told).toEqual(["one"]);
      cx.spawn(() => Promise.reject(new Error("two")), {
        onError: () => {
          throw new Error("three");
        },
      });
      await new Promise(() => {});
    });
    await expect(over).rejects.toThrow("three");
  });

  it("a connection that is run in one that is over, or has too many tasks, is over", async () => {
    const late = new RawPeer();
    const cx = await Untyped.builder().connectWith(new RawPeer().transport, (inner) => inner);
    const child = cx.spawnConnection(Untyped.builder(), late.transport);
    await child.incomingClosed();
    expect([child.signal.aborted, late.ended]).toEqual([true, "yes"]);

    const refused = new RawPeer();
    await Untyped.builder().connectWith(
      new RawPeer().transport,
      async (outer) => {
        outer.spawn(() => new Promise(() => {}));
        expect(() => outer.spawnConnection(Untyped.builder(), refused.transport)).toThrow("tasks");
        while (refused.ended === "no") await quiet(1);
      },
      { limits: { pending: 1 } },
    );
  });

  it("the end of a connection's input in another does not concern that other", async () => {
    const outer = new RawPeer();
    const inner = new RawPeer();
    await Untyped.builder().connectWith(outer.transport, async (cx) => {
      const child = cx.spawnConnection(Untyped.builder(), inner.transport);
      const pending = outcome(child.sendRequest(Ask, { n: 1 }).result());
      await inner.called("ask");
      inner.end();
      expect(await pending).toBeInstanceOf(SessionError);
      const sent = cx.sendRequest(Ask, { n: 2 }).result();
      outer.say(answer((await outer.called("ask"))["id"], { n: 2 }));
      expect(await sent).toEqual({ n: 2 });
    });
  });
});
