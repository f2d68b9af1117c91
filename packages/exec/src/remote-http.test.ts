// The codex exec-server's own cases (reference section 5) and those it lacks, against a far end that is a script. Where we
// do better than it, the test's name says so.
import { toBase64 } from "@sluice/codec";
import { assertNoLeaks, RpcError, type Handler, type HandlerContext } from "@sluice/session";
import { describe, expect, it } from "vitest";
import { HttpError } from "./http-error.ts";
import { failure } from "./http-failure.testing.ts";
import { scripted, WIRES, type Pair, type PairOptions } from "./http-pair.testing.ts";
import {
  BODY_DELTA,
  HTTP_CANCEL,
  HTTP_REQUEST,
  type BodyDeltaParams,
  type HttpRequestParams,
} from "./http-wire.ts";
import { readAll, text, utf8 } from "./bytes.testing.ts";

const MiB = 1024 * 1024;
const OK = { status: 200, headers: [], bodyBase64: "" };
const url = "http://example.test/";

/** An executor that answers every request at once and sends what a test tells it to. */
interface Script extends Pair {
  readonly asked: HttpRequestParams[];
  readonly cancelled: string[];
  delta(
    requestId: string,
    seq: number,
    data: string | Uint8Array,
    more?: Partial<BodyDeltaParams>,
  ): Promise<void>;
  end(requestId: string, seq: number): Promise<void>;
}

async function script(options: PairOptions & { readonly answer?: Handler } = {}): Promise<Script> {
  const asked: HttpRequestParams[] = [];
  const cancelled: string[] = [];
  const { answer = (): unknown => OK } = options;
  const pair = await scripted(
    "deltas",
    {
      [HTTP_REQUEST]: (params: HttpRequestParams, context: HandlerContext) => {
        asked.push(params);
        return answer(params, context);
      },
      [HTTP_CANCEL]: ({ requestId }: { requestId: string }) => (cancelled.push(requestId), {}),
      barrier: () => ({}),
    },
    options,
  );
  const delta: Script["delta"] = (requestId, seq, data, more = {}) => {
    const deltaBase64 = toBase64(typeof data === "string" ? utf8(data) : data);
    return pair.far.notify(BODY_DELTA, { requestId, seq, deltaBase64, done: false, error: null, ...more });
  };
  return { ...pair, asked, cancelled, delta, end: (id, seq) => delta(id, seq, "", { done: true }) };
}

/** Everything the script sent before has been dealt with. */
const barrier = (pair: Pair): Promise<unknown> => pair.near.call("barrier");

/** What a body gives before it fails, and the failure. */
async function untilFailure(
  body: ReadableStream<Uint8Array>,
): Promise<{ chunks: Uint8Array[]; error: HttpError }> {
  const chunks: Uint8Array[] = [];
  const reader = body.getReader();
  for (;;) {
    const next = await reader.read().then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
    if ("error" in next) {
      if (!(next.error instanceof HttpError)) throw next.error;
      return { chunks, error: next.error };
    }
    if (next.result.done) throw new Error(`it ended after ${chunks.length} chunks`);
    chunks.push(next.result.value);
  }
}

