// What waits inside of a handler for something that can only come behind it. Nobody hangs: the handler lets the connection go
// on. A handler is never let go for holding it too long here, except where a test says so.
import { describe, expect, it } from "vitest";
import { ConnectionTo, Handled, notification, request, Role, Untyped, type Line } from "../builder.ts";
import { answer, call, gate, notice, quiet, RawPeer, type Json } from "./raw-peer.testing.ts";

const Ask = request<{ n: number }, { n: number }>("ask");
const Outer = request<{ n: number }, { n: number }>("outer");
const Note = notification<{ n: number }>("note");

const PATIENT = { holding: Number.POSITIVE_INFINITY };

/** Whether the runtime follows a handler through its awaits. Browsers do not yet. */
const follows =
  typeof (globalThis as { process?: { getBuiltinModule?: unknown } }).process?.getBuiltinModule ===
  "function";

/** Answers every `ask` with its params, once it has been asked `behind` others. */
async function echo(peer: RawPeer, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    const { id, params } = await peer.called("ask");
    peer.say(answer(id, params));
  }
}

describe("a handler that awaits an answer", () => {
  it("by its own handle gets it, and so does one after many others that wait", async () => {
    const peer = new RawPeer();
    const over = Untyped.builder()
      .onReceiveRequest(Outer, async ({ n }, responder, cx) => {
        const first = await cx.sendRequest(Ask, { n }).result();
        await Promise.resolve();
        const second = await cx.sendRequest(Ask, { n: first.n + 1 }).result();
        responder.respond(second);
      })
      .connectTo(peer.transport, PATIENT);
    peer.say(...Array.from({ length: 50 }, (_, n) => call(`o${n}`, "outer", { n })));
    await echo(peer, 100);
    for (let n = 0; n < 50; n++) expect(await peer.answer(`o${n}`)).toMatchObject({ result: { n: n + 1 } });
    peer.end();
    await over;
  });

  it("by the handle of the main function gets it", async () => {
    const peer = new RawPeer();
    let main: ConnectionTo | undefined;
    await Untyped.builder()
      .onReceiveRequest(Outer, async ({ n }, responder) =>
        responder.respond(await main!.sendRequest(Ask, { n }).result()),
      )
      .connectWith(
        peer.transport,
        async (cx) => {
          main = cx;
          peer.say(call("o", "outer", { n: 3 }));
          await echo(peer, 1);
          expect(await peer.answer("o")).toMatchObject({ result: { n: 3 } });
        },
        PATIENT,
      );
  });

  it("by the handle of another handler, which has settled, gets it", async () => {
    const peer = new RawPeer();
    const kept = gate<ConnectionTo>();
    const over = Untyped.builder()
      .onReceiveNotification(Note, (_, cx) => kept.open(cx))
      .onReceiveRequest(Outer, async ({ n }, responder) => {
        const cx = await kept.opened;
        if (follows) await quiet(2);
        responder.respond(await cx.sendRequest(Ask, { n }).result());
      })
      .connectTo(peer.transport, follows ? PATIENT : { holding: 20, onHandlerError: () => {} });
    peer.say(notice("note", { n: 0 }), call("o", "outer", { n: 3 }));
    await echo(peer, 1);
    expect(await peer.answer("o")).toMatchObject({ result: { n: 3 } });
    peer.end();
    await over;
  });

  it.runIf(follows)("by a handle from elsewhere gets it also after awaits of its own", async () => {
    const peer = new RawPeer();
    let main: ConnectionTo | undefined;
    await Untyped.builder()
      .onReceiveRequest(Outer, async ({ n }, responder) => {
        await quiet(3);
        const { n: first } = await main!.sendRequest(Ask, { n }).result();
        await quiet(3);
        responder.respond(await main!.sendRequest(Ask, { n: first + 1 }).result());
      })
      .connectWith(
        peer.transport,
        async (cx) => {
          main = cx;
          peer.say(call("o", "outer", { n: 3 }));
          await echo(peer, 2);
          expect(await peer.answer("o")).toMatchObject({ result: { n: 4 } });
        },
        PATIENT,
      );
  });

  it("in a notification's handler gets it", async () => {
    const peer = new RawPeer();
    const got = gate<number>();
    const over = Untyped.builder()
      .onReceiveNotification(Note, async ({ n }, cx) =>
        got.open((await cx.sendRequest(Ask, { n }).result()).n),
      )
      .connectTo(peer.transport, PATIENT);
    peer.say(notice("note", { n: 7 }));
    await echo(peer, 1);
    expect(await got.opened).toBe(7);
    peer.end();
    await over;
  });

  it("in a low-level handler that then passes the message on gets it, and the next handler the message", async () => {
    const peer = new RawPeer();
    const over = Untyped.builder()
      .withHandler(async (dispatch, cx) => {
        if (dispatch.kind === "request") await cx.sendRequest(Ask, { n: 1 }).result();
        return Handled.no();
      })
      .onReceiveRequest(Outer, ({ n }, responder) => responder.respond({ n }))
      .connectTo(peer.transport, PATIENT);
    peer.say(call("o", "outer", { n: 3 }));
    await echo(peer, 1);
    expect(await peer.answer("o")).toMatchObject({ result: { n: 3 } });
    peer.end();
    await over;
  });

  it("whose answer is that the peer asks it the same again, many levels deep, is answered", async () => {
    const down = Untyped.builder().onReceiveRequest(Ask, async ({ n }, responder, cx) => {
      if (n === 0) return responder.respond({ n: 0 });
      const { n: deeper } = await cx.sendRequest(Ask, { n: n - 1 }).result();
      responder.respond({ n: deeper + 1 });
    });
    const result = await down.connectWith(down, (cx) => cx.sendRequest(Ask, { n: 100 }).result(), PATIENT);
    expect(result).toEqual({ n: 100 });
  });

  it("while the peer's handler awaits one of it, both ways many at once, is answered", async () => {
    const side = (name: string) =>
      Untyped.builder()
        .name(name)
        .onReceiveRequest(Ask, ({ n }, responder) => responder.respond({ n: n * 2 }))
        .onReceiveRequest(Outer, async ({ n }, responder, cx) =>
          responder.respond(await cx.sendRequest(Ask, { n }).result()),
        );
    const results = await side("left")
      .onReceiveNotification(Note, async (_, cx) => void (await cx.sendRequest(Outer, { n: 1 }).result()))
      .connectWith(
        side("right").withRunner(async (cx) => {
          for (let n = 0; n < 50; n++)
            void cx
              .sendRequest(Outer, { n })
              .result()
              .then(({ n: value }) => expect(value).toBe(2 * n));
        }),
        (cx) => Promise.all(Array.from({ length: 50 }, (_, n) => cx.sendRequest(Outer, { n }).result())),
        PATIENT,
      );
    expect(results).toEqual(Array.from({ length: 50 }, (_, n) => ({ n: n * 2 })));
  });

  it("of another connection, which waits for the next message of its own, gets it", async () => {
    const [up, down] = [new RawPeer(), new RawPeer()];
    await Untyped.builder().connectWith(
      down.transport,
      async (lower) => {
        const over = Untyped.builder()
          .onReceiveRequest(Outer, async ({ n }, responder) =>
            responder.respond(await lower.sendRequest(Ask, { n }).result()),
          )
          .onReceiveNotification(Note, (params) => lower.sendNotification(Note, params))
          .connectTo(up.transport, PATIENT);
        up.say(call("o", "outer", { n: 3 }), notice("note", { n: 4 }));
        await down.called("note");
        await echo(down, 1);
        expect(await up.answer("o")).toMatchObject({ result: { n: 3 } });
        up.end();
        await over;
      },
      PATIENT,
    );
  });

  it("lets go of the connection for the message it is asked for, and of nothing more: what follows comes one at a time", async () => {
    const peer = new RawPeer();
    const log: string[] = [];
    const over = Untyped.builder()
      .onReceiveRequest(Outer, async ({ n }, responder, cx) => {
        log.push(`outer ${n} asks`);
        await cx.sendRequest(Ask, { n }).result();
        log.push(`outer ${n} asks again`);
        await cx.sendRequest(Ask, { n }).result();
        log.push(`outer ${n} ends`);
        responder.respond({ n });
      })
      .onReceiveNotification(Note, async ({ n }) => {
        log.push(`note ${n} starts`);
        await quiet(2);
        log.push(`note ${n} ends`);
      })
      .connectTo(peer.transport, PATIENT);
    peer.say(call("o", "outer", { n: 1 }), notice("note", { n: 2 }), notice("note", { n: 3 }));
    const first = await peer.called("ask");
    peer.say(answer(first["id"], {}), notice("note", { n: 4 }), notice("note", { n: 5 }));
    await echo(peer, 1);
    await peer.answer("o");
    peer.end();
    await over;
    const note = (n: number): string[] => [`note ${n} starts`, `note ${n} ends`];
    expect(log.filter((line) => line.startsWith("note"))).toEqual([2, 3, 4, 5].flatMap(note));
    expect(log.filter((line) => line.startsWith("outer"))).toEqual([
      "outer 1 asks",
      "outer 1 asks again",
      "outer 1 ends",
    ]);
  });
});

