// L7: passing a handle on passes its life on: a new id, a pump, and end, reset and stop cross it, codes of the
// application's kept, others made into "cancelled" or "internal". To the peer it came from, and to a third session; from both doors.
import * as Effect from "effect/Effect";
import type * as Stream from "effect/Stream";
import { describe, expect, it } from "vitest";
import { closeScope, openEffect } from "./lifetimes.effect-testing.ts";
import { Drain, Endless, endlessBytes, expectEmpty, open, until } from "./lifetimes.testing.ts";
import {
  StreamError,
  type Session,
  type SessionOptions,
  type SessionReadable,
  type SessionWritable,
} from "./index.ts";

interface Route {
  /** Calls the producer through whoever passes its result on. */
  readonly call: <R>(method: string, params?: unknown) => Promise<R>;
  readonly sessions: readonly Session[];
  readonly close: () => Promise<void>;
}

type Handlers = NonNullable<SessionOptions["handlers"]>;

const ROUTES: Record<string, (handlers: Handlers) => Promise<Route>> = {
  "through a third session": async (handlers) => {
    const far = await open({}, { handlers });
    const near = await open({}, { fallback: (params, { method }) => far.a.call(method, params) });
    return route(near.a, [near.a, near.b, far.a, far.b]);
  },
  "back to the peer it came from": async (handlers) => {
    const ends = await open(
      { handlers },
      { handlers: { bounce: ({ method, params }, { session }) => session.call(method, params) } },
    );
    return {
      ...route(ends.a, [ends.a, ends.b]),
      call: (method, params = {}) => ends.a.call("bounce", { method, params }),
    };
  },
  "through a third session of the Effect door": async (handlers) => {
    const far = await openEffect({}, { fallback: (params, { method }) => run(handlers, method, params) });
    const near = await openEffect({}, { fallback: (params, { method }) => far.a.call(method, params) });
    const base = route(near.a.plain, [near.a.plain, near.b.plain, far.a.plain, far.b.plain]);
    return {
      // The caller's end is plain, so that one test fits all.
      ...base,
      close: async () => {
        for (const { scope } of [near, far]) await Promise.all([closeScope(scope.a), closeScope(scope.b)]);
      },
    };
  },
};

const run = (handlers: Handlers, method: string, params: unknown): Effect.Effect<unknown> =>
  Effect.promise(async () => handlers[method]!(params, undefined as never));

function route(caller: Session, sessions: readonly Session[]): Route {
  return {
    call: (method, params = {}) => caller.call(method, params),
    sessions,
    close: async () => void (await Promise.all(sessions.map((session) => session.close()))),
  };
}

async function done({ sessions, close }: Route): Promise<void> {
  for (const a of sessions) await expectEmpty({ a, b: a });
  await close();
  for (const a of sessions) await expectEmpty({ a, b: a });
}

describe.each(Object.entries(ROUTES))("a stream passed on %s", (_, make) => {
  it("ends as it ends", async () => {
    const path = await make({ give: () => ({ chunks: new Blob(["there and back"]) }) });
    const { chunks } = await path.call<{ chunks: SessionReadable }>("give");
    expect(await new Response(chunks).text()).toBe("there and back");
    await done(path);
  });

  it.each([
    [4711, 4711],
    [1, 1],
    [4, 4],
    [6, 4],
  ])("is reset as it is reset: %i as %i", async (code, seen) => {
    const path = await make({
      give: () => ({
        // oxlint-disable-next-line require-yield -- it fails before
        numbers: (async function* () {
          throw new StreamError(code, "us", "no more");
        })(),
      }),
    });
    const { numbers } = await path.call<{ numbers: SessionReadable<number> }>("give");
    await expect(numbers.getReader().read()).rejects.toMatchObject({ code: seen, by: "peer" });
    await done(path);
  });

  it.each([
    [4711, 4711],
    [1, 1],
    [5, 4],
  ])("is stopped at its source as it is stopped: %i as %i", async (code, seen) => {
    const { stream, reasons } = endlessBytes();
    const path = await make({ give: () => ({ chunks: stream }) });
    const { chunks } = await path.call<{ chunks: SessionReadable }>("give");
    const reader = chunks.getReader();
    await reader.read();
    await reader.cancel(new StreamError(code, "us", "seen it"));
    await until(() => reasons.length === 1);
    expect(reasons).toMatchObject([{ code: seen, by: "peer" }]);
    await done(path);
  });

  it("carries items, and leaves its source when it is left", async () => {
    const source = new Endless();
    const path = await make({ give: () => ({ numbers: source }) });
    const { numbers } = await path.call<{ numbers: SessionReadable<number> }>("give");
    const got: number[] = [];
    for await (const n of numbers) {
      got.push(n);
      if (n === 100) break;
    }
    expect(got).toHaveLength(101);
    await until(() => source.left === 1);
    await done(path);
  });

  it("goes the other way in params", async () => {
    const path = await make({
      length: async ({ body }: { body: AsyncIterable<Uint8Array> | Stream.Stream<Uint8Array> }) =>
        new Response(await asReadable(body)).text(),
    });
    expect(await path.call("length", { body: new Blob(["some text"]) })).toBe("some text");
    await done(path);
  });

  it("may be written", async () => {
    const drain = new Drain();
    const path = await make({ upload: () => ({ into: drain.stream }) });
    const { into } = await path.call<{ into: SessionWritable }>("upload");
    await new Blob(["written"]).stream().pipeTo(into);
    await until(() => drain.closed === 1);
    expect(drain.chunks).toHaveLength(1);
    await done(path);
  });

  it("may be given up by its writer, with its code", async () => {
    const drain = new Drain();
    const path = await make({ upload: () => ({ into: drain.stream }) });
    const { into } = await path.call<{ into: SessionWritable }>("upload");
    await into.abort(new StreamError(4711, "us", "never mind"));
    await until(() => drain.aborted.length === 1);
    expect(drain.aborted).toMatchObject([{ code: 4711, message: "never mind" }]);
    await done(path);
  });

  it("may be refused by its reader, with its code", async () => {
    const fail = (): never => {
      throw new StreamError(4711, "us", "full");
    };
    const path = await make({ upload: () => ({ into: new WritableStream({ write: fail }) }) });
    const { into } = await path.call<{ into: SessionWritable }>("upload");
    const writer = into.getWriter();
    writer.closed.catch(() => {});
    const flood = async (): Promise<void> => {
      for (;;) await writer.write(new Uint8Array(1000));
    };
    await expect(flood()).rejects.toMatchObject({ code: 4711, message: "full" });
    await done(path);
  });

  it("goes when the session in the middle does", async () => {
    const { stream, reasons } = endlessBytes();
    const path = await make({ give: () => ({ chunks: stream }) });
    const { chunks } = await path.call<{ chunks: SessionReadable }>("give");
    await path.sessions[1]!.close();
    const read = async (): Promise<void> => {
      for await (const _ of chunks) continue;
    };
    await expect(read()).rejects.toMatchObject({ _tag: "StreamError" });
    await until(() => reasons.length === 1);
    await done(path);
  });
});

async function asReadable(body: unknown): Promise<ReadableStream<Uint8Array>> {
  if (body instanceof ReadableStream) return body as ReadableStream<Uint8Array>;
  const { toReadableStream } = await import("effect/Stream");
  return toReadableStream(body as Stream.Stream<Uint8Array>);
}
