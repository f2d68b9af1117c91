// What is wrong with a message, what handlers throw, what nobody handles.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe, expect, it } from "vitest";
import {
  anyNotification,
  anyRequest,
  field,
  Handled,
  notification,
  notifications,
  request,
  requests,
  Untyped,
  type Builder,
  type ConnectOptions,
} from "../builder.ts";
import { RpcError, ValidationError } from "../index.ts";
import { answer, call, gate, notice, quiet, RawPeer, type Json } from "./raw-peer.testing.ts";

/** Params with a number `n`; what else they have is left out of what a handler gets, as many validators do. */
function numbered(wait = false): StandardSchemaV1<unknown, { n: number }> {
  const validate = (value: unknown): StandardSchemaV1.Result<{ n: number }> => {
    const n = field(value, "n");
    if (typeof n === "number") return { value: { n } };
    return { issues: [{ message: "expected a number", path: ["n"] }] };
  };
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: wait ? (value) => Promise.resolve().then(() => validate(value)) : validate,
    },
  };
}

const Ask = request<{ n: number }, { n: number }>("ask", { params: numbered(), result: numbered() });
const Slow = request<{ n: number }, { n: number }>("slow", {
  params: numbered(true),
  result: numbered(true),
});
const Plain = request("plain");
const Note = notification<{ n: number }>("note", { params: numbered() });

const server = (): Builder =>
  Untyped.builder()
    .onReceiveRequest(Ask, ({ n }, responder) => responder.respond({ n }))
    .onReceiveRequest(Slow, ({ n }, responder) => responder.respond({ n }))
    .onReceiveRequest(Plain, (params, responder) => responder.respond(params ?? "nothing"));

const SECRET = "s3cret";

/** What the peer hears to these messages, up to the answer of a good request behind them; and what was reported. */
async function replies(
  builder: Builder,
  messages: readonly (Json | string)[],
  options: ConnectOptions = {},
): Promise<{ readonly heard: readonly Json[]; readonly reported: readonly unknown[] }> {
  const peer = new RawPeer();
  const reported: unknown[] = [];
  const over = builder.connectTo(peer.transport, {
    onHandlerError: (error) => void reported.push(error),
    ...options,
  });
  peer.say(...messages, call("good", "ask", { n: 1 }));
  expect(await peer.answer("good")).toMatchObject({ result: { n: 1 } });
  peer.end();
  await over;
  expect(JSON.stringify(peer.heard)).not.toContain(SECRET);
  return { heard: peer.heard, reported };
}

describe("a malformed message is answered, echoes nothing, and the connection goes on", () => {
  it.each([
    ["no JSON", `{"method":"${SECRET}"`, -32700, null],
    ["a primitive", `"${SECRET}"`, -32600, null],
    ["params that are a scalar", call("bad", "plain", SECRET), -32600, "bad"],
    ["a method that is none", { jsonrpc: "2.0", id: "bad", method: 7, params: [SECRET] }, -32600, "bad"],
    ["no version", { id: "bad", method: "plain", params: [SECRET] }, -32600, "bad"],
    ["an id that is an object", { jsonrpc: "2.0", id: { a: SECRET }, method: "plain" }, -32600, null],
    ["an empty batch", "[]", -32600, null],
  ])("%s", async (_name, message, code, id) => {
    const { heard } = await replies(server(), [message]);
    expect(heard).toMatchObject([{ error: { code } }]);
    expect([id, null]).toContain(heard[0]!["id"]);
  });

  it.each([
    ["of no request of ours", { jsonrpc: "2.0", id: 99, result: SECRET }],
    [
      "with a result and an error",
      { jsonrpc: "2.0", id: 99, result: 1, error: { code: 1, message: SECRET } },
    ],
    ["whose error is none", { jsonrpc: "2.0", id: 99, error: SECRET }],
    ["with id null", { jsonrpc: "2.0", id: null, error: { code: -32700, message: SECRET } }],
    ["without an id", { jsonrpc: "2.0", result: SECRET }],
  ])("but an answer %s is not answered", async (_name, message) => {
    const { heard } = await replies(server(), [message]);
    expect(heard).toEqual([]);
  });

  it("a method beside a result or an error is a request: members that do not belong to one are ignored", async () => {
    const { heard } = await replies(server(), [
      { ...call(1, "plain", {}), result: SECRET },
      { ...call(2, "plain", {}), error: { code: 1, message: SECRET } },
    ]);
    expect(heard.map(({ result }) => result)).toEqual([{}, {}]);
  });

  it("a malformed answer to a request of ours fails that request", async () => {
    const peer = new RawPeer();
    await Untyped.builder().connectWith(peer.transport, async (cx) => {
      const sent = cx.sendRequest(Plain, {}).result();
      const { id } = await peer.called("plain");
      peer.say({ jsonrpc: "2.0", id, result: 1, error: { code: 1, message: "both" } });
      await expect(sent).rejects.toBeInstanceOf(Error);
    });
    expect(peer.heard).toEqual([]);
  });
});

