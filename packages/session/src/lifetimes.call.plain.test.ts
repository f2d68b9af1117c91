// ARCHITECTURE §4: caller aborts before the answer (pending gone, argument streams reset, one cancel on the wire), and
// how a handler settles: without touching a stream, with a throw, without an answer. From the plain door.
import { describe, expect, it } from "vitest";
import {
  CANCEL,
  Drain,
  Endless,
  endlessBytes,
  expectEmpty,
  expectEmptyAndClose,
  open,
  turn,
  until,
} from "./lifetimes.testing.ts";
import type { CallOptions, HandlerContext, Session, SessionReadable } from "./index.ts";

/** A handler that waits until it is cancelled, and never looks at its params. */
const forever = (_: unknown, { signal }: HandlerContext): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });

interface Way {
  readonly options?: CallOptions;
  readonly give: (a: Session) => void | Promise<void>;
  readonly error: object;
}

const WAYS: Record<string, () => Way> = {
  "its signal": () => {
    const abort = new AbortController();
    return {
      options: { signal: abort.signal },
      give: () => abort.abort(),
      error: { _tag: "CancelledError" },
    };
  },
  "its timeout": () => ({ options: { timeout: 1 }, give: () => {}, error: { _tag: "TimeoutError", ms: 1 } }),
};

describe.each(Object.entries(WAYS))("a caller that gives up by %s", (_, make) => {
  it("waits for nothing any more, its streams are let go of, and the peer hears one cancel", async () => {
    const way = make();
    const bytes = endlessBytes();
    const numbers = new Endless();
    const drain = new Drain();
    const ends = await open({}, { handlers: { forever } });
    const { a, b, heard, wire } = ends;
    const params = { bytes: bytes.stream, numbers, drain: drain.stream };
    const call = a.call("forever", params, way.options);
    // C5: the peer's own deadline passes, too, and its answer might be here first.
    if (way.options?.timeout !== undefined) wire.a.pause();
    const outcome = call.catch((error: unknown) => error);
    if (way.options?.timeout === undefined) await until(() => b.stats().handlers === 1);

    wire.b.pause();
    await way.give(a);
    if (way.options?.signal !== undefined)
      expect(a.stats()).toMatchObject({ calls: 0, streams: 0, stopping: 1, queued: 0, credit: 0 });
    expect(await outcome).toMatchObject({ ...way.error, mayHaveRun: true });
    expect(a.stats()).toMatchObject({ calls: 0, streams: 0, stopping: 1, queued: 0, credit: 0 });
    await until(() => bytes.reasons.length + numbers.left + drain.aborted.length === 3);
    expect(bytes.reasons).toMatchObject([{ _tag: "StreamError", by: "us", code: 1 }]);

    wire.a.resume();
    wire.b.resume();
    await until(() => b.stats().handlers === 0 && b.stats().streams === 0);
    await expectEmpty(ends);
    expect(heard.b.of(CANCEL)).toBe(1);
    expect(heard.a.of("error")).toBe(1);
    expect(a.stats().faults + b.stats().faults).toBe(0);
    await expectEmptyAndClose(ends);
  });
});

