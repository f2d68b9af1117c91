// Cancels: of the peer's requests by the peer, of ours by us, and from one to the other.
import { acp } from "@sluice/codec";
import { describe, expect, it, vi } from "vitest";
import { Handled, notification, request, Role, Untyped, type Responder } from "../builder.ts";
import { CancelledError, RpcError, TimeoutError } from "../index.ts";
import { answer, call, gate, notice, quiet, RawPeer, type Json } from "./raw-peer.testing.ts";

const Ask = request<{ n: number }, { n: number }>("ask");
const Outer = request<{ n: number }, { n: number }>("outer");
const Cancel = notification<{ id: unknown }>("$/cancelRequest");

const cancel = (id: unknown): Json => notice("$/cancelRequest", { id });
const cancels = (peer: RawPeer): unknown[] =>
  peer.heard.filter(({ method }) => method === "$/cancelRequest").map(({ params }) => (params as Json)["id"]);

describe("a request of ours", () => {
  it("that is cancelled asks the peer to, once, and has whatever the peer answers", async () => {
    const peer = new RawPeer();
    await Untyped.builder().connectWith(peer.transport, async (cx) => {
      const abort = new AbortController();
      for (const reply of [{ result: { n: 7 } }, { error: { code: -32800, message: "cancelled" } }]) {
        const sent = cx.sendRequest(Ask, { n: 1 }).cancelWith(abort.signal);
        const result = sent.result();
        const { id } = await peer.called("ask");
        sent.cancel();
        sent.cancel();
        abort.abort();
        await peer.called("$/cancelRequest");
        peer.say({ jsonrpc: "2.0", id, ...reply });
        if ("result" in reply) expect(await result).toEqual({ n: 7 });
        else await expect(result).rejects.toMatchObject({ code: -32800 });
        sent.cancel();
      }
      await quiet();
    });
    expect(cancels(peer)).toEqual([]);
  });

  it("whose signal had aborted before cancelWith is cancelled right behind it", async () => {
    const peer = new RawPeer();
    await Untyped.builder().connectWith(peer.transport, async (cx) => {
      cx.sendRequest(Ask, { n: 1 }).cancelWith(AbortSignal.abort()).detach();
      void cx.sendNotification(notification("after"), {});
      await peer.called("after");
    });
    expect(peer.heard.map(({ method }) => method)).toEqual(["ask", "$/cancelRequest"]);
  });

  it("that is disposed of before anybody consumes it is cancelled; its answer is nobody's", async () => {
    const peer = new RawPeer();
    await Untyped.builder().connectWith(peer.transport, async (cx) => {
      cx.sendRequest(Ask, { n: 1 })[Symbol.dispose]();
      const { id } = await peer.called("ask");
      expect(await peer.called("$/cancelRequest")).toMatchObject({ params: { id } });
      peer.say(answer(id, { n: 1 }));
      await quiet();
      expect(cx.pending).toEqual([]);
    });
    expect(peer.heard).toEqual([]);
  });

  it.each(["detached", "consumed", "answered"] as const)(
    "that is %s is not cancelled when it is disposed of",
    async (how) => {
      const peer = new RawPeer();
      await Untyped.builder().connectWith(peer.transport, async (cx) => {
        const sent = cx.sendRequest(Ask, { n: 1 });
        const { id } = await peer.called("ask");
        if (how === "detached") sent.detach();
        const result = how === "consumed" ? sent.result() : undefined;
        if (how === "answered") {
          peer.say(answer(id, { n: 1 }));
          await quiet();
        }
        sent[Symbol.dispose]();
        sent.cancel();
        sent.cancelWith(AbortSignal.abort());
        await quiet();
        const mine = cancels(peer);
        peer.say(answer(id, { n: 1 }));
        await result;
        expect(mine).toEqual(how === "answered" ? [] : [id]); // by cancel(), not by the disposal
      });
    },
  );

  it("whose answer waits for its turn, or has reached a handler that keeps it, is not cancelled any more", async () => {
    const peer = new RawPeer();
    const go = gate();
    await Untyped.builder()
      .onReceiveNotification(notification("hold"), () => go.opened)
      .withHandler((dispatch) => {
        if (dispatch.kind !== "response") return Handled.no();
        dispatch.router.keep();
        return Handled.yes;
      })
      .connectWith(peer.transport, async (cx) => {
        const sent = cx.sendRequest(Ask, { n: 1 });
        peer.say(notice("hold"), answer((await peer.called("ask"))["id"], { n: 1 }));
        await quiet();
        sent.cancel();
        go.open();
        await quiet();
        sent.cancel();
        sent[Symbol.dispose]();
        await quiet();
        expect(cancels(peer)).toEqual([]);
      });
  });

  it("that its options' signal aborts fails at once with the reason, and the peer is told once", async () => {
    const peer = new RawPeer();
    await Untyped.builder().connectWith(peer.transport, async (cx) => {
      const abort = new AbortController();
      const remove = vi.spyOn(abort.signal, "removeEventListener");
      const sent = cx.sendRequest(Ask, { n: 1 }, { signal: abort.signal }).result();
      const other = cx.sendRequest(Ask, { n: 2 }, { signal: abort.signal }).result();
      const [first, second] = [await peer.called("ask"), await peer.called("ask")];
      peer.say(answer(second["id"], { n: 2 }));
      expect(await other).toEqual({ n: 2 });
      expect(remove).toHaveBeenCalledTimes(1);
      const reason = new Error("enough");
      abort.abort(reason);
      const error = await sent.catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(CancelledError);
      expect((error as Error).cause).toBe(reason);
      await quiet();
      expect(cancels(peer)).toEqual([first["id"]]);
      const late = cx.sendRequest(Ask, { n: 3 }, { signal: abort.signal });
      await expect(late.result()).rejects.toBeInstanceOf(CancelledError);
    });
    expect(peer.heard.filter(({ method }) => method === "ask")).toEqual([]);
  });

  it("that its timeout ends fails with it, and the peer is told once", async () => {
    const peer = new RawPeer();
    await Untyped.builder().connectWith(peer.transport, async (cx) => {
      const sent = cx.sendRequest(Ask, { n: 1 }, { timeout: 5 });
      await expect(sent.result()).rejects.toBeInstanceOf(TimeoutError);
      sent.cancel();
      expect(cancels(peer)).toEqual([(await peer.called("ask"))["id"]]);
    });
  });

  it("is cancelled in the dialect's spelling, and by hand as a plain notification", async () => {
    const Acp: Role = new Role({ name: "Acp", counterpart: () => Acp, dialect: acp });
    const peer = new RawPeer();
    await Acp.builder().connectWith(peer.transport, async (cx) => {
      const sent = cx.sendRequest(Ask, { n: 1 });
      sent.cancel();
      void cx.sendNotification(notification("$/cancel_request"), { requestId: "theirs" });
      sent.detach();
    });
    expect(peer.heard.slice(1).map(({ method, params }) => [method, params])).toEqual([
      ["$/cancel_request", { requestId: peer.heard[0]!["id"] }],
      ["$/cancel_request", { requestId: "theirs" }],
    ]);
  });
});