describe("what a handler spawns", () => {
  it("awaits answers without letting go for the handler, which goes on alone", async () => {
    const peer = new RawPeer();
    const log: string[] = [];
    const go = gate();
    const over = Untyped.builder()
      .onReceiveRequest(Outer, async ({ n }, responder, cx) => {
        cx.spawn(async () => {
          const result = cx.sendRequest(Ask, { n }).result();
          responder.respond(await result);
        });
        await go.opened;
        log.push("handler ends");
      })
      .onReceiveNotification(Note, () => void log.push("note"))
      .connectTo(peer.transport, PATIENT);
    peer.say(call("o", "outer", { n: 1 }), notice("note", { n: 2 }));
    const { id, params } = await peer.called("ask");
    peer.say(answer(id, params));
    await quiet();
    expect(log).toEqual([]);
    go.open();
    expect(await peer.answer("o")).toMatchObject({ result: { n: 1 } });
    peer.end();
    await over;
    expect(log).toEqual(["handler ends", "note"]);
  });

  it.runIf(follows)("does so also after awaits of its own", async () => {
    const peer = new RawPeer();
    const log: string[] = [];
    const go = gate();
    const over = Untyped.builder()
      .onReceiveRequest(Outer, async ({ n }, responder, cx) => {
        cx.spawn(async () => {
          await quiet(1);
          responder.respond(await cx.sendRequest(Ask, { n }).result());
        });
        await go.opened;
        log.push("handler ends");
      })
      .onReceiveNotification(Note, () => void log.push("note"))
      .connectTo(peer.transport, PATIENT);
    peer.say(call("o", "outer", { n: 1 }), notice("note", { n: 2 }));
    const { id, params } = await peer.called("ask");
    peer.say(answer(id, params));
    await quiet();
    go.open();
    await peer.answer("o");
    peer.end();
    await over;
    expect(log).toEqual(["handler ends", "note"]);
  });
});