describe("a caller that gives up", () => {
  it("through a sent request cancels once, however often it does", async () => {
    const ends = await open({}, { handlers: { forever } });
    const request = ends.a.request("forever", {});
    await until(() => ends.b.stats().handlers === 1);
    request.cancel("changed my mind");
    request.cancel("again");
    await expect(request.result()).rejects.toMatchObject({
      _tag: "CancelledError",
      message: "changed my mind",
    });
    expect(ends.a.stats().calls).toBe(0);
    await expectEmptyAndClose(ends);
    expect(ends.heard.b.of(CANCEL)).toBe(1);
  });

  it("before it calls has sent nothing, and its streams are its own", async () => {
    const ends = await open({}, { handlers: { forever } });
    const { stream, reasons } = endlessBytes();
    const call = ends.a.call("forever", { stream }, { signal: AbortSignal.abort() });
    await expect(call).rejects.toMatchObject({ _tag: "CancelledError" });
    expect([ends.heard.b.of("forever"), reasons.length, stream.locked]).toEqual([0, 0, false]);
    await expectEmptyAndClose(ends);
  });

  it("after the answer was sent has it dropped: its streams are stopped where they come from", async () => {
    const source = new Endless();
    const drain = new Drain();
    const ends = await open({}, { handlers: { give: () => ({ source, drain: drain.stream }) } });
    const { a, heard, wire } = ends;
    const abort = new AbortController();
    wire.a.pause();
    const call = a.call("give", {}, { signal: abort.signal });
    await until(() => ends.b.stats().streams === 2);
    abort.abort();
    await expect(call).rejects.toMatchObject({ _tag: "CancelledError" });
    wire.a.resume();
    await until(() => source.left === 1 && drain.aborted.length === 1);
    expect(a.stats()).toMatchObject({ calls: 0, streams: 0 });
    await expectEmptyAndClose(ends);
    expect([heard.b.of(CANCEL), a.stats().faults, ends.b.stats().faults]).toEqual([1, 0, 0]);
  });

  it("while its call waits for its turn has it answered unrun", async () => {
    const ends = await open({}, { handlers: { forever }, limits: { calls: 1 } });
    const { a, b } = ends;
    const abort = new AbortController();
    const first = a.call("forever", {}, { signal: abort.signal }).catch(() => {});
    const bytes = endlessBytes();
    const other = new AbortController();
    const second = a.call("forever", { body: bytes.stream }, { signal: other.signal }).catch(() => {});
    await until(() => b.stats().waiting === 1);
    other.abort();
    await second;
    await until(() => bytes.reasons.length === 1 && b.stats().streams === 0);
    expect(b.stats().handlers).toBe(1);
    abort.abort();
    await first;
    await expectEmptyAndClose(ends);
  });
});

