// Finding out what a message is, inside of one handler; and whose it is, where several speak over one connection.
import { describe, expect, it } from "vitest";
import {
  anyNotification,
  anyRequest,
  counterpartStyle,
  field,
  Handled,
  matchDispatch,
  messageOf,
  notification,
  request,
  requests,
  Role,
  Untyped,
  type Builder,
  type ChainMessage,
  type ConnectionTo,
  type Dispatch,
  type MatchDispatch,
  type RemoteStyle,
} from "../builder.ts";
import { RpcError, ValidationError } from "../index.ts";
import { answer, call, gate, notice, quiet, RawPeer, type Json } from "./raw-peer.testing.ts";

interface Numbered {
  readonly n: number;
}
const schema = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value: unknown) =>
      typeof field(value, "n") === "number"
        ? { value: { n: field(value, "n") as number } }
        : { issues: [{ message: "expected a number", path: ["n"] }] },
  },
} as const;

const Ask = request<Numbered, Numbered>("ask", { params: schema, result: schema });
const Other = request<Numbered, Numbered>("other", { params: schema });
const Note = notification<Numbered>("note", { params: schema });

type Cases = (match: MatchDispatch) => Promise<Handled>;

const matching = (cases: Cases): Builder =>
  Untyped.builder().withHandler((dispatch, cx) => cases(matchDispatch(dispatch, cx)));

async function replies(builder: Builder, messages: readonly Json[]): Promise<readonly Json[]> {
  const peer = new RawPeer();
  const over = builder.connectTo(peer.transport, { onHandlerError: () => {} });
  peer.say(...messages);
  peer.end();
  await over;
  return peer.heard;
}

it("the first case that matches has the message, and the ones behind it do not run", async () => {
  const log: string[] = [];
  const builder = matching((match) =>
    match
      .ifNotification(Note, ({ n }) => void log.push(`note ${n}`))
      .ifRequest(Ask, ({ n }, responder) => responder.respond({ n }))
      .ifRequest(Ask, () => void log.push("never"))
      .ifRequest(anyRequest, ({ method }, responder) => responder.respond({ method }))
      .ifNotification(anyNotification, ({ method }) => void log.push(`any ${method}`))
      .done(),
  );
  expect(
    await replies(builder, [call(1, "ask", { n: 1 }), notice("note", { n: 2 }), notice("x"), call(3, "y")]),
  ).toMatchObject([
    { id: 1, result: { n: 1 } },
    { id: 3, result: { method: "y" } },
  ]);
  expect(log).toEqual(["note 2", "any x"]);
});

it("what no case claims goes on to the next handler, as it came", async () => {
  const builder = matching((match) =>
    match
      .ifRequest(Ask, () => Handled.no())
      .ifDispatch({ request: requests(Ask, Other), notification: Note }, () => Handled.no())
      .done(),
  ).onReceiveRequest(anyRequest, ({ params }, responder) => responder.respond(params));
  const params = { n: 1, unknown: [1] };
  expect(await replies(builder, [call(1, "ask", params), call(2, "more", params)])).toMatchObject([
    { id: 1, result: params },
    { id: 2, result: params },
  ]);
});

it("a case may change the message for the cases behind it, and for the handlers behind them", async () => {
  const builder = matching((match) =>
    match
      .ifRequest(Ask, ({ n }) => Handled.no({ message: { method: "other", params: { n: n + 1 } } }))
      .ifRequest(Other, ({ n }) => Handled.no({ message: { method: "third", params: { n: n * 10 } } }))
      .done(),
  ).onReceiveRequest(anyRequest, (message, responder) => responder.respond(message));
  expect(await replies(builder, [call(1, "ask", { n: 1 })])).toMatchObject([
    { result: { method: "third", params: { n: 20 } } },
  ]);
});

it("params that are not what a matching case says end the match with -32602, and nobody else sees the message", async () => {
  const log: string[] = [];
  const builder = matching((match) =>
    match
      .ifRequest(Ask, (_, responder) => responder.respond({ n: 0 }))
      .ifRequest(anyRequest, () => void log.push("another case"))
      .otherwise(() => void log.push("otherwise")),
  ).withHandler(() => void log.push("another handler"));
  expect(await replies(builder, [call(1, "ask", { n: "one" })])).toMatchObject([{ error: { code: -32602 } }]);
  expect(log).toEqual([]);
});