describe("the client, on the codex exec-server's wire", () => {
  it("a buffered request forces buffered request params, and takes no id of a stream", async () => {
    const pair = await script({
      answer: ({ streamResponse }) => ({ ...OK, bodyBase64: streamResponse ? "" : toBase64(utf8("whole")) }),
    });
    expect(text((await pair.http.request({ url })).body)).toBe("whole");
    const stream = await pair.http.requestStream({ url });
    expect(pair.asked.map(({ requestId, streamResponse }) => [requestId, streamResponse])).toEqual([
      ["buffered-1", false],
      ["http-1", true],
    ]);
    await stream.body.cancel();
    await pair.close();
  });

  it("params are written as the exec-server's clients write them", async () => {
    const pair = await script();
    const headers = [
      ["X-A", "1"],
      ["x-a", "2"],
    ] as const;
    const response = await pair.http.requestStream({
      url,
      method: "POST",
      headers,
      body: utf8("hi"),
      redirect: "stop",
      timeouts: { total: 5000 },
    });
    expect(pair.asked).toEqual([
      {
        method: "POST",
        url,
        headers: [
          { name: "X-A", value: "1" },
          { name: "x-a", value: "2" },
        ],
        bodyBase64: "aGk=",
        timeoutMs: 5000,
        redirectPolicy: "stop",
        requestId: "http-1",
        streamResponse: true,
      },
    ]);
    await response.body.cancel();
    await pair.close();
  });

  it("without timeouts it sends no timeoutMs", async () => {
    const pair = await script();
    await (await pair.http.requestStream({ url })).body.cancel();
    expect(pair.asked[0]).not.toHaveProperty("timeoutMs");
    await pair.close();
  });

  it("a body stream uses generated ids and receives ordered deltas, data in the done one included", async () => {
    const pair = await script();
    const first = await pair.http.requestStream({ url });
    await pair.delta("http-1", 1, "hello ");
    await pair.delta("http-1", 2, "world", { done: true });
    expect(await readAll(first.body)).toBe("hello world");
    const second = await pair.http.requestStream({ url });
    await pair.delta("http-2", 1, "again");
    await pair.end("http-2", 2);
    expect([await readAll(second.body), pair.http.open]).toEqual(["again", 0]);
    await pair.close();
  });

  it("deltas are accepted before the answer, and a queued terminal is dropped before the next generated id", async () => {
    const pair: Script = await script({
      answer: async ({ requestId }) => {
        if (requestId === "http-1") await pair.end("http-1", 1);
        if (requestId === "http-3") await pair.delta("http-3", 1, "early", { done: true });
        return OK;
      },
    });
    await (await pair.http.requestStream({ url })).body.cancel();
    const next = await pair.http.requestStream({ url });
    await pair.delta("http-2", 1, "fresh", { done: true });
    expect(await readAll(next.body)).toBe("fresh");
    expect(await readAll((await pair.http.requestStream({ url })).body)).toBe("early");
    expect(pair.http.open).toBe(0);
    await pair.close();
  });

  it("ignores late deltas after a cancelled request, and after a drop", async () => {
    let arrived = (): void => {};
    const asked = new Promise<void>((resolve) => (arrived = resolve));
    let answer = (): unknown => (arrived(), new Promise(() => {}));
    const pair = await script({ answer: () => answer() });
    const abort = new AbortController();
    const given = pair.http.requestStream({ url, signal: abort.signal });
    await asked;
    expect(pair.http.open).toBe(1);
    abort.abort(new Error("changed my mind"));
    await expect(given).rejects.toThrow("changed my mind");
    expect(pair.http.open).toBe(0);
    await pair.delta("http-1", 1, "stale");

    answer = () => OK;
    const dropped = await pair.http.requestStream({ url });
    await dropped.body.cancel();
    expect(pair.http.open).toBe(0);
    await pair.delta("http-2", 1, "stale");

    const clean = await pair.http.requestStream({ url });
    await pair.delta("http-3", 1, "clean", { done: true });
    expect(await readAll(clean.body)).toBe("clean");
    await barrier(pair);
    expect([pair.cancelled, pair.near.stats().faults]).toEqual([["http-1", "http-2"], 0]);
    await pair.close();
  });

  it("fails when the transport disconnects, with the reason", async () => {
    const pair = await script({
      answer: ({ requestId }) => (requestId === "http-2" ? new Promise(() => {}) : OK),
    });
    const { body } = await pair.http.requestStream({ url });
    const reading = untilFailure(body);
    const waiting = failure(pair.http.requestStream({ url }));
    await barrier(pair);
    await barrier(pair);
    pair.cut("was ended by SIGKILL");
    const { chunks, error } = await reading;
    expect(chunks).toEqual([]);
    expect(error.kind).toBe("disconnected");
    expect(error.message).toMatch(/^http response stream `http-1` failed: .*was ended by SIGKILL/);
    expect(await waiting).toMatchObject({ kind: "disconnected", mayHaveRun: true });
    expect((await waiting).message).toContain("exec-server transport disconnected");
    expect(pair.http.open).toBe(0);
  });

  it("a disconnect after a chunk gives the disconnect's reason as well (theirs loses it)", async () => {
    const pair = await script();
    const { body } = await pair.http.requestStream({ url });
    await pair.delta("http-1", 1, "one");
    await pair.delta("http-1", 2, "two");
    await barrier(pair);
    pair.cut("out of memory");
    await pair.near.closed;
    const { chunks, error } = await untilFailure(body);
    expect(chunks.map(text)).toEqual(["one", "two"]);
    expect(error).toMatchObject({ kind: "disconnected" });
    expect(error.message).toContain("out of memory");
  });

  it("X5: rejects an oversized delta: its stream fails, and no other (theirs closes the connection)", async () => {
    const pair = await script();
    const fits = await pair.http.requestStream({ url });
    const bad = await pair.http.requestStream({ url });
    await pair.delta("http-1", 1, new Uint8Array(MiB));
    await pair.delta("http-2", 1, new Uint8Array(MiB + 1));
    const { error } = await untilFailure(bad.body);
    expect(error).toMatchObject({
      kind: "protocol",
      message: "http response body delta exceeds 1048576 bytes",
    });
    await pair.end("http-1", 2);
    expect((await readAll(fits.body)).length).toBe(MiB);
    await barrier(pair);
    expect(pair.cancelled).toEqual(["http-2"]);
    await pair.close();
  });

  it("enforces the queued byte budget: 16 MiB are delivered, then the error", async () => {
    const pair = await script();
    const { body } = await pair.http.requestStream({ url });
    for (let seq = 1; seq <= 17; seq++) await pair.delta("http-1", seq, new Uint8Array(MiB));
    await barrier(pair);
    const { chunks, error } = await untilFailure(body);
    expect(chunks.length).toBe(16);
    expect(error).toMatchObject({ kind: "overflow", message: "queued body deltas exceed 16777216 bytes" });
    expect(pair.cancelled).toEqual(["http-1"]);
    await pair.close();
  });

  it("streams share the queued byte budget: the next frame kills only its own stream, and the other survives", async () => {
    const pair = await script();
    const first = await pair.http.requestStream({ url });
    const second = await pair.http.requestStream({ url });
    for (let seq = 1; seq <= 8; seq++) {
      await pair.delta("http-1", seq, new Uint8Array(MiB));
      await pair.delta("http-2", seq, new Uint8Array(MiB));
    }
    await pair.delta("http-2", 9, "x");
    await barrier(pair);
    const { chunks, error } = await untilFailure(second.body);
    expect([chunks.length, error.kind]).toEqual([8, "overflow"]);
    await pair.end("http-1", 9);
    expect((await readAll(first.body)).length).toBe(8 * MiB);
    await pair.close();
  });

  it("the stream that hogs is the one that fails, not whoever's data comes next (theirs fails the next)", async () => {
    const pair = await script();
    const hog = await pair.http.requestStream({ url });
    const small = await pair.http.requestStream({ url });
    for (let seq = 1; seq <= 16; seq++) await pair.delta("http-1", seq, new Uint8Array(MiB));
    await pair.delta("http-2", 1, "small", { done: true });
    expect(await readAll(small.body)).toBe("small");
    const { chunks, error } = await untilFailure(hog.body);
    expect([chunks.length, error.kind]).toEqual([16, "overflow"]);
    await pair.close();
  });

  it("reports the disconnect when the queue is full: 256 chunks, then the error and never an end", async () => {
    const pair = await script();
    const { body } = await pair.http.requestStream({ url });
    for (let seq = 1; seq <= 256; seq++) await pair.delta("http-1", seq, "x");
    await barrier(pair);
    await pair.far.close("gone");
    const { chunks, error } = await untilFailure(body);
    expect([chunks.length, error.kind]).toEqual([256, "disconnected"]);
  });

  it("reports truncation by backpressure: 1024 tiny deltas unread, 256 are delivered, then the error", async () => {
    const pair = await script();
    const { body } = await pair.http.requestStream({ url });
    for (let seq = 1; seq <= 1024; seq++) await pair.delta("http-1", seq, "x");
    await barrier(pair);
    const { chunks, error } = await untilFailure(body);
    expect([chunks.length, error.message]).toEqual([256, "body delta channel filled before delivery"]);
    await pair.close();
  });

  it.each([
    ["an end", {}, { end: true }],
    ["an end with its last bytes is one delta too many", { data: "last" }, { kind: "overflow" }],
    ["an error", { error: "reset by server" }, { kind: "upstream" }],
    ["a wrong seq", { seq: 300 }, { kind: "protocol" }],
  ] as const)(
    "a full data queue preserves %s, and a later disconnect does not override it",
    async (_, sent, expected) => {
      const pair = await script();
      const { body } = await pair.http.requestStream({ url });
      for (let seq = 1; seq <= 256; seq++) await pair.delta("http-1", seq, "x");
      const { data = "", error = null, seq = 257 } = sent as { data?: string; error?: string; seq?: number };
      await pair.delta("http-1", seq, data, { done: true, error });
      await barrier(pair);
      await pair.far.close("later");
      if ("end" in expected) expect((await readAll(body)).length).toBe(256);
      else {
        const failed = await untilFailure(body);
        expect([failed.chunks.length, failed.error.kind]).toEqual([256, expected.kind]);
      }
    },
  );

  it.each([
    ["a gap", 3, "received seq 3, expected 2"],
    ["a duplicate", 1, "received seq 1, expected 2"],
    ["a regress", 0, "received seq 0, expected 2"],
  ])("%s in seq is an error of its stream with the known text", async (_, seq, message) => {
    const pair = await script();
    const { body } = await pair.http.requestStream({ url });
    await pair.delta("http-1", 1, "fine");
    await pair.delta("http-1", seq, "wrong");
    await pair.delta("http-1", 2, "late");
    const { chunks, error } = await untilFailure(body);
    expect(chunks.map(text)).toEqual(["fine"]);
    expect(error).toMatchObject({ kind: "protocol", message: `http response stream \`http-1\` ${message}` });
    await pair.close();
  });

  it("a delta after done is ignored, and a body that has ended stays ended", async () => {
    const pair = await script();
    const { body } = await pair.http.requestStream({ url });
    await pair.delta("http-1", 1, "all", { done: true });
    await pair.delta("http-1", 2, "more");
    await pair.delta("http-1", 3, "", { done: true, error: "late" });
    await barrier(pair);
    const reader = body.getReader();
    expect(text((await reader.read()).value ?? new Uint8Array())).toBe("all");
    expect([(await reader.read()).done, (await reader.read()).done]).toEqual([true, true]);
    await pair.close();
  });

  it("an error frame with data: the data is discarded, the error told", async () => {
    const pair = await script();
    const { body } = await pair.http.requestStream({ url });
    await pair.delta("http-1", 1, "kept");
    await pair.delta("http-1", 2, "discarded", { done: true, error: "connection reset" });
    const { chunks, error } = await untilFailure(body);
    expect(chunks.map(text)).toEqual(["kept"]);
    expect(error.message).toBe("http response stream `http-1` failed: connection reset");
    await pair.close();
  });

  it.each([
    ["base64 that is none", { deltaBase64: "*" }],
    ["no base64", { deltaBase64: 7 }],
    ["a seq that is no whole number", { seq: 1.5 }],
    ["a seq beyond 2^53", { seq: 2 ** 53 }],
    ["an error that is no text", { error: {} }],
  ])("a malformed delta (%s) fails its own stream and no other", async (_, wrong) => {
    const pair = await script();
    const bad = await pair.http.requestStream({ url });
    const good = await pair.http.requestStream({ url });
    await pair.delta("http-1", 1, "x", wrong as never);
    await pair.delta("http-9", 1, "x", wrong as never);
    expect((await untilFailure(bad.body)).error.kind).toBe("protocol");
    await pair.delta("http-2", 1, "good", { done: true });
    expect(await readAll(good.body)).toBe("good");
    await pair.close();
  });

  it("X3: an executor that does not have http/request/cancel is never asked for it", async () => {
    const pair = await script({ cancels: false });
    await (await pair.http.requestStream({ url })).body.cancel();
    await barrier(pair);
    expect(pair.cancelled).toEqual([]);
    await pair.close();
  });

  it("an error answer removes the route, and is told as what it is", async () => {
    const errors = [
      [-32602, "http/request url is invalid: no", "invalid", true],
      [-32603, "http/request failed: connection refused", "upstream", true],
      [-32012, "too many", "overflow", false],
      [-32600, "client must call initialize", "protocol", true],
    ] as const;
    const pair = await script({
      answer: ({ requestId }) => {
        const [code, message] = errors[Number(requestId.slice(5)) - 1] ?? [0, ""];
        throw new RpcError(code, message);
      },
    });
    for (const [, message, kind, mayHaveRun] of errors)
      expect(await failure(pair.http.requestStream({ url }))).toMatchObject({ kind, message, mayHaveRun });
    expect(pair.http.open).toBe(0);
    await pair.close();
  });

  it("a malformed answer is an error that names the member", async () => {
    const pair = await script({ answer: () => ({ status: "200", headers: [], bodyBase64: "" }) });
    expect(await failure(pair.http.requestStream({ url }))).toMatchObject({
      kind: "protocol",
      message: "the answer to http/request is malformed at status",
    });
    expect(pair.http.open).toBe(0);
    await pair.close();
  });

  it("a buffered body beyond the limit is an error, though it has come", async () => {
    const answer = (): unknown => ({ ...OK, bodyBase64: toBase64(new Uint8Array(11)) });
    for (const [maxBody, kind] of [[11, undefined] as const, [10, "overflow"] as const]) {
      const pair = await script({ answer, limits: { maxBody } });
      const request = pair.http.request({ url }).then(
        () => undefined,
        (error: HttpError) => error.kind,
      );
      expect(await request).toBe(kind);
      await pair.close();
    }
  });

  it("a request's stream is sent whole, and one beyond the limit is refused before anything is sent", async () => {
    const pair = await script({ limits: { maxBody: 10 } });
    const body = (length: number): ReadableStream<Uint8Array> => new Blob([new Uint8Array(length)]).stream();
    await (await pair.http.requestStream({ url, method: "PUT", body: body(10) })).body.cancel();
    expect(pair.asked[0]?.bodyBase64?.length).toBe(16);
    const refused = await failure(pair.http.requestStream({ url, method: "PUT", body: body(11) }));
    expect([refused.kind, refused.mayHaveRun, pair.asked.length]).toEqual(["overflow", false, 1]);
    await pair.close();
  });
});