describe("params", () => {
  it("that are absent, null, an object or an array are passed on; a result may be any value", async () => {
    const { heard } = await replies(server(), [
      call(1, "plain"),
      call(2, "plain", null),
      call(3, "plain", {}),
      call(4, "plain", [1]),
    ]);
    expect(heard.map(({ result }) => result)).toEqual(["nothing", "nothing", {}, [1]]);
  });

  it("that are not what the type says are answered -32602 with the place and the reason, and no later handler sees them", async () => {
    const seen: string[] = [];
    const builder = server().withHandler((dispatch) => {
      seen.push(dispatch.method);
      return Handled.no();
    });
    const bad = { n: SECRET, [SECRET]: 1 };
    const { heard, reported } = await replies(builder, [
      call(1, "ask", bad),
      call(2, "slow", bad),
      call(3, "ask"),
    ]);
    const data = { issues: [{ path: "n", message: "expected a number" }] };
    expect(heard).toMatchObject([1, 2, 3].map((id) => ({ id, error: { code: -32602, data } })));
    expect([seen, reported]).toEqual([[], []]);
  });

  it("that are wrong for one of several requests are answered -32602, too", async () => {
    const builder = Untyped.builder().onReceiveRequest(requests(Ask, Plain), ({ params }, responder) =>
      responder.respond(params as { n: number }),
    );
    const { heard } = await replies(builder, [call(1, "ask", { n: SECRET }), call(2, "plain", { any: 1 })]);
    expect(heard).toMatchObject([
      { id: 1, error: { code: -32602 } },
      { id: 2, result: { any: 1 } },
    ]);
  });

  it("that are wrong for a dispatch handler are answered -32602", async () => {
    const builder = server();
    const first = Untyped.builder()
      .onReceiveDispatch({ request: Slow, notification: Note }, () => Handled.no())
      .withConnectionBuilder(builder);
    const { heard, reported } = await replies(first, [
      call(1, "slow", {}),
      notice("note", {}),
      call(2, "slow", { n: 2 }),
    ]);
    expect(heard).toMatchObject([
      { id: 1, error: { code: -32602 } },
      { id: 2, result: { n: 2 } },
    ]);
    expect(reported.length).toBe(1);
  });

  it("that a typed handler declines reach the next one as they came, with members its type does not know", async () => {
    const seen: unknown[] = [];
    const builder = Untyped.builder()
      .onReceiveRequest(Ask, (params) => {
        seen.push(params);
        return Handled.no();
      })
      .onReceiveRequest(Slow, async () => Handled.no())
      .onReceiveDispatch({ request: requests(Ask, Slow) }, () => Handled.no())
      .onReceiveRequest(anyRequest, ({ params }, responder) => responder.respond(params));
    const extended = { n: 1, unknown: { deep: [1, null] }, _meta: { a: "b" } };
    const { heard } = await replies(builder, [call(1, "ask", extended), call(2, "slow", extended)]);
    expect(heard.map(({ result }) => result)).toEqual([extended, extended]);
    expect(seen[0]).toEqual({ n: 1 });
  });

  it("that a handler replaces are what the next one sees, under the method it says", async () => {
    const builder = Untyped.builder()
      .onReceiveRequest(Ask, ({ n }) =>
        Handled.no({ message: { method: "plain", params: { n: n + 1, was: "ask" } } }),
      )
      .onReceiveRequest(Plain, (params, responder) => responder.respond(params))
      .onReceiveRequest(Slow, () => Handled.no({ message: { method: "ask", params: { n: 5 } } }))
      .onReceiveRequest(anyRequest, ({ method, params }, responder) => responder.respond({ method, params }));
    const peer = new RawPeer();
    const over = builder.connectTo(peer.transport);
    peer.say(call(1, "ask", { n: 1 }), call(2, "slow", { n: 1 }));
    expect([await peer.next(), await peer.next()]).toMatchObject([
      { id: 1, result: { n: 2, was: "ask" } },
      { id: 2, result: { method: "ask", params: { n: 5 } } },
    ]);
    peer.end();
    await over;
  });
});