it("a retry that a case asks for survives the cases behind it", async () => {
  const peer = new RawPeer();
  await matching((match) =>
    match
      .ifRequest(Ask, () => Handled.no({ retry: true }))
      .ifRequest(anyRequest, () => Handled.no())
      .done(),
  ).connectWith(peer.transport, async (cx) => {
    peer.say(call(1, "ask", { n: 1 }), call(2, "other", { n: 2 }));
    expect(await peer.next()).toMatchObject({ id: 2, error: { code: -32601 } });
    cx.addDynamicHandler((dispatch) => {
      if (dispatch.kind === "request") dispatch.responder.respond("retried");
    });
    expect(await peer.answer(1)).toMatchObject({ result: "retried" });
  });
});

it("otherwise, otherwiseDelegate and otherwiseIgnore have what no case claims", async () => {
  const builder = (rest: (match: MatchDispatch) => Promise<Handled>): Builder =>
    matching((match) =>
      rest(match.ifRequest(Ask, ({ n }, responder) => responder.respond({ n }))),
    ).onReceiveRequest(anyRequest, (_, responder) => responder.respond("the next handler"));
  const respond = (dispatch: Dispatch): void => {
    if (dispatch.kind === "request") dispatch.responder.respond(`otherwise: ${dispatch.method}`);
  };
  const messages = [call(1, "ask", { n: 1 }), call(2, "x")];
  const results = async (rest: Cases): Promise<unknown> =>
    (await replies(builder(rest), messages)).map(({ result, error }) => result ?? field(error, "code"));
  expect(await results((match) => match.otherwise(respond))).toEqual([{ n: 1 }, "otherwise: x"]);
  expect(await results((match) => match.otherwiseDelegate(() => Handled.no()))).toEqual([
    { n: 1 },
    "the next handler",
  ]);
  expect(await results((match) => match.otherwiseIgnore())).toEqual([{ n: 1 }, -32603]);
  expect(await results((match) => match.done())).toEqual([{ n: 1 }, "the next handler"]);
});

it("what a case throws is the answer", async () => {
  const builder = matching((match) =>
    match
      .ifRequest(Ask, async () => {
        throw new RpcError(7, "no");
      })
      .done(),
  );
  expect(await replies(builder, [call(1, "ask", { n: 1 })])).toMatchObject([{ error: { code: 7 } }]);
});

describe("an answer to a request of ours", () => {
  async function asks(cases: Cases, reply: Json): Promise<unknown> {
    const peer = new RawPeer();
    return matching(cases).connectWith(peer.transport, async (cx) => {
      const sent = cx.sendRequest(request("ask"), { n: 1 }).result();
      peer.say({ jsonrpc: "2.0", id: (await peer.called("ask"))["id"], ...reply });
      return sent.catch((error: unknown) => error);
    });
  }

  it("is given to the case of its request, whole or as a result only, and what it routes is the outcome", async () => {
    const whole: Cases = (match) =>
      match
        .ifResponseTo(Other, () => Handled.yes)
        .ifResponseTo(Ask, (outcome, router) => {
          if (outcome.ok) router.route({ n: outcome.value.n + 1 });
          else router.route({ n: -1 });
        })
        .done();
    expect(await asks(whole, { result: { n: 1 } })).toEqual({ n: 2 });
    expect(await asks(whole, { error: { code: 1, message: "no" } })).toEqual({ n: -1 });
    const results: Cases = (match) =>
      match.ifOkResponseTo(Ask, ({ n }, router) => router.route({ n: n + 10 })).done();
    expect(await asks(results, { result: { n: 1 } })).toEqual({ n: 11 });
    expect(await asks(results, { error: { code: 1, message: "no" } })).toMatchObject({ code: 1 });
  });

  it("that is not what its type says comes as an error, and does not end the match", async () => {
    const seen: unknown[] = [];
    const cases: Cases = (match) =>
      match
        .ifOkResponseTo(Ask, () => void seen.push("never"))
        .ifResponseTo(Ask, (outcome) => {
          seen.push(!outcome.ok && outcome.error instanceof ValidationError);
          return Handled.no();
        })
        .done();
    expect(await asks(cases, { result: "no numbers" })).toBe("no numbers");
    expect(seen).toEqual([true]);
  });

  it("is nobody's case among requests and notifications, and passes by", async () => {
    const cases: Cases = (match) =>
      match
        .ifRequest(anyRequest, () => {})
        .ifNotification(anyNotification, () => {})
        .done();
    expect(await asks(cases, { result: 7 })).toBe(7);
  });
});

// A role whose counterpart carries for two peers: what is for Far travels in an envelope, what is for Near as it is.

const Near: Role = new Role({ name: "Near", counterpart: () => Middle });
const Far: Role = new Role({ name: "Far", counterpart: () => Middle });
const Carrier: Role = new Role({ name: "Carrier", counterpart: () => Middle });
const inEnvelope = ({ method }: ChainMessage): boolean => method === "envelope";