describe("a handler that settles", () => {
  it("without touching a stream it was given has it stopped, or reset where it was to write it", async () => {
    const bytes = endlessBytes();
    const numbers = new Endless();
    const drain = new Drain();
    const ends = await open({}, { handlers: { ignore: () => "done" } });
    const { a, b, heard } = ends;
    expect(await a.call("ignore", { bytes: bytes.stream, numbers, into: drain.stream })).toBe("done");
    await until(() => bytes.reasons.length + numbers.left + drain.aborted.length === 3);
    expect(bytes.reasons).toMatchObject([{ by: "peer", code: 0 }]);
    expect([heard.a.of("stop"), heard.a.of("reset"), b.stats().streams]).toEqual([2, 1, 0]);
    await expectEmptyAndClose(ends);
  });

  it("having locked a stream, or given it on, keeps it", async () => {
    let kept: ReadableStreamDefaultReader<Uint8Array> | undefined;
    const ends = await open(
      {},
      {
        handlers: {
          lock: ({ body }: { body: SessionReadable }) => void (kept = body.getReader()),
          echo: ({ body }: { body: SessionReadable }) => ({ body }),
          pipe: ({ body }: { body: SessionReadable }) => ({ body: body.pipeThrough(new TransformStream()) }),
        },
      },
    );
    const { a } = ends;
    await a.call("lock", { body: new Blob(["locked"]) });
    expect(new TextDecoder().decode((await kept!.read()).value)).toBe("locked");
    await kept!.cancel();
    for (const method of ["echo", "pipe"]) {
      const { body } = await a.call<{ body: SessionReadable }>(method, {
        body: new Blob(["there and back"]),
      });
      expect(await new Response(body).text()).toBe("there and back");
    }
    await expectEmptyAndClose(ends);
  });

  it("having begun to write into a stream keeps it", async () => {
    const drain = new Drain();
    const ends = await open(
      {},
      {
        handlers: {
          pipe: ({ into }: { into: WritableStream }) => {
            void new Blob(["piped"]).stream().pipeTo(into);
          },
        },
      },
    );
    await ends.a.call("pipe", { into: drain.stream });
    await until(() => drain.closed === 1);
    expect(drain.chunks).toHaveLength(1);
    await expectEmptyAndClose(ends);
  });

  it("with a throw is answered with an error, and the streams of the request go both ways", async () => {
    const bytes = endlessBytes();
    const drain = new Drain();
    const told: unknown[] = [];
    const ends = await open(
      {},
      {
        onHandlerError: (error) => void told.push(error),
        handlers: {
          fail: async ({ bytes: body }: { bytes: SessionReadable }) => {
            for await (const _ of body) throw new Error("inside");
          },
        },
      },
    );
    await expect(ends.a.call("fail", { bytes: bytes.stream, into: drain.stream })).rejects.toMatchObject({
      code: -32603,
      message: "Internal error",
    });
    expect(told).toMatchObject([{ message: "inside" }]);
    await until(() => bytes.reasons.length === 1 && drain.aborted.length === 1);
    await expectEmptyAndClose(ends);
  });

  it("with a result that cannot be sent has the streams in it let go of", async () => {
    const bytes = endlessBytes();
    const numbers = new Endless();
    const drain = new Drain();
    const streams = { bytes: bytes.stream, numbers, into: drain.stream };
    const ends = await open({}, { handlers: { give: () => ({ ...streams, big: 10n }) } });
    await expect(ends.a.call("give")).rejects.toMatchObject({ code: -32603 });
    await until(() => bytes.reasons.length + numbers.left + drain.aborted.length === 3);
    expect(bytes.reasons).toMatchObject([{ _tag: "RefusedError" }]);
    await expectEmptyAndClose(ends);
  });

  it("after its call was answered for it has the streams of its result let go of", async () => {
    const bytes = endlessBytes();
    const numbers = new Endless();
    const ends = await open(
      {},
      {
        limits: { handler: 1 },
        handlers: {
          late: async (_: unknown, { signal }: HandlerContext) => {
            await until(() => signal.aborted);
            await turn();
            return { bytes: bytes.stream, numbers };
          },
        },
      },
    );
    await expect(ends.a.call("late")).rejects.toMatchObject({ code: -32800, data: { reason: "deadline" } });
    await until(() => bytes.reasons.length === 1 && numbers.left === 1);
    await expectEmptyAndClose(ends);
  });

  it("with nothing has answered null", async () => {
    const ends = await open({}, { handlers: { nothing: () => undefined } });
    expect(await ends.a.call("nothing")).toBe(null);
    await expectEmptyAndClose(ends);
  });
});

describe("frames for a stream that is gone", () => {
  // In JSON, so that the test can say what the peer says.
  const json = { encodings: ["json"] } as const;
  const late = (method: string, params: object): Uint8Array =>
    new TextEncoder().encode(`${JSON.stringify({ jsonrpc: "2.0", method, params })}\n`);

  it("are counted and dropped", async () => {
    const faults: string[] = [];
    const ends = await open(json, { onFault: ({ rule }) => void faults.push(rule) });
    const { a, b, wire } = ends;
    const gone = a.call("none", { body: new Blob(["x"]) });
    await expect(gone).rejects.toMatchObject({ code: -32601 });
    await expectEmpty(ends);
    wire.a.write([
      late("$/stream/end", { id: 1, offset: 5 }),
      late("$/stream/data", { id: 1, bytes: "eA==" }),
    ]);
    await until(() => b.stats().faults === 2);
    expect(faults).toEqual(["S13", "S13"]);
    expect(b.error).toBe(undefined);
    await expectEmptyAndClose(ends);
  });

  it("past a budget close the session", async () => {
    const ends = await open(json, { limits: { faults: 10 } });
    const { a, b, wire } = ends;
    await a.call("none", { body: new Blob(["x"]) }).catch(() => {});
    await expectEmpty(ends);
    for (let n = 0; n < 20; n++) wire.a.write([late("$/stream/end", { id: 1, offset: 5 })]);
    expect(await b.closed).toMatchObject({ code: "limit", by: "peer" });
    expect(await a.closed).toMatchObject({ code: "closed", by: "peer" });
    await expectEmpty(ends);
  });
});