describe.each(WIRES)("the client, over %s", (wire) => {
  it.each([
    [{ url: "nope" }, "http/request url is invalid"],
    [{ url: "ftp://x/" }, "http/request only supports http and https URLs, got ftp"],
    [{ url, method: "G T" }, "http/request method is invalid"],
    [{ url, headers: [["a b", "c"]] }, "http/request header name is invalid"],
    [{ url, headers: [["a", "b\r\nc: d"]] }, "http/request header value is invalid for a"],
  ] as const)("%j is refused before anything is sent", async (request, message) => {
    let asked = 0;
    const pair = await scripted(wire, { [HTTP_REQUEST]: () => void asked++ });
    const error = await failure(pair.http.requestStream(request));
    expect([error.kind, error.mayHaveRun, asked, pair.http.open]).toEqual(["invalid", false, 0, 0]);
    expect(error.message).toContain(message);
    await pair.close();
  });

  it("a signal that has aborted sends nothing; the body of the request is let go of", async () => {
    let asked = 0;
    let released = 0;
    const pair = await scripted(wire, { [HTTP_REQUEST]: () => void asked++ });
    const body = new ReadableStream<Uint8Array>({ cancel: () => void released++ });
    const signal = AbortSignal.abort(new Error("no"));
    await expect(pair.http.requestStream({ url, method: "POST", body, signal })).rejects.toThrow("no");
    expect([asked, released, pair.http.open]).toEqual([0, 1, 0]);
    assertNoLeaks(pair.near);
    await pair.close();
  });

  it("an answer that does not come in timeouts.headers is given up, and the executor told", async () => {
    const cancelled: string[] = [];
    const pair = await scripted(wire, {
      [HTTP_REQUEST]: () => new Promise(() => {}),
      [HTTP_CANCEL]: ({ requestId }: { requestId: string }) => (cancelled.push(requestId), {}),
      barrier: () => ({}),
    });
    const error = await failure(pair.http.requestStream({ url, timeouts: { headers: 1 } }));
    expect(error).toMatchObject({ kind: "timeout", message: "timeouts.headers: no headers within 1 ms" });
    await barrier(pair);
    expect([cancelled, pair.http.open]).toEqual([["http-1"], 0]);
    await pair.close();
  });
});