describe("a request of the peer's", () => {
  it("that is cancelled tells its responder once, and its work may give way to it: -32800", async () => {
    const peer = new RawPeer();
    const told: string[] = [];
    const over = Untyped.builder()
      .onReceiveRequest(Ask, async (_, responder) => {
        responder.onCancel(() => told.push("listener"));
        responder.signal.addEventListener("abort", () => told.push("signal"));
        const value = await responder.runUntilCancelled((signal) => {
          signal.addEventListener("abort", () => told.push("work"));
          return new Promise<{ n: number }>(() => {});
        });
        responder.respond(value);
      })
      .connectTo(peer.transport);
    peer.say(call(1, "ask", { n: 1 }), cancel(1), cancel(1));
    expect(await peer.answer(1)).toMatchObject({ error: { code: -32800 } });
    expect(told.toSorted((a, b) => a.localeCompare(b))).toEqual(["listener", "signal", "work"]);
    peer.end();
    await over;
  });

  it("whose cancel is looked for afterwards finds it", async () => {
    const peer = new RawPeer();
    const seen: unknown[] = [];
    const over = Untyped.builder()
      .onReceiveRequest(Ask, async ({ n }, responder) => {
        while (!responder.isCancelled) await quiet(1);
        seen.push(responder.signal.aborted, responder.isCancelled);
        responder.onCancel(() => seen.push("told"));
        responder.respond({ n });
      })
      .connectTo(peer.transport);
    peer.say(call(1, "ask", { n: 1 }), cancel(1));
    // It may still be answered with what there is.
    expect(await peer.answer(1)).toMatchObject({ result: { n: 1 } });
    expect(seen).toEqual([true, true, "told"]);
    peer.end();
    await over;
  });

  it("C3: that has not started is answered -32800 at once, behind a handler that holds the connection, and is not run", async () => {
    const peer = new RawPeer();
    const ran: number[] = [];
    const go = gate();
    const over = Untyped.builder()
      .onReceiveRequest(Ask, async ({ n }, responder) => {
        ran.push(n);
        await go.opened;
        responder.respond({ n });
      })
      .connectTo(peer.transport);
    peer.say(call(1, "ask", { n: 1 }), call(2, "ask", { n: 2 }), call(3, "ask", { n: 3 }), cancel(2));
    expect(await peer.next()).toMatchObject({ id: 2, error: { code: -32800 } });
    go.open();
    expect([await peer.next(), await peer.next()]).toMatchObject([{ id: 1 }, { id: 3 }]);
    expect(ran).toEqual([1, 3]);
    peer.end();
    await over;
  });

  it("whose handler throws because of it is answered -32800; an RpcError of its own stands", async () => {
    const peer = new RawPeer();
    const reported: unknown[] = [];
    const over = Untyped.builder()
      .onReceiveRequest(Ask, async ({ n }, responder) => {
        await new Promise((resolve) => responder.onCancel(resolve));
        if (n === 1) throw new DOMException("aborted", "AbortError");
        throw new RpcError(7, "mine");
      })
      .connectTo(peer.transport, { onHandlerError: (error) => void reported.push(error) });
    peer.say(call(1, "ask", { n: 1 }), cancel(1), call(2, "ask", { n: 2 }), cancel(2));
    expect(await peer.answer(1)).toMatchObject({ error: { code: -32800 } });
    expect(await peer.answer(2)).toMatchObject({ error: { code: -32800 } }); // it had not started
    peer.say(call(3, "ask", { n: 3 }));
    await quiet();
    peer.say(cancel(3));
    expect(await peer.answer(3)).toMatchObject({ error: { code: 7 } });
    expect(reported).toEqual([]);
    peer.end();
    await over;
  });

  it("whose responder is lost after a cancel is answered -32800, and nothing is reported", async () => {
    const peer = new RawPeer();
    const reported: unknown[] = [];
    const over = Untyped.builder()
      .onReceiveRequest(
        Ask,
        (_, responder) => new Promise<void>((resolve) => responder.onCancel(() => resolve())),
      )
      .connectTo(peer.transport, { onHandlerError: (error) => void reported.push(error) });
    peer.say(call(1, "ask", { n: 1 }), cancel(1));
    expect(await peer.answer(1)).toMatchObject({ error: { code: -32800 } });
    expect(reported).toEqual([]);
    peer.end();
    await over;
  });

  it("of an id that is used again is not touched by what the id was cancelled for before", async () => {
    const peer = new RawPeer();
    const signals: AbortSignal[] = [];
    const responders: Responder<{ n: number }>[] = [];
    const over = Untyped.builder()
      .onReceiveRequest(Ask, (_, responder) => {
        signals.push(responder.signal);
        responders.push(responder.keep());
      })
      .connectTo(peer.transport);
    peer.say(call(1, "ask", { n: 1 }));
    await quiet();
    responders[0]!.respond({ n: 1 });
    peer.say(call(1, "ask", { n: 2 }), cancel(1));
    await quiet();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
    responders[1]!.respond({ n: 2 });
    expect([await peer.answer(1), await peer.answer(1)]).toMatchObject([
      { result: { n: 1 } },
      { result: { n: 2 } },
    ]);
    peer.end();
    await over;
  });

  it("is no concern of a cancel of an unknown id, or of a malformed one; neither is answered", async () => {
    const peer = new RawPeer();
    const seen: unknown[] = [];
    const over = Untyped.builder()
      .onReceiveRequest(Ask, async ({ n }, responder) => {
        await quiet(3);
        responder.respond({ n: responder.isCancelled ? -1 : n });
      })
      .onReceiveNotification(Cancel, (params) => void seen.push(params))
      .connectTo(peer.transport);
    const odd = [{ id: "1" }, { id: 2 }, { id: null }, { id: {} }, {}, undefined];
    peer.say(call(1, "ask", { n: 1 }), ...odd.map((params) => notice("$/cancelRequest", params)));
    expect(await peer.answer(1)).toMatchObject({ result: { n: 1 } });
    peer.end();
    await over;
    expect([peer.heard, seen]).toEqual([[], odd]);
  });

  it("that a notification cancels which only the role knows is cancelled", async () => {
    const Wrapping: Role = new Role({
      name: "Wrapping",
      counterpart: () => Wrapping,
      cancelled: ({ method, params }) =>
        method === "envelope" ? ((params as Json)["cancels"] as number) : undefined,
    });
    const peer = new RawPeer();
    const over = Wrapping.builder()
      .onReceiveRequest(Ask, (_, responder) => responder.runUntilCancelled(() => new Promise<void>(() => {})))
      .connectTo(peer.transport);
    peer.say(call(1, "ask", { n: 1 }), notice("envelope", { cancels: 1 }));
    expect(await peer.answer(1)).toMatchObject({ error: { code: -32800 } });
    peer.end();
    await over;
  });
});