const enveloped: RemoteStyle = {
  outgoing: ({ method, params }) => ({ method: "envelope", params: { method, params } }),
  incoming: (message) => {
    if (!inEnvelope(message)) return undefined;
    const method = field(message.params, "method");
    if (typeof method !== "string") throw new RpcError(-32602, "an envelope without a method");
    return { method, params: field(message.params, "params") as never };
  },
  wrapAgain: (outer, { method, params }) => ({
    method: outer.method,
    params: { ...(outer.params as object), method, params },
  }),
};
const bare: RemoteStyle = {
  ...counterpartStyle,
  incoming: (message) => (inEnvelope(message) ? undefined : message),
};
const Middle: Role = new Role({
  name: "Middle",
  counterpart: () => Carrier,
  peers: () =>
    new Map([
      [Near, bare],
      [Far, enveloped],
    ]),
});
const wrapped = (method: string, params?: unknown, more: Json = {}): Json => ({ method, params, ...more });

describe("over a connection that carries for several peers", () => {
  it("requests and notifications reach the handlers of their peer alone, out of their envelope", async () => {
    const log: string[] = [];
    const builder = Middle.builder()
      .onReceiveNotificationFrom(Near, Note, ({ n }) => void log.push(`near ${n}`))
      .onReceiveNotificationFrom(Far, Note, ({ n }) => void log.push(`far ${n}`))
      .onReceiveRequestFrom(Far, Ask, ({ n }, responder) => responder.respond({ n: -n }))
      .onReceiveRequestFrom(Near, Ask, ({ n }, responder) => responder.respond({ n }));
    const heard = await replies(builder, [
      notice("note", { n: 1 }),
      notice("envelope", wrapped("note", { n: 2 })),
      call(3, "envelope", wrapped("ask", { n: 3 })),
      call(4, "ask", { n: 4 }),
      call(5, "envelope", wrapped("unknown")),
      notice("envelope", wrapped("$/unknown")),
    ]);
    expect(log).toEqual(["near 1", "far 2"]);
    expect(heard).toMatchObject([
      { id: 3, result: { n: -3 } },
      { id: 4, result: { n: 4 } },
      { id: 5, error: { code: -32601 } },
    ]);
  });

  it("what a handler declines is in its envelope again for the next, with all that was beside it; what it changes, changed", async () => {
    const seen: unknown[] = [];
    const outer = wrapped("ask", { n: 1, more: 2 }, { _meta: { a: 1 } });
    const builder = Middle.builder()
      .onReceiveRequestFrom(Far, Ask, () => Handled.no())
      .onReceiveRequestFrom(Far, anyRequest, async ({ method, params }) => {
        seen.push({ method, params });
        return Handled.no({ message: { method: "changed", params: { n: 9 } } });
      })
      .withHandler((dispatch) => {
        if (dispatch.kind !== "request") return Handled.no();
        seen.push(messageOf(dispatch));
        dispatch.responder.respond(null);
        return Handled.yes;
      });
    await replies(builder, [call(1, "envelope", outer)]);
    expect(seen).toEqual([
      { method: "ask", params: { n: 1, more: 2 } },
      { method: "envelope", params: { method: "changed", params: { n: 9 }, _meta: { a: 1 } } },
    ]);
  });

  it("a malformed envelope is answered by the handler of that peer, and reaches a handler before it as it is", async () => {
    const seen: unknown[] = [];
    const builder = Middle.builder()
      .withHandler((dispatch) => {
        if (dispatch.kind !== "response") seen.push(dispatch.params);
        return Handled.no();
      })
      .onReceiveRequestFrom(Far, anyRequest, (_, responder) => responder.respond("never"))
      .onReceiveNotificationFrom(Far, anyNotification, () => void seen.push("never"));
    const heard = await replies(builder, [
      call(1, "envelope", { no: "method" }),
      notice("envelope", { no: "method" }),
      call(2, "x"),
    ]);
    expect(heard).toMatchObject([
      { id: 1, error: { code: -32602 } },
      { id: 2, error: { code: -32601 } },
    ]);
    expect(seen).toEqual([{ no: "method" }, { no: "method" }, undefined]);
  });

  it("requests go out as their peer takes them, and their answers reach the handlers of that peer", async () => {
    const peer = new RawPeer();
    const log: string[] = [];
    const telling = (name: string) => (dispatch: { readonly kind: string }) => {
      log.push(`${name} ${dispatch.kind}`);
      return Handled.no();
    };
    await Middle.builder()
      .onReceiveDispatchFrom(Near, { request: Ask }, telling("near"))
      .onReceiveDispatchFrom(Far, { request: Ask }, telling("far"))
      .connectWith(peer.transport, async (cx) => {
        const sent = [Far, Near].map((role) => cx.sendRequestTo(role, Ask, { n: 1 }).result());
        void cx.sendNotificationTo(Far, Note, { n: 2 });
        const [far, near] = [await peer.called("envelope"), await peer.called("ask")];
        expect(far).toMatchObject({ params: { method: "ask", params: { n: 1 } } });
        expect(near).toMatchObject({ params: { n: 1 } });
        peer.say(answer(far["id"], { n: 10 }), answer(near["id"], { n: 20 }));
        expect(await Promise.all(sent)).toEqual([{ n: 10 }, { n: 20 }]);
        expect(await peer.called("envelope")).toMatchObject({ params: { method: "note", params: { n: 2 } } });
      });
    expect(log).toEqual(["far response", "near response"]);
  });

  it("a request is cancelled by its id on the connection, whatever it travels in", async () => {
    const peer = new RawPeer();
    await Middle.builder().connectWith(peer.transport, async (cx) => {
      const sent = cx.sendRequestTo(Far, Ask, { n: 1 });
      sent.cancel();
      const { id } = await peer.called("envelope");
      expect(await peer.next()).toMatchObject({ method: "$/cancelRequest", params: { id } });
      sent.detach();
    });
  });

  it("cases of a match see their peer's messages alone", async () => {
    const log: string[] = [];
    const builder = Middle.builder().withHandler((dispatch, cx: ConnectionTo) =>
      matchDispatch(dispatch, cx)
        .ifNotificationFrom(Near, Note, ({ n }) => void log.push(`near ${n}`))
        .ifNotificationFrom(Far, Note, ({ n }) => void log.push(`far ${n}`))
        .ifRequestFrom(Far, Ask, ({ n }, responder) => responder.respond({ n }))
        .ifDispatchFrom(Near, { request: anyRequest }, (near) => {
          if (near.kind === "request") near.responder.respond({ n: 0 });
        })
        .done(),
    );
    const heard = await replies(builder, [
      notice("envelope", wrapped("note", { n: 1 })),
      notice("note", { n: 2 }),
      call(3, "ask", { n: 3 }),
      call(4, "envelope", wrapped("ask", { n: 4 })),
    ]);
    expect(log).toEqual(["far 1", "near 2"]);
    expect(heard).toMatchObject([
      { id: 3, result: { n: 0 } },
      { id: 4, result: { n: 4 } },
    ]);
  });

  it("the methods that name no peer say that one has to be named", async () => {
    expect(() => Middle.builder().onReceiveRequest(Ask, () => {})).toThrow(
      "Middle cannot address Carrier: say which of Near, Far",
    );
    const peer = new RawPeer();
    await Middle.builder().connectWith(peer.transport, async (cx) => {
      expect(() => cx.sendRequest(Ask, { n: 1 })).toThrow("cannot address");
      await expect(cx.sendNotification(Note, { n: 1 })).rejects.toThrow("cannot address");
      expect(cx.pending).toEqual([]);
    });
    expect(peer.heard).toEqual([]);
  });
});