describe("the client, over streams", () => {
  it.each([
    ["malformed", { status: "200" }],
    ["without a body", {}],
  ])("an answer that is %s is an error, and the streams in it are let go of", async (_, rest) => {
    const stopped = Promise.withResolvers<void>();
    const pair = await scripted("streams", {
      [HTTP_REQUEST]: () => ({
        ...OK,
        other: new ReadableStream<Uint8Array>({ cancel: () => stopped.resolve() }),
        ...rest,
      }),
    });
    expect(await failure(pair.http.requestStream({ url }))).toMatchObject({ kind: "protocol" });
    await stopped.promise;
    expect([pair.http.open, pair.near.stats().streams]).toEqual([0, 0]);
    await pair.close();
  });

  it.each([
    [
      { total: 6e4 + 0.5, headers: 5e4 + 0.1, idle: 4e4 },
      { timeoutMs: 60_001, timeouts: { headersMs: 50_001, idleMs: 40_000 } },
    ],
    [{ total: Infinity, headers: Infinity, idle: Infinity }, {}],
  ])("X2: timeouts of %j go as whole ms, and those that never pass not at all", async (timeouts, sent) => {
    const asked: HttpRequestParams[] = [];
    const pair = await scripted("streams", {
      [HTTP_REQUEST]: (params: HttpRequestParams) => {
        asked.push(params);
        return { ...OK, body: new Blob([]).stream() };
      },
    });
    await pair.http.request({ url, timeouts });
    const [{ timeoutMs, timeouts: told } = {}] = asked;
    expect({ ...(timeoutMs !== undefined && { timeoutMs }), ...(told && { timeouts: told }) }).toEqual(sent);
    await pair.close();
  });
});