describe("what a handler of a request throws", () => {
  it("is the answer: an RpcError as it is, anything else -32603 without its text, which onHandlerError is told", async () => {
    const thrown = new Map<string, unknown>([
      ["rpc", new RpcError(7, "out of paper", { tray: 2 })],
      ["error", new Error(SECRET)],
      ["string", SECRET],
      ["nothing", undefined],
    ]);
    const builder = server().onReceiveRequest(anyRequest, ({ method }, responder) => {
      if (method.startsWith("late ")) return Promise.reject(thrown.get(method.slice(5)));
      if (thrown.has(method)) throw thrown.get(method);
      return responder.respond(null);
    });
    const { heard, reported } = await replies(
      builder,
      [...thrown.keys()].flatMap((method) => [
        call(method, method),
        call(`late ${method}`, `late ${method}`),
      ]),
    );
    const [rpc, internal] = [
      { code: 7, message: "out of paper", data: { tray: 2 } },
      { code: -32603, message: "Internal error" },
    ];
    expect(heard.map(({ error }) => error)).toEqual([rpc, rpc, ...Array.from({ length: 6 }, () => internal)]);
    expect(reported).toEqual(
      ["error", "error", "string", "string", "nothing", "nothing"].map((name) => thrown.get(name)),
    );
  });

  it("after it has answered is reported, and the answer stands", async () => {
    const failures = [new Error("sync"), new Error("async")];
    const builder = server()
      .onReceiveRequest(request("sync"), (_, responder) => {
        responder.respond(1);
        throw failures[0];
      })
      .onReceiveRequest(request("async"), async (_, responder) => {
        responder.respond(2);
        await quiet(1);
        throw failures[1];
      });
    const { heard, reported } = await replies(builder, [call(1, "sync"), call(2, "async")]);
    expect(heard.map(({ result }) => result)).toEqual([1, 2]);
    expect(reported).toEqual(failures);
  });

  it("is the answer in a batch, too, beside the others", async () => {
    const peer = new RawPeer();
    const over = server()
      .onReceiveRequest(request("fails"), () => {
        throw new RpcError(7, "no");
      })
      .connectTo(peer.transport);
    peer.say([call(1, "fails"), call(2, "plain", { a: 1 })]);
    expect(await peer.next()).toMatchObject([
      { id: 1, error: { code: 7 } },
      { id: 2, result: { a: 1 } },
    ]);
    peer.end();
    await over;
  });
});