describe("an ordered callback that awaits a later answer", () => {
  it.each([
    ["its own handle", "inner"],
    ["the handle of the handler that asked", "outer"],
  ] as const)("by %s gets it", async (_name, whose) => {
    const peer = new RawPeer();
    const over = Untyped.builder()
      .onReceiveRequest(Outer, ({ n }, responder, outer) => {
        outer.sendRequest(Ask, { n }).onReceivingOkResult(responder, async (first, kept, inner) => {
          await quiet(1);
          const cx = whose === "inner" ? inner : outer;
          kept.respond(await cx.sendRequest(Ask, { n: first.n + 1 }).result());
        });
      })
      .connectTo(peer.transport, PATIENT);
    peer.say(call("o", "outer", { n: 1 }));
    await echo(peer, 2);
    expect(await peer.answer("o")).toMatchObject({ result: { n: 2 } });
    peer.end();
    await over;
  });

  it("by the handle of the handler two callbacks before gets it", async () => {
    const peer = new RawPeer();
    const over = Untyped.builder()
      .onReceiveRequest(Outer, ({ n }, responder, outer) => {
        responder.keep();
        outer.sendRequest(Ask, { n }).onReceivingResult((_first, inner) => {
          inner.sendRequest(Ask, { n: 2 }).onReceivingResult(async () => {
            await quiet(1);
            responder.respond(await outer.sendRequest(Ask, { n: 3 }).result());
          });
        });
      })
      .connectTo(peer.transport, PATIENT);
    peer.say(call("o", "outer", { n: 1 }));
    await echo(peer, 3);
    expect(await peer.answer("o")).toMatchObject({ result: { n: 3 } });
    peer.end();
    await over;
  });

  it("of a main function's request gets it", async () => {
    const peer = new RawPeer();
    await Untyped.builder().connectWith(
      peer.transport,
      async (cx) => {
        const got = gate<number>();
        cx.sendRequest(Ask, { n: 1 }).onReceivingResult(async (_, inner) => {
          got.open((await inner.sendRequest(Ask, { n: 2 }).result()).n);
        });
        await echo(peer, 2);
        expect(await got.opened).toBe(2);
      },
      PATIENT,
    );
  });
});

