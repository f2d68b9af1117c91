// JSON-RPC batches, which foreign peers send and which are answered as one array (C8).
import { describe, expect, it } from "vitest";
import { Handled, notification, request, Untyped, type Builder, type Responder } from "../builder.ts";
import { RpcError } from "../index.ts";
import { answer, call, gate, notice, quiet, RawPeer, type Json } from "./raw-peer.testing.ts";

const Ask = request<{ n: number }, { n: number }>("ask");
const Later = request<{ n: number }>("later");
const Fails = request("fails");
const Note = notification<{ n: number }>("note");

// What is no message, between messages.
const SEVEN = JSON.parse("7") as Json;

const server = (): Builder =>
  Untyped.builder()
    .onReceiveRequest(Ask, ({ n }, responder) => responder.respond({ n }))
    .onReceiveRequest(Fails, () => {
      throw new RpcError(7, "no");
    });

async function hears(peer: RawPeer): Promise<Json[]> {
  return (await peer.next()) as unknown as Json[];
}

it("a mixed batch is answered by one array with an entry for each that asks for one, and single answers follow", async () => {
  const peer = new RawPeer();
  const reported: unknown[] = [];
  const over = server()
    .onReceiveNotification(Note, () => {
      throw new Error("bad note");
    })
    .connectTo(peer.transport, { onHandlerError: (error) => void reported.push((error as Error).message) });
  peer.say([
    call(1, "ask", { n: 1 }),
    notice("note", { n: 2 }),
    SEVEN,
    call("unknown", "nothing"),
    call(3, "fails"),
    { jsonrpc: "2.0", id: 99, result: 1, error: { code: 1, message: "both" } },
    notice("unknown"),
  ]);
  peer.say(call(4, "ask", { n: 4 }));
  const [batch, single] = [await hears(peer), await peer.next()];
  expect(single).toMatchObject({ id: 4, result: { n: 4 } });
  expect(batch.length).toBe(4);
  const codes = new Map(batch.map(({ id, error }) => [id, (error as Json | undefined)?.["code"]]));
  expect(codes).toEqual(
    new Map<unknown, unknown>([
      [1, undefined],
      [null, -32600],
      ["unknown", -32601],
      [3, 7],
    ]),
  );
  expect(reported).toEqual(["bad note"]);
  peer.end();
  await over;
});

it("the array waits for the handler of a notification behind the last request (C8)", async () => {
  const peer = new RawPeer();
  const go = gate();
  const started = gate();
  const over = server()
    .onReceiveNotification(Note, async () => {
      started.open();
      await go.opened;
    })
    .connectTo(peer.transport);
  peer.say([call(1, "ask", { n: 1 }), notice("note", { n: 1 })]);
  await started.opened;
  await quiet();
  expect(peer.heard).toEqual([]);
  go.open();
  expect(await hears(peer)).toMatchObject([{ id: 1, result: { n: 1 } }]);
  peer.end();
  await over;
});

it("a batch that is not complete is withheld, and holds up nobody else", async () => {
  const peer = new RawPeer();
  const kept = gate<Responder>();
  const over = server()
    .onReceiveRequest(Later, (_, responder) => kept.open(responder.keep()))
    .connectTo(peer.transport);
  peer.say([call(1, "ask", { n: 1 }), call(2, "later", { n: 2 })]);
  peer.say(call(3, "ask", { n: 3 }));
  expect(await peer.next()).toMatchObject({ id: 3 });
  await quiet();
  expect(peer.heard).toEqual([]);
  (await kept.opened).respond("late");
  // In the order of their completion.
  expect(await hears(peer)).toMatchObject([
    { id: 1, result: { n: 1 } },
    { id: 2, result: "late" },
  ]);
  peer.end();
  await over;
});

it("a responder that is lost in a batch becomes a -32603 and strands none of the others", async () => {
  const peer = new RawPeer();
  const over = server()
    .onReceiveRequest(Later, () => {})
    .connectTo(peer.transport, { onHandlerError: () => {} });
  peer.say([call(1, "later"), call(2, "ask", { n: 2 })]);
  expect(await hears(peer)).toMatchObject([
    { id: 1, error: { code: -32603 } },
    { id: 2, result: { n: 2 } },
  ]);
  peer.end();
  await over;
});

it("a parked entry of a batch that fails later is answered with that failure, in the array", async () => {
  const peer = new RawPeer();
  await server()
    .withHandler(() => Handled.no({ retry: true }))
    .connectWith(peer.transport, async (cx) => {
      peer.say([call(1, "parked"), call(2, "ask", { n: 2 })]);
      await quiet();
      expect(peer.heard).toEqual([]);
      cx.addDynamicHandler(async () => {
        await quiet(1);
        throw new RpcError(8, "later");
      });
      expect(await hears(peer)).toMatchObject([
        { id: 2, result: { n: 2 } },
        { id: 1, error: { code: 8 } },
      ]);
    });
});

it("a batch of nothing valid is an array of errors, an empty one is one error, and the connection goes on", async () => {
  const peer = new RawPeer();
  const over = server().connectTo(peer.transport);
  peer.say("[1, null, {}]", "[]", call(1, "ask", { n: 1 }));
  expect(await hears(peer)).toMatchObject([1, 2, 3].map(() => ({ id: null, error: { code: -32600 } })));
  expect(await peer.next()).toMatchObject({ id: null, error: { code: -32600 } });
  expect(await peer.next()).toMatchObject({ id: 1, result: { n: 1 } });
  peer.end();
  await over;
});