describe("a responder", () => {
  it("answers once: a second use throws at whoever tries, and the peer hears nothing of it", async () => {
    const errors: unknown[] = [];
    const builder = server().onReceiveRequest(request("twice"), (_, responder) => {
      responder.respond(1);
      for (const again of [() => responder.respond(2), () => responder.respondWithError(new Error("3"))])
        try {
          again();
        } catch (error) {
          errors.push((error as Error).message);
        }
    });
    const { heard } = await replies(builder, [call(1, "twice")]);
    expect(heard).toMatchObject([{ id: 1, result: 1 }]);
    expect(errors).toEqual(Array.from({ length: 2 }, () => expect.stringContaining("answers once")));
  });

  it("that is lost is answered for with -32603 once the handler, and what it spawned, has settled; onHandlerError is told", async () => {
    const log: string[] = [];
    const go = gate();
    const builder = server()
      .onReceiveRequest(request("forgets"), () => {})
      .onReceiveRequest(request("claims"), async () => Handled.yes)
      .onReceiveRequest(request("spawns"), (_, _responder, cx) => {
        cx.spawn(async () => {
          await go.opened;
          log.push("spawned ends");
        });
      });
    const peer = new RawPeer();
    const reported: string[] = [];
    const over = builder.connectTo(peer.transport, {
      onHandlerError: (_, method) => void reported.push(method),
    });
    peer.say(call(1, "spawns"), call(2, "forgets"), call(3, "claims"));
    expect(await peer.next()).toMatchObject({ id: 2, error: { code: -32603 } });
    expect(await peer.next()).toMatchObject({ id: 3, error: { code: -32603 } });
    await quiet();
    expect(peer.heard).toEqual([]);
    go.open();
    expect(await peer.next()).toMatchObject({ id: 1, error: { code: -32603 } });
    expect([log, reported]).toEqual([["spawned ends"], ["forgets", "claims", "spawns"]]);
    peer.end();
    await over;
  });

  it("that was to be used by the answer to a request of ours is used, or answered for", async () => {
    const peer = new RawPeer();
    const reported: string[] = [];
    const over = Untyped.builder()
      .onReceiveRequest(request("outer"), (_, responder, cx) => {
        cx.sendRequest(Plain, {}).onReceivingResult((outcome) => {
          if (outcome.ok && outcome.value === "use it") responder.respond("used");
        });
      })
      .connectTo(peer.transport, { onHandlerError: (_, method) => void reported.push(method) });
    peer.say(call("a", "outer"), call("b", "outer"));
    const ids = [(await peer.called("plain"))["id"], (await peer.called("plain"))["id"]];
    peer.say(answer(ids[0], "use it"), answer(ids[1], "leave it"));
    expect(await peer.answer("a")).toMatchObject({ result: "used" });
    expect(await peer.answer("b")).toMatchObject({ error: { code: -32603 } });
    expect(reported).toEqual(["outer"]);
    peer.end();
    await over;
  });

  it("says what it answers: mapped, tapped, with an error, with an internal error that has a reason", async () => {
    const told: unknown[] = [];
    const builder = server()
      .onReceiveRequest(request<unknown, string>("mapped"), (_, responder) =>
        responder
          .tap((outcome) => told.push(outcome))
          .map((n: number) => `n is ${n}`)
          .map((text: string) => text.length)
          .respond("four"),
      )
      .onReceiveRequest(request("fails to map"), (_, responder) =>
        responder
          .map(() => {
            throw new RpcError(5, "no such");
          })
          .respond(null),
      )
      .onReceiveRequest(request("reasons"), (_, responder) =>
        responder.respondWithInternalError("out of paper"),
      )
      .onReceiveRequest(request("bigint"), (_, responder) => responder.respond({ n: 1n }));
    const { heard } = await replies(
      builder,
      ["mapped", "fails to map", "reasons", "bigint"].map((method) => call(method, method)),
    );
    expect(heard).toMatchObject([
      { id: "mapped", result: "n is 4" },
      { id: "fails to map", error: { code: 5, message: "no such" } },
      { id: "reasons", error: { code: -32603, data: "out of paper" } },
      { id: "bigint", error: { code: -32603 } },
    ]);
    expect(told).toEqual([{ ok: true, value: "n is 4" }]);
  });
});

describe("notifications", () => {
  it("that are unknown, have wrong params, or whose handler throws get no reply, and the connection goes on", async () => {
    const failures = [new Error("sync"), new Error("async")];
    const builder = server()
      .onReceiveNotification(Note, () => {})
      .onReceiveNotification(notification("sync"), () => {
        throw failures[0];
      })
      .onReceiveNotification(notification("async"), async () => {
        throw failures[1];
      });
    const { heard, reported } = await replies(builder, [
      notice("unknown", { a: SECRET }),
      notice("$/unknown"),
      notice("note", { n: SECRET }),
      notice("sync"),
      notice("async"),
    ]);
    expect(heard).toEqual([]);
    expect(reported).toMatchObject([{ _tag: "RpcError", code: -32602 }, ...failures]);
    expect(JSON.stringify(reported)).not.toContain(SECRET);
  });

  it("may be swallowed by a handler of everything, or of any of several", async () => {
    const seen: string[] = [];
    const builder = server()
      .onReceiveNotification(
        notifications(Note, notification("other")),
        ({ method }) => void seen.push(method),
      )
      .onReceiveNotification(anyNotification, ({ method }) => void seen.push(`any: ${method}`));
    const { heard } = await replies(builder, [notice("note", { n: 1 }), notice("other"), notice("more")]);
    expect([heard, seen]).toEqual([[], ["note", "other", "any: more"]]);
  });
});