describe("incomingClosed", () => {
  it("in a handler waits for the end, which comes behind it, and the handler still answers", async () => {
    const peer = new RawPeer();
    const over = Untyped.builder()
      .onReceiveRequest(Outer, async ({ n }, responder, cx) => {
        await cx.incomingClosed();
        responder.respond({ n });
      })
      .connectTo(peer.transport, PATIENT);
    peer.say(call("o", "outer", { n: 1 }));
    peer.end();
    expect(await peer.answer("o")).toMatchObject({ result: { n: 1 } });
    await over;
  });

  it("in a function of onClose says that it waits for itself, by whichever handle", async () => {
    const peer = new RawPeer();
    let main: ConnectionTo | undefined;
    const errors: unknown[] = [];
    await Untyped.builder()
      .onClose((cx) => cx.incomingClosed().catch((error: unknown) => errors.push(error)))
      .onClose(async (cx) => {
        await quiet(1);
        await cx.incomingClosed().catch((error: unknown) => errors.push(error));
      })
      .onClose(() => main!.incomingClosed().catch((error: unknown) => errors.push(error)))
      .connectWith(
        peer.transport,
        async (cx) => {
          main = cx;
          peer.end();
          await cx.incomingClosed();
        },
        PATIENT,
      );
    expect(errors.map((error) => (error as Error).message)).toEqual(
      Array.from({ length: follows ? 3 : errors.length }, () => expect.stringContaining("waits for itself")),
    );
    expect(errors.length).toBeGreaterThan(1);
  });

  it("in a task that a function of onClose spawns waits for the others", async () => {
    const peer = new RawPeer();
    const log: string[] = [];
    const done = gate();
    const over = Untyped.builder()
      .onClose((cx) =>
        cx.spawn(async () => {
          const closed = cx.incomingClosed();
          await closed;
          log.push("closed");
          done.open();
        }),
      )
      .onClose(async () => {
        await quiet(3);
        log.push("the last");
      })
      .connectTo(peer.transport, PATIENT);
    peer.end();
    await Promise.all([over, done.opened]);
    expect(log).toEqual(["the last", "closed"]);
  });
});