describe("from one connection to another", () => {
  it("a request that is forwarded is cancelled there, under its id there, and its answer comes back", async () => {
    for (const how of ["forwardTo", "onReceivingOkResult", "sendProxiedMessage"] as const) {
      const [up, down] = [new RawPeer(), new RawPeer()];
      await Untyped.builder().connectWith(down.transport, async (lower) => {
        const over = Untyped.builder()
          .withHandler((dispatch) => {
            if (dispatch.kind !== "request") return Handled.no();
            if (how === "sendProxiedMessage") return lower.sendProxiedMessage(dispatch);
            const sent = lower.sendRequest(request("ask"), dispatch.params);
            if (how === "forwardTo") sent.forwardTo(dispatch.responder);
            else sent.onReceivingOkResult(dispatch.responder, (result, kept) => kept.respond(result));
            return Handled.yes;
          })
          .connectTo(up.transport);
        up.say(call("a", "ask", { n: 1 }), call("b", "ask", { n: 2 }), cancel("b"));
        const [a, b] = [await down.called("ask"), await down.called("ask")];
        expect(await down.called("$/cancelRequest")).toMatchObject({ params: { id: b["id"] } });
        down.say(
          { jsonrpc: "2.0", id: b["id"], error: { code: -32800, message: "as you wish" } },
          answer(a["id"], { n: 1 }),
        );
        expect(await up.answer("b")).toMatchObject({ error: { code: -32800, message: "as you wish" } });
        expect(await up.answer("a")).toMatchObject({ result: { n: 1 } });
        up.end();
        await over;
      });
      expect(down.heard).toEqual([]);
    }
  });

  it("a cancel goes one hop: as a notification it is not passed on, others are", async () => {
    const [up, down] = [new RawPeer(), new RawPeer()];
    await Untyped.builder().connectWith(down.transport, async (lower) => {
      const over = Untyped.builder()
        .withHandler((dispatch) => lower.sendProxiedMessage(dispatch))
        .connectTo(up.transport);
      up.say(cancel(99), notice("note", { n: 1 }));
      expect(await down.next()).toMatchObject({ method: "note", params: { n: 1 } });
      up.end();
      await over;
    });
    expect(down.heard).toEqual([]);
  });

  it("a request of one's own is cancelled with the peer's only where one says so", async () => {
    for (const [says, expected] of [
      [true, 1],
      [false, 0],
    ] as const) {
      const peer = new RawPeer();
      const over = Untyped.builder()
        .onReceiveRequest(Outer, async (_, responder, cx) => {
          const sent = cx.sendRequest(Ask, { n: 1 });
          if (says) sent.cancelWith(responder.signal);
          responder.respond(await sent.result());
        })
        .connectTo(peer.transport);
      peer.say(call("o", "outer", { n: 1 }));
      const { id } = await peer.called("ask");
      peer.say(cancel("o"));
      await quiet();
      expect(cancels(peer).length).toBe(expected);
      peer.say(answer(id, { n: 5 }));
      expect(await peer.answer("o")).toMatchObject({ result: { n: 5 } });
      peer.end();
      await over;
    }
  });

  it("a request that had been cancelled when it is forwarded is cancelled there at once", async () => {
    const peer = new RawPeer();
    const over = Untyped.builder()
      .onReceiveRequest(Outer, async (_, responder, cx) => {
        while (!responder.isCancelled) await quiet(1);
        cx.sendRequest(Ask, { n: 1 }).forwardTo(responder);
      })
      .connectTo(peer.transport);
    peer.say(call("o", "outer", { n: 1 }), cancel("o"));
    const { id } = await peer.called("ask");
    expect(await peer.called("$/cancelRequest")).toMatchObject({ params: { id } });
    peer.say(answer(id, { n: 1 }));
    expect(await peer.answer("o")).toMatchObject({ result: { n: 1 } });
    peer.end();
    await over;
  });
});