it("beside a malformed answer, what is invalid gets one error and the answer none", async () => {
  const peer = new RawPeer();
  const over = server().connectTo(peer.transport);
  peer.say([SEVEN, { jsonrpc: "2.0", id: 5, error: "no" }], call(1, "ask", { n: 1 }));
  expect(await hears(peer)).toMatchObject([{ id: null, error: { code: -32600 } }]);
  expect(await peer.next()).toMatchObject({ id: 1 });
  peer.end();
  await over;
});

it("a batch of notifications, or of answers, is answered by nothing", async () => {
  const peer = new RawPeer();
  const seen: number[] = [];
  await server()
    .onReceiveNotification(Note, ({ n }) => void seen.push(n))
    .connectWith(peer.transport, async (cx) => {
      const sent = [1, 2].map((n) => cx.sendRequest(Ask, { n }).result());
      const ids = [(await peer.called("ask"))["id"], (await peer.called("ask"))["id"]];
      peer.say(
        [notice("note", { n: 1 }), notice("note", { n: 2 })],
        [answer(ids[1], { n: 20 }), answer(ids[0], { n: 10 })],
      );
      peer.say(call("barrier", "ask", { n: 3 }));
      expect(await Promise.all(sent)).toEqual([{ n: 10 }, { n: 20 }]);
      expect(await peer.next()).toMatchObject({ id: "barrier" });
    });
  expect([seen, peer.heard]).toEqual([[1, 2], []]);
});

describe("C4: an id that is in use", () => {
  it("in the same batch is answered -32600 with id null, and the first is undisturbed", async () => {
    const peer = new RawPeer();
    const kept = gate<Responder>();
    const over = server()
      .onReceiveRequest(Later, (_, responder) => kept.open(responder.keep()))
      .connectTo(peer.transport);
    peer.say([call(1, "later"), call(1, "ask", { n: 2 }), call(1, "later")]);
    (await kept.opened).respond("first");
    expect(await hears(peer)).toMatchObject([
      { id: null, error: { code: -32600 } },
      { id: null, error: { code: -32600 } },
      { id: 1, result: "first" },
    ]);
    peer.end();
    await over;
  });

  it("is free again once it is answered, and batches that overlap do not mix what they answer", async () => {
    const peer = new RawPeer();
    const kept: Responder[] = [];
    const all = gate();
    const over = server()
      .onReceiveRequest(Later, (_, responder) => {
        if (kept.push(responder.keep()) === 2) all.open();
      })
      .connectTo(peer.transport);
    peer.say([call(1, "ask", { n: 1 }), call("a", "later")], [call(1, "ask", { n: 2 }), call("b", "later")]);
    await all.opened;
    kept[1]!.respond("second");
    kept[0]!.respond("first");
    // The first batch's 1 had its turn before the second's came: it was answered, though not sent.
    const batches = [await hears(peer), await hears(peer)];
    const byLater = (id: string): Json[] => batches.find((batch) => batch.some((one) => one["id"] === id))!;
    expect(byLater("a")).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ id: 1, result: { n: 1 } })]),
    );
    expect(byLater("b").length).toBe(2);
    expect(byLater("a").some(({ result }) => (result as Json)["n"] === 2)).toBe(false);
    peer.end();
    await over;
  });

  it("by itself is answered -32600 with id null while the first runs", async () => {
    const peer = new RawPeer();
    const kept = gate<Responder>();
    const over = server()
      .onReceiveRequest(Later, (_, responder) => kept.open(responder.keep()))
      .connectTo(peer.transport);
    peer.say(call(1, "later"), call(1, "later"));
    expect(await peer.next()).toMatchObject({ id: null, error: { code: -32600 } });
    (await kept.opened).respond("first");
    expect(await peer.next()).toMatchObject({ id: 1, result: "first" });
    peer.end();
    await over;
  });
});

it("a second answer, after the array has gone out, is ignored", async () => {
  const peer = new RawPeer();
  const kept = gate<Responder>();
  const over = server()
    .onReceiveRequest(Later, (_, responder) => {
      kept.open(responder.map((value) => value));
      responder.respond("first");
    })
    .connectTo(peer.transport);
  peer.say([call(1, "later")]);
  expect(await hears(peer)).toMatchObject([{ id: 1, result: "first" }]);
  (await kept.opened).respond("second");
  await quiet();
  expect(peer.heard).toEqual([]);
  peer.end();
  await over;
});

it("a batch is answered whole before the main function's end", async () => {
  const peer = new RawPeer();
  await server()
    .onReceiveRequest(Later, (_, responder) => void responder.keep())
    .connectWith(peer.transport, async () => {
      peer.say([call(1, "later"), call(2, "ask", { n: 2 })]);
      await quiet();
    });
  const batch = await hears(peer);
  expect(batch.find(({ id }) => id === 2)).toMatchObject({ result: { n: 2 } });
  expect(batch.find(({ id }) => id === 1)).toMatchObject({ error: { code: -32603 } });
});

it("we send no batches", async () => {
  const peer = new RawPeer();
  await Untyped.builder().connectWith(peer.transport, async (cx) => {
    for (let n = 0; n < 10; n++) void cx.sendNotification(Note, { n });
  });
  expect(peer.heard.every((message) => !Array.isArray(message))).toBe(true);
  expect(peer.heard.length).toBe(10);
});