describe("a handler that holds the connection for something else", () => {
  it("is reported with its method, and let go, once others have waited for it so long; what it does then still counts", async () => {
    const peer = new RawPeer();
    const reported: [string, string][] = [];
    const next = gate();
    const over = Untyped.builder()
      .onReceiveRequest(Outer, async ({ n }, responder) => {
        await next.opened; // which the message behind it opens
        responder.respond({ n });
      })
      .onReceiveNotification(Note, () => next.open())
      .connectTo(peer.transport, {
        holding: 10,
        onHandlerError: (error, method) => void reported.push([(error as Error).message, method]),
      });
    peer.say(call("o", "outer", { n: 1 }), notice("note", { n: 1, secret: "s3cret" }));
    expect(await peer.answer("o")).toMatchObject({ result: { n: 1 } });
    peer.end();
    await over;
    expect(reported).toEqual([[expect.stringContaining("outer has held the connection"), "outer"]]);
    expect(JSON.stringify(reported)).not.toContain("s3cret");
  });

  it("is, also where it is the next one, and the one after that", async () => {
    const peer = new RawPeer();
    const reported: string[] = [];
    const over = Untyped.builder()
      .onReceiveNotification(Note, () => new Promise(() => {}))
      .onReceiveRequest(Ask, ({ n }, responder) => responder.respond({ n }))
      .connectTo(peer.transport, {
        holding: 5,
        limits: { grace: 20 },
        onHandlerError: (_, method) => void reported.push(method),
      });
    peer.say(
      notice("note", { n: 1 }),
      notice("note", { n: 2 }),
      notice("note", { n: 3 }),
      call(4, "ask", { n: 4 }),
    );
    expect(await peer.answer(4)).toMatchObject({ result: { n: 4 } });
    peer.end();
    await over;
    expect(reported).toEqual(["note", "note", "note"]);
  });

  it("is not, as long as nobody waits", async () => {
    const peer = new RawPeer();
    const reported: unknown[] = [];
    const go = gate();
    const over = Untyped.builder()
      .onReceiveNotification(Note, async () => {
        await go.opened;
      })
      .connectTo(peer.transport, { holding: 1, onHandlerError: (error) => void reported.push(error) });
    peer.say(notice("note"));
    const waited = performance.now() + 20;
    while (performance.now() < waited) await quiet(1);
    go.open();
    await quiet();
    peer.end();
    await over;
    expect(reported).toEqual([]);
  });
});

it("a helper that waits for messages lets go by the handle it is given", async () => {
  const peer = new RawPeer();
  const next = gate<Json>();
  const over = Untyped.builder()
    .onReceiveRequest(Outer, async (_, responder, cx) => {
      const message = await cx.letGo(next.opened);
      responder.respond({ n: message["n"] as number });
    })
    .onReceiveNotification(Note, (params) => next.open(params as unknown as Json))
    .connectTo(peer.transport, PATIENT);
  peer.say(call("o", "outer", { n: 1 }), notice("note", { n: 2 }));
  expect(await peer.answer("o")).toMatchObject({ result: { n: 2 } });
  peer.end();
  await over;
});

it("requests that are each made in the callback of the one before keep none of those before them", async () => {
  const depths: number[] = [];
  class Probe extends ConnectionTo {
    constructor(line: Line) {
      super(line);
      let depth = 0;
      for (let { item } = line; item !== undefined; item = item.origin) depth++;
      depths.push(depth);
    }
  }
  const role: Role<Probe> = new Role<Probe>({ name: "Probe", counterpart: () => role, connection: Probe });
  const peer = new RawPeer();
  await role.builder().connectWith(
    peer.transport,
    async (cx) => {
      const done = gate();
      const poll = (via: ConnectionTo, left: number): void =>
        via.sendRequest(Ask, { n: left }).onReceivingResult((_, inner) => {
          if (left === 0) done.open();
          else poll(inner, left - 1);
        });
      poll(cx, 200);
      await echo(peer, 201);
      await done.opened;
      await quiet();
      expect(cx.pending).toEqual([]);
    },
    PATIENT,
  );
  expect(depths.length).toBeGreaterThan(200);
  expect(Math.max(...depths)).toBeLessThan(5);
});