it("a role sees what arrives before its turn, and has what no handler claims, in its own kind of connection", async () => {
  const log: string[] = [];
  const go = gate();
  const Own: Role = new Role({
    name: "Own",
    counterpart: () => Own,
    sees: ({ method }) => void log.push(`arrived ${method}`),
    handler: (dispatch) => {
      if (dispatch.kind === "response") return Handled.no();
      log.push(`left over: ${dispatch.method}`);
      if (dispatch.kind === "request") dispatch.responder.respond("from the role");
      return undefined;
    },
  });
  const peer = new RawPeer();
  const over = Own.builder()
    .onReceiveNotification(Note, () => go.opened)
    .connectTo(peer.transport);
  peer.say(notice("note", { n: 1 }), call(2, "x"), notice("y"));
  await quiet();
  expect(log).toEqual(["arrived note", "arrived x", "arrived y"]);
  go.open();
  expect(await peer.answer(2)).toMatchObject({ result: "from the role" });
  peer.end();
  await over;
  expect(log.slice(3)).toEqual(["left over: x", "left over: y"]);
});

it("a chain of ten thousand handlers overflows no stack, sync or not", async () => {
  for (const pass of [() => Handled.no(), async () => Handled.no()]) {
    const builder = Untyped.builder();
    for (let n = 0; n < 10_000; n++) builder.onReceiveRequest(Other, pass);
    builder.onReceiveRequest(Other, ({ n }, responder) => responder.respond({ n }));
    expect(await replies(builder, [call(1, "other", { n: 1 })])).toMatchObject([{ result: { n: 1 } }]);
  }
});