describe("an answer to a request of ours", () => {
  const asking = async <T>(
    use: (peer: RawPeer, id: unknown) => void,
    builder: Builder,
    type = Ask,
  ): Promise<T> => {
    const peer = new RawPeer();
    const result = await builder.connectWith(peer.transport, async (cx) => {
      const sent = cx.sendRequest(type, { n: 1 }).result() as Promise<T>;
      use(peer, (await peer.called(type.method))["id"]);
      return sent.catch((error: unknown) => error as T);
    });
    expect(peer.heard).toEqual([]);
    return result;
  };

  it("that is an error rejects with it", async () => {
    const error = await asking(
      (peer, id) => peer.say({ jsonrpc: "2.0", id, error: { code: 9, message: "no", data: [1] } }),
      Untyped.builder(),
    );
    expect(error).toMatchObject({ _tag: "RpcError", code: 9, message: "no", data: [1] });
  });

  it.each([Ask, Slow])(
    "that is not what $method says rejects, and nothing goes on the wire",
    async (type) => {
      const error = await asking((peer, id) => peer.say(answer(id, { n: "one" })), Untyped.builder(), type);
      expect(error).toBeInstanceOf(ValidationError);
    },
  );

  it("that is an error leaves the connection up, however it is consumed", async () => {
    const peer = new RawPeer();
    await Untyped.builder()
      .onReceiveRequest(request<unknown, { n: number }>("outer"), (_, responder, cx) =>
        cx.sendRequest(Ask, { n: 1 }).onReceivingOkResult(responder, () => {}),
      )
      .connectWith(peer.transport, async (cx) => {
        const refuse = async (): Promise<void> =>
          peer.say({
            jsonrpc: "2.0",
            id: (await peer.called("ask"))["id"],
            error: { code: -32000, message: "no" },
          });
        const came = gate<unknown>();
        cx.sendRequest(Ask, { n: 1 }).onReceivingResult((outcome) => came.open(outcome));
        await refuse();
        expect(await came.opened).toMatchObject({ ok: false, error: { code: -32000 } });
        cx.sendRequest(Ask, { n: 1 }).detach();
        await refuse();
        peer.say(call("o", "outer"));
        await refuse();
        expect(await peer.answer("o")).toMatchObject({ error: { code: -32000, message: "no" } });
        const last = cx.sendRequest(Ask, { n: 1 }).result();
        peer.say(answer((await peer.called("ask"))["id"], { n: 1 }));
        expect(await last).toEqual({ n: 1 });
      });
  });

  it("comes as an error to an ordered callback where it is not what its type says", async () => {
    const peer = new RawPeer();
    await Untyped.builder().connectWith(peer.transport, async (cx) => {
      for (const type of [Ask, Slow]) {
        const came = gate<unknown>();
        cx.sendRequest(type, { n: 1 }).onReceivingResult((outcome) =>
          came.open(!outcome.ok && outcome.error),
        );
        peer.say(answer((await peer.called(type.method))["id"], null));
        expect(await came.opened).toBeInstanceOf(ValidationError);
      }
    });
  });

  it("is replaced, here alone, by what a handler of it throws", async () => {
    for (const fails of [
      () => {
        throw new RpcError(8, "intercepted");
      },
      () => Promise.reject(new RpcError(8, "intercepted")),
    ]) {
      const builder = Untyped.builder().onReceiveDispatch({ request: Ask }, fails);
      const error = await asking((peer, id) => peer.say(answer(id, { n: 1 })), builder);
      expect(error).toMatchObject({ code: 8, message: "intercepted" });
    }
  });

  it("is what a handler of it routes, the first time it does", async () => {
    const builder = Untyped.builder().onReceiveDispatch({ request: Ask }, (dispatch) => {
      if (dispatch.kind !== "response") return;
      dispatch.router.route({ n: 10 });
      dispatch.router.route({ n: 20 });
      throw new Error("too late");
    });
    expect(await asking((peer, id) => peer.say(answer(id, { n: 1 })), builder)).toEqual({ n: 10 });
  });

  it("that comes after it was given up, or twice, is discarded", async () => {
    const peer = new RawPeer();
    const over = Untyped.builder().connectWith(peer.transport, async (cx) => {
      {
        using sent = cx.sendRequest(Ask, { n: 1 });
        expect(sent.method).toBe("ask");
      }
      const { id } = await peer.called("ask");
      await peer.called("$/cancelRequest");
      peer.say(answer(id, { n: 1 }), answer(id, { n: 2 }));
      const next = cx.sendRequest(Ask, { n: 3 }).result();
      const second = await peer.called("ask");
      peer.say(answer(second["id"], { n: 3 }), answer(second["id"], { n: 4 }));
      return next;
    });
    expect(await over).toEqual({ n: 3 });
  });

  it("that is lost on its way to a request it is forwarded to answers that with -32603", async () => {
    const peer = new RawPeer();
    const over = Untyped.builder()
      .onReceiveRequest(request("outer"), (_, responder, cx) =>
        cx.sendRequest(Plain, {}).forwardTo(responder),
      )
      .onReceiveDispatch({ request: Plain }, () => Handled.yes)
      .connectTo(peer.transport);
    peer.say(call("o", "outer"));
    peer.say(answer((await peer.called("plain"))["id"], 1));
    expect(await peer.answer("o")).toMatchObject({ error: { code: -32603 } });
    peer.end();
    await over;
  });

  it("goes to one place: a second is told so at once", async () => {
    const peer = new RawPeer();
    await Untyped.builder().connectWith(peer.transport, async (cx) => {
      const sent = cx.sendRequest(Plain, {});
      const first = sent.result();
      await expect(sent.result()).rejects.toThrow("one place");
      expect(() => sent.onReceivingResult(() => {})).toThrow("one place");
      expect(() => sent.detach()).toThrow("one place");
      sent[Symbol.dispose]();
      peer.say(answer((await peer.called("plain"))["id"], 1));
      expect(await first).toBe(1);
    });
  });

  it("whose second consumer was refused leaves the request of its handler answered", async () => {
    const peer = new RawPeer();
    const over = Untyped.builder()
      .onReceiveRequest(request("outer"), async (_, responder, cx) => {
        const sent = cx.sendRequest(Plain, {});
        sent.detach();
        expect(() => sent.onReceivingResult(() => {})).toThrow("one place");
      })
      .connectTo(peer.transport, { onHandlerError: () => {} });
    peer.say(call("o", "outer"));
    expect(await peer.answer("o")).toMatchObject({ error: { code: -32603 } });
    peer.end();
    await over;
  });
});

it("a request that cannot be sent fails by its outcome, and nothing goes out", async () => {
  const peer = new RawPeer();
  await Untyped.builder().connectWith(peer.transport, async (cx) => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    const refused = cx.sendRequest(Plain, circle);
    await expect(refused.result()).rejects.toMatchObject({ _tag: "RefusedError" });
    expect(refused.id).toBe(undefined);
    const failed = gate<boolean>();
    cx.sendRequest(Plain, { n: 1n }).onReceivingResult(({ ok }) => failed.open(ok));
    expect(await failed.opened).toBe(false);
    await expect(cx.sendNotification(notification("n"), { n: 1n })).rejects.toMatchObject({
      _tag: "RefusedError",
    });
    expect(() => cx.sendRequest(Plain, {}, { timeout: -1 })).toThrow(RangeError);
    expect(cx.pending).toEqual([]);
  });
  expect(peer.heard).toEqual([]);
});
