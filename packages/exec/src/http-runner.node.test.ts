// The executor's side against real servers: the codex exec-server's own cases (reference section 5), and those it lacks.
import { toBase64 } from "@sluice/codec";
import { assertNoLeaks } from "@sluice/session";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { EXEC_LIMITS } from "./client-limits.ts";
import { createFetch } from "./create-fetch.ts";
import type { HttpRequest, StreamedResponse } from "./http-client.ts";
import { HttpError, type HttpErrorKind } from "./http-error.ts";
import { failure } from "./http-failure.testing.ts";
import { executing, type ExecutorPair } from "./http-executing.testing.ts";
import { WIRES, type Wire } from "./http-pair.testing.ts";
import { BODY_CODES, HTTP_REQUEST, type BodyDeltaParams } from "./http-wire.ts";
import { localClient } from "./local.ts";
import { readAll, text, utf8 } from "./bytes.testing.ts";
import { proxyServer } from "./proxy.testing.ts";
import { upstream, type Answer } from "./upstream.testing.ts";

interface Stage extends AsyncDisposable, ExecutorPair {
  readonly url: string;
  readonly server: Awaited<ReturnType<typeof upstream>>;
}

async function stage(
  wire: Wire,
  answer: Answer,
  options: Parameters<typeof executing>[2] = {},
): Promise<Stage> {
  const server = await upstream(answer);
  const client = localClient();
  const pair = await executing(wire, client, options);
  return {
    ...pair,
    server,
    url: server.url,
    async [Symbol.asyncDispose]() {
      await pair.close();
      client[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Nothing is left on either end, and the server has nobody to send to. */
async function expectNothingLeft({ http, near, far, runner, server }: Stage): Promise<void> {
  await server.reaches(0);
  await near.call("nothing").catch(() => {}); // what was on its way has arrived
  expect([http.open, runner.open]).toEqual([0, 0]);
  assertNoLeaks(near);
  assertNoLeaks(far);
}

const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const echo: Answer = (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    response.writeHead(201, "Made", { "x-method": request.method ?? "", "x-url": request.url ?? "" });
    response.end(Buffer.concat(chunks));
  });
};

describe.each(WIRES)("an executor, over %s", (wire) => {
  it("buffers a response's body; method, headers and body go through", async () => {
    let seen: readonly string[] = [];
    await using at = await stage(wire, (request, response) => {
      seen = request.rawHeaders;
      echo(request, response);
    });
    const headers = [
      ["X-Twice", "1"],
      ["X-Twice", "2"],
    ] as const;
    const response = await at.http.request({
      url: `${at.url}/a?b=c`,
      method: "PATCH",
      headers,
      body: utf8("hello"),
    });
    expect([response.status, text(response.body)]).toEqual([201, "hello"]);
    expect(response.headers).toContainEqual(["x-method", "PATCH"]);
    expect(response.headers).toContainEqual(["x-url", "/a?b=c"]);
    expect(seen.filter((_, i) => seen[i - 1]?.toLowerCase() === "x-twice")).toEqual(["1", "2"]);
    await expectNothingLeft(at);
  });

  it("omits the url's fragment", async () => {
    await using at = await stage(wire, echo);
    const { headers, url } = await at.http.request({ url: `${at.url}/path#fragment` });
    expect(headers).toContainEqual(["x-url", "/path"]);
    expect(url).toBe(`${at.url}/path`);
  });

  it("uses the configured proxy", async () => {
    await using server = await upstream(echo);
    await using proxy = await proxyServer({ to: Number(new URL(server.url).port) });
    using client = localClient({ proxy: () => proxy.url.replace("//", "//user:pw@") });
    const pair = await executing(wire, client);
    const url = "http://name.test/a?b";
    const whole = await pair.http.request({ url, method: "PUT", body: utf8("hello") });
    expect([whole.status, text(whole.body)]).toEqual([201, "hello"]);
    const streamed = await pair.http.requestStream({ url });
    expect([streamed.status, await readAll(streamed.body)]).toEqual([201, ""]);
    expect(proxy.asked).toMatchObject([
      { method: "PUT", target: url, headers: { host: "name.test" } },
      { method: "GET", target: url },
    ]);
    await pair.close();
  });

  it("a proxy that refuses to connect is told as what it is, without where it is", async () => {
    await using proxy = await proxyServer({
      connect: (socket) => socket.end("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"),
    });
    using client = localClient({ proxy: () => proxy.url.replace("//", "//user:secret@") });
    const pair = await executing(wire, client);
    const error = await failure(pair.http.requestStream({ url: "https://name.test/" }));
    expect([error.kind, error.message]).toEqual([
      "upstream",
      "http/request failed: its proxy answered CONNECT with 407: it wants other credentials",
    ]);
    await pair.close();
  });

  it("X6: whose request it is, the server hears in headers, unless the request has its own", async () => {
    const seen: unknown[] = [];
    await using at = await stage(wire, (request, response) => {
      const { traceparent, tracestate } = request.headers;
      seen.push([traceparent, tracestate]);
      if (request.url === "/from") response.writeHead(302, { location: "/to" }).end();
      else response.end();
    });
    const trace = { traceparent: TRACEPARENT, tracestate: "a=1,b=2" };
    await at.http.request({ url: `${at.url}/from`, trace });
    const own = [["Traceparent", TRACEPARENT.replace("01", "00")]] as const;
    await at.http.request({ url: at.url, trace, headers: own });
    await at.http.request({ url: at.url, trace: { traceparent: "nonsense", tracestate: "a=1" } });
    const hop = [TRACEPARENT, "a=1,b=2"];
    expect(seen).toEqual([hop, hop, [own[0][1], undefined], [undefined, undefined]]);
    seen.length = 0;

    // A call by itself, as C5 has it, and with what no header may hold.
    const params = { method: "GET", url: at.url, headers: [], requestId: "a" };
    await at.near.call(HTTP_REQUEST, params, trace);
    await at.near.call(HTTP_REQUEST, params, { ...trace, tracestate: "a=1\r\nx: y" });
    expect(seen).toEqual([hop, [TRACEPARENT, undefined]]);
    await expectNothingLeft(at);
  });

  it("normalizes a unicode hostname", async () => {
    await using at = await stage(wire, echo);
    const error = await failure(at.http.request({ url: "http://b\u00fccher.invalid/" }));
    expect([error.kind, error.message.includes("b\u00fccher")]).toEqual(["upstream", false]);
  });

  it("can stop at redirects, and can follow them", async () => {
    const visited: string[] = [];
    await using at = await stage(wire, (request, response) => {
      visited.push(`${request.method} ${request.url}`);
      if (request.url === "/from") response.writeHead(302, { location: "/to" }).end("moved");
      else response.end("here");
    });
    const stopped = await at.http.request({ url: `${at.url}/from`, redirect: "stop" });
    expect([stopped.status, text(stopped.body), visited]).toEqual([302, "moved", ["GET /from"]]);
    expect(stopped.headers).toContainEqual(["location", "/to"]);
    const followed = await at.http.request({ url: `${at.url}/from`, method: "POST", body: utf8("x") });
    expect([followed.status, text(followed.body)]).toEqual([200, "here"]);
    expect(visited.slice(1)).toEqual(["POST /from", "GET /to"]);
    await expectNothingLeft(at);
  });

  it("streams a response's body as it comes", async () => {
    let go = (): void => {};
    await using at = await stage(wire, (_, response) => {
      response.write("first");
      go = () => response.end("last");
    });
    const { status, body } = await at.http.requestStream({ url: at.url });
    const reader = body.getReader();
    expect([status, text((await reader.read()).value ?? utf8(""))]).toEqual([200, "first"]);
    go();
    expect(text((await reader.read()).value ?? utf8(""))).toBe("last");
    expect((await reader.read()).done).toBe(true);
    await expectNothingLeft(at);
  });

  it("a body of many sizes arrives whole and in order", async () => {
    const sizes = [0, 1, 65_535, 65_536, 1024 * 1024 + 1, 5_000_000];
    await using at = await stage(wire, (request, response) => {
      const size = Number(request.url?.slice(1));
      response.end(Buffer.from(Uint8Array.from({ length: size }, (_, i) => i % 251)));
    });
    for (const size of sizes) {
      const { body } = await at.http.requestStream({ url: `${at.url}/${size}` });
      let place = 0;
      for await (const chunk of body)
        for (const byte of chunk) if (byte !== place++ % 251) throw new Error(`at ${place}`);
      expect(place).toBe(size);
    }
    await expectNothingLeft(at);
  });

  it("honors an optional timeout: none is none, and one that passes is an error", async () => {
    let go = (): void => {};
    await using at = await stage(wire, (_, response) => void (go = () => response.end("slow")));
    const patient = at.http.request({ url: at.url });
    await at.server.reaches(1);
    go();
    expect(text((await patient).body)).toBe("slow");
    const error = await failure(at.http.request({ url: at.url, timeouts: { total: 20 } }));
    expect(error.kind).toBe("timeout");
    await expectNothingLeft(at);
  });

  it("timeouts.idle and timeouts.total cut a streamed body as well", async () => {
    await using at = await stage(wire, (_, response) => void response.write("some"));
    for (const timeouts of [{ idle: 20 }, { total: 60 }]) {
      // On a busy machine the total may be over before the body has begun.
      const read = async (): Promise<string> =>
        readAll((await at.http.requestStream({ url: at.url, timeouts })).body);
      expect(await failure(read())).toMatchObject({ kind: "timeout" });
    }
    await expectNothingLeft(at);
  });

  it("X3: the upstream request is aborted when the caller gives up before headers", async () => {
    await using at = await stage(wire, () => {});
    const abort = new AbortController();
    const given = at.http.requestStream({ url: at.url, signal: abort.signal });
    await at.server.reaches(1);
    abort.abort(new Error("enough"));
    await expect(given).rejects.toThrow("enough");
    await expectNothingLeft(at);
  });

  it.each(["cancel", "signal", "dispose", "break"])(
    "the upstream request is aborted when the reader lets go (%s)",
    async (how) => {
      await using at = await stage(wire, (_, response) => void response.write("some"));
      const abort = new AbortController();
      const response = await at.http.requestStream({ url: at.url, signal: abort.signal });
      expect(at.server.open).toBe(1);
      if (how === "cancel") await response.body.cancel();
      else if (how === "dispose") await response[Symbol.asyncDispose]();
      else if (how === "signal") {
        const reading = readAll(response.body);
        abort.abort(new Error("enough"));
        await expect(reading).rejects.toThrow("enough");
      } else for await (const _ of response.body) break;
      await expectNothingLeft(at);
    },
  );

  it("the upstream request is aborted when the connection goes, before headers and after", async () => {
    await using at = await stage(
      wire,
      (request, response) => void (request.url === "/body" && response.write("some")),
    );
    const { body } = await at.http.requestStream({ url: `${at.url}/body` });
    const waiting = failure(at.http.requestStream({ url: `${at.url}/headers` }));
    await at.server.reaches(2);
    at.cut("the cable was pulled");
    expect((await waiting).kind).toBe("disconnected");
    const error = await failure(readAll(body));
    expect([error.kind, error.message]).toEqual([
      "disconnected",
      expect.stringContaining("the cable was pulled"),
    ]);
    await at.server.reaches(0);
    expect([at.runner.open, at.http.open]).toEqual([0, 0]);
  });

  it("X4: an upstream that breaks off in the middle of a body is an error and never an end", async () => {
    await using at = await stage(wire, (request, response) => {
      if (request.url === "/length") response.writeHead(200, { "content-length": 100 });
      response.write("some");
      setImmediate(() => response.socket?.destroy());
    });
    for (const path of ["/length", "/chunked"]) {
      const { body } = await at.http.requestStream({ url: at.url + path });
      expect((await failure(readAll(body))).kind).toBe("upstream");
    }
    await expectNothingLeft(at);
  });

  it("a server that cannot be reached is an error that says so", async () => {
    await using at = await stage(wire, echo);
    const error = await failure(at.http.request({ url: "http://127.0.0.1:1/" }));
    expect(error).toMatchObject({ kind: "upstream" });
    expect(error.message).toMatch(/^http\/request failed: .*ECONNREFUSED/);
  });

  it("content codings pass through, and so do headers that are not ASCII", async () => {
    const zipped = gzipSync("hello");
    await using at = await stage(wire, (_, response) => {
      response.writeHead(200, { "content-encoding": "gzip", "x-name": "M\u00fcller" }).end(zipped);
    });
    const { headers, body } = await at.http.request({ url: at.url });
    expect([...body]).toEqual([...zipped]);
    expect(headers).toContainEqual(["content-encoding", "gzip"]);
    expect(headers).toContainEqual(["x-name", "M\u00fcller"]);
  });

  it.each([
    ["GET", 204],
    ["HEAD", 200],
    ["GET", 304],
    ["GET", 200],
  ])("%s answered %i without a body has an empty one, by both ways", async (method, status) => {
    await using at = await stage(wire, (_, response) => void response.writeHead(status).end());
    expect((await at.http.request({ url: at.url, method })).body.length).toBe(0);
    const streamed = await at.http.requestStream({ url: at.url, method });
    expect([streamed.status, await readAll(streamed.body)]).toEqual([status, ""]);
    await expectNothingLeft(at);
  });

  it("a body too large to be buffered is an error; streamed it is none", async () => {
    const options = { runner: { buffered: 1000 }, limits: { maxBody: 1000 } };
    await using at = await stage(wire, (_, response) => void response.end(Buffer.alloc(1001)), options);
    const error = await failure(at.http.request({ url: at.url }));
    expect(error.message).toContain("larger than 1000 bytes");
    if (wire === "streams") expect(error.kind).toBe("overflow"); // a foreign peer is not told the kind
    const { body } = await at.http.requestStream({ url: at.url });
    expect((await readAll(body)).length).toBe(1001);
    await expectNothingLeft(at);
  });

  it("more requests than limits.requests are refused, and run none", async () => {
    await using at = await stage(wire, () => {}, { runner: { requests: 2 } });
    const abort = new AbortController();
    const { signal } = abort;
    const running = [1, 2].map(() => at.http.requestStream({ url: at.url, signal }).catch(() => {}));
    await at.server.reaches(2);
    const error = await failure(at.http.requestStream({ url: at.url }));
    expect([error.kind, error.mayHaveRun]).toEqual(["overflow", false]);
    expect(error.message).toContain("limits.requests");
    abort.abort();
    await Promise.all(running);
    await expectNothingLeft(at);
  });

  it("slow headers do not block other requests or cancellation", async () => {
    await using at = await stage(
      wire,
      (request, response) => void (request.url === "/fast" && response.end("fast")),
    );
    const abort = new AbortController();
    const slow = [1, 2, 3].map(() =>
      at.http.requestStream({ url: at.url, signal: abort.signal }).catch(() => "gone"),
    );
    await at.server.reaches(3);
    expect(text((await at.http.request({ url: `${at.url}/fast` })).body)).toBe("fast");
    abort.abort();
    expect(await Promise.all(slow)).toEqual(["gone", "gone", "gone"]);
    await expectNothingLeft(at);
  });

  it("a variable of the executor's environment is put into a header, unless it is a secret of its own", async () => {
    let authorization: string | undefined;
    await using at = await stage(
      wire,
      (request, response) => {
        ({ authorization } = request.headers);
        response.end();
      },
      { variables: { TOKEN: "s3cret", EMPTY: "", OPENAI_API_KEY: "sk" } },
    );
    const ask = (valueEnvVar: string): Promise<unknown> =>
      at.near.call(HTTP_REQUEST, {
        method: "GET",
        url: at.url,
        headers: [{ name: "authorization", value: "Bearer ", valueEnvVar }],
        requestId: "x",
      });
    await ask("TOKEN");
    expect(authorization).toBe("Bearer s3cret");
    const header = "http/request header authorization";
    for (const [name, message] of [
      ["MISSING", `${header} requires executor environment variable MISSING`],
      ["EMPTY", `${header} requires a non-empty executor environment variable EMPTY`],
      ["openai_api_key", `${header} cannot use executor environment variable openai_api_key`],
    ] as const)
      await expect(ask(name)).rejects.toMatchObject({ code: -32602, message });
  });

  it("validates in order: method, url, scheme, header names, then values", async () => {
    await using at = await stage(wire, echo);
    const wrong = { method: "G T", url: "nope", headers: [{ name: "a b", value: "\n" }], requestId: "x" };
    const steps = [
      [{}, "http/request method is invalid: "],
      [{ method: "GET" }, "http/request url is invalid: "],
      [{ url: "ftp://x/" }, "http/request only supports http and https URLs, got ftp"],
      [{ url: at.url }, "http/request header name is invalid: "],
      [{ headers: [{ name: "a", value: "b\n" }] }, "http/request header value is invalid for a: "],
    ] as const;
    let params: object = wrong;
    for (const [fix, message] of steps) {
      params = { ...params, ...fix };
      await expect(at.near.call(HTTP_REQUEST, params)).rejects.toMatchObject({
        code: -32602,
        message: expect.stringContaining(message),
      });
    }
    const { requestId: _, ...incomplete } = wrong;
    await expect(at.near.call(HTTP_REQUEST, incomplete)).rejects.toMatchObject({
      code: -32602,
      message: "missing field `requestId`",
    });
    await expectNothingLeft(at);
  });

  it("rejects duplicate ids of streams while the first is open; the first is undisturbed, and the id is free after it", async () => {
    let go = (): void => {};
    await using at = await stage(wire, (_, response) => {
      response.write("a");
      go = () => response.end("b");
    });
    const first = await at.http.requestStream({ url: at.url });
    const again = { method: "GET", url: at.url, requestId: "http-1", streamResponse: true };
    await expect(at.near.call(HTTP_REQUEST, again)).rejects.toMatchObject({
      code: -32602,
      message: "http/request streamResponse requestId `http-1` is already active",
    });
    go();
    expect(await readAll(first.body)).toBe("ab");
    const reused: { body?: ReadableStream } = await at.near.call(HTTP_REQUEST, again);
    await reused.body?.cancel();
    if (wire === "deltas") await at.near.call("http/request/cancel", { requestId: "http-1" });
    await expectNothingLeft(at);
  });

  it("X2: timeouts are kept by who makes the request; omitted and null are none", async () => {
    const kept: HttpRequest["timeouts"][] = [];
    const refuse = ({ timeouts }: HttpRequest): Promise<never> => {
      kept.push(timeouts);
      return Promise.reject(new HttpError("upstream", "nobody is asked"));
    };
    const pair = await executing(wire, { request: refuse, requestStream: refuse });
    const request = { method: "GET", url: "http://x/", requestId: "x" };
    const ask = (params: object): Promise<unknown> => pair.near.call(HTTP_REQUEST, { ...request, ...params });
    const timeouts = { headersMs: 1, idleMs: 2 };
    for (const params of [
      {},
      { timeoutMs: null },
      { timeouts: {} },
      { timeoutMs: 0 },
      { timeoutMs: 3, timeouts },
    ])
      await expect(ask(params)).rejects.toMatchObject({ code: -32603 });
    expect(kept).toEqual([{}, {}, {}, { total: 0 }, { total: 3, headers: 1, idle: 2 }]);
    for (const params of [{ timeoutMs: -1 }, { timeoutMs: 0.5 }, { bodyBase64: "no" }])
      await expect(ask(params)).rejects.toMatchObject({ code: -32602 });
    expect(kept.length).toBe(5);
    await pair.close();
  });

  it("a policy of the executor's refuses, and says neither where to nor to what it resolves", async () => {
    const server = await upstream(echo);
    const pair = await executing(wire, localClient({ policy: {} }));
    const error = await failure(pair.http.request({ url: server.url }));
    expect(error).toMatchObject({ message: expect.stringContaining("http/request refused") });
    expect(error.message).not.toContain("127.0.0.1");
    expect(["refused", "invalid"]).toContain(error.kind);
    await pair.close();
    await server[Symbol.asyncDispose]();
  });

  it("as a fetch: what a program does with the runtime's own it can do with ours", async () => {
    await using at = await stage(wire, (request, response) => {
      if (request.url === "/from") response.writeHead(302, { location: "/to" }).end();
      else if (request.url === "/zip")
        response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("zipped"));
      else if (request.url === "/cookies") response.writeHead(200, { "set-cookie": ["a=1", "b=2"] }).end();
      else if (request.url === "/none") response.writeHead(204).end();
      else echo(request, response);
    });
    for (const fetch of [globalThis.fetch, createFetch(at.http)]) {
      const posted = await fetch(`${at.url}/x`, { method: "POST", body: "text", headers: { "x-a": "1" } });
      expect([posted.status, posted.ok, posted.headers.get("x-method"), await posted.text()]).toEqual([
        201,
        true,
        "POST",
        "text",
      ]);
      const stream = new Blob(["streamed"]).stream();
      const streamed = await fetch(at.url, { method: "PUT", body: stream, duplex: "half" } as RequestInit);
      expect(await streamed.text()).toBe("streamed");
      expect(await (await fetch(`${at.url}/zip`)).text()).toBe("zipped");
      expect((await fetch(`${at.url}/cookies`)).headers.getSetCookie()).toEqual(["a=1", "b=2"]);
      const none = await fetch(`${at.url}/none`);
      expect([none.status, await none.text()]).toEqual([204, ""]);
      expect((await fetch(`${at.url}/from`, { redirect: "manual" })).headers.get("location")).toBe("/to");
      await expect(fetch(`${at.url}/from`, { redirect: "error" })).rejects.toThrow(TypeError);
      await expect(fetch("http://127.0.0.1:1/")).rejects.toThrow(TypeError);
      const signal = AbortSignal.abort();
      await expect(fetch(at.url, { signal })).rejects.toMatchObject({ name: "AbortError" });
    }
  });
});

describe("an executor, over streams", () => {
  it("X2: tells final url, status text and redirects", async () => {
    await using at = await stage("streams", (request, response) => {
      if (request.url === "/from") response.writeHead(307, { location: "/to" }).end();
      else echo(request, response);
    });
    const response = await createFetch(at.http)(`${at.url}/from`, { method: "POST", body: "again" });
    expect([response.url, response.redirected, response.statusText]).toEqual([`${at.url}/to`, true, "Made"]);
    expect(await response.text()).toBe("again");
  });

  it.each(Object.entries(BODY_CODES))(
    "X4: a body that fails as %s is reset with %i, and is told as that",
    async (kind, code) => {
      const requestStream = async ({ url }: HttpRequest): Promise<StreamedResponse> => {
        const error = new HttpError(kind as HttpErrorKind, "why");
        const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(error) });
        return {
          status: 200,
          statusText: "",
          headers: [],
          url,
          body,
          [Symbol.asyncDispose]: () => body.cancel(),
        };
      };
      const request = (): Promise<never> => Promise.reject(new Error("a runner streams"));
      const pair = await executing("streams", { request, requestStream });
      const asked = { method: "GET", url: "http://x/", requestId: "x", streamResponse: true };
      const { body } = await pair.near.call<{ body: ReadableStream<Uint8Array> }>(HTTP_REQUEST, asked);
      await expect(readAll(body)).rejects.toMatchObject({ _tag: "StreamError", code, message: "why" });
      const response = await pair.http.requestStream({ url: "http://x/" });
      expect((await failure(readAll(response.body))).kind).toBe(kind);
      await pair.close();
    },
  );

  it("C5: the upstream request is aborted when the time of the call is over", async () => {
    await using at = await stage("streams", () => {});
    const params = { method: "GET", url: at.url, headers: [], requestId: "late" };
    for (const streamResponse of [true, false])
      await expect(
        at.near.call(HTTP_REQUEST, { ...params, streamResponse }, { timeout: 100 }),
      ).rejects.toThrow(Error);
    await expectNothingLeft(at);
  });

  it("X1: a request's body is streamed: the server has its beginning before its end exists", async () => {
    let began = (_: string): void => {};
    const beginning = new Promise<string>((resolve) => (began = resolve));
    await using at = await stage("streams", (request, response) => {
      request.once("data", (chunk: Buffer) => began(chunk.toString()));
      echo(request, response);
    });
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
    controller.enqueue(utf8("begin"));
    const response = at.http.request({ url: at.url, method: "POST", body });
    expect(await beginning).toBe("begin");
    controller.enqueue(utf8(" end"));
    controller.close();
    expect(text((await response).body)).toBe("begin end");
    await expectNothingLeft(at);
  });

  it("a request's body that fails, fails the request, and the server sees it broken off", async () => {
    await using at = await stage("streams", (request) => void request.resume());
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(utf8("some")),
      async pull(controller) {
        await at.server.reaches(1);
        controller.error(new Error("the file is gone"));
      },
    });
    const error = await failure(at.http.request({ url: at.url, method: "POST", body }));
    expect(error.kind).toBe("cancelled");
    await expectNothingLeft(at);
  });

  it("X1: a reader that does not read holds the server back, and nobody else", async () => {
    let written = 0;
    await using at = await stage("streams", (request, response) => {
      if (request.url === "/small") {
        response.end("small");
        return;
      }
      const chunk = Buffer.alloc(64 * 1024);
      const write = (): void => {
        do written += chunk.length;
        while (response.write(chunk));
        response.once("drain", write);
      };
      write();
    });
    const held = await at.http.requestStream({ url: at.url });
    for (let i = 0; i < 50; i++)
      expect(text((await at.http.request({ url: `${at.url}/small` })).body)).toBe("small");
    const { unread } = at.near.stats();
    expect(unread).toBeLessThanOrEqual(EXEC_LIMITS.window);
    // What the sockets of the system hold is theirs.
    expect(written).toBeLessThan(32 * 1024 * 1024);
    await held.body.cancel();
    await expectNothingLeft(at);
  });
});

describe("an executor, over deltas", () => {
  async function deltas(
    answer: Answer,
  ): Promise<{ deltas: BodyDeltaParams[]; result: unknown; order: string[] }> {
    await using server = await upstream(answer);
    const client = localClient();
    const seen: BodyDeltaParams[] = [];
    const order: string[] = [];
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const pair = await executing("deltas", client, {
      onDelta: (params) => {
        seen.push(params);
        order.push(`delta ${params.seq}`);
        if (params.done) resolve();
      },
    });
    const result = await pair.near
      .call(HTTP_REQUEST, { method: "GET", url: server.url, requestId: "r", streamResponse: true })
      .finally(() => order.push("answer"));
    await done;
    await pair.close();
    client[Symbol.dispose]();
    return { deltas: seen, result, order };
  }

  it("streams body notifications: the answer first and without a body, seq from 1 without gaps, one clean terminal", async () => {
    const {
      deltas: seen,
      result,
      order,
    } = await deltas((_, response) => {
      response.write("one");
      setImmediate(() => response.end("two"));
    });
    expect(result).toEqual({ status: 200, headers: expect.any(Array), bodyBase64: "" });
    expect(order).toEqual(["answer", ...seen.map(({ seq }) => `delta ${seq}`)]);
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, i) => i + 1));
    expect(seen.at(-1)).toEqual({
      requestId: "r",
      seq: seen.length,
      deltaBase64: "",
      done: true,
      error: null,
    });
    expect(
      seen
        .slice(0, -1)
        .map(({ deltaBase64 }) => atob(deltaBase64))
        .join(""),
    ).toBe("onetwo");
  });

  it("an empty body is a single end with seq 1", async () => {
    const { deltas: seen } = await deltas((_, response) => void response.end());
    expect(seen).toEqual([{ requestId: "r", seq: 1, deltaBase64: "", done: true, error: null }]);
  });

  it("an upstream that breaks off is one terminal with an error and no data", async () => {
    const { deltas: seen } = await deltas((_, response) => {
      response.writeHead(200, { "content-length": 10 }).write("some");
      setImmediate(() => response.socket?.destroy());
    });
    expect(seen.filter(({ done }) => done)).toEqual([
      expect.objectContaining({
        deltaBase64: "",
        error: expect.stringContaining("failed to read http/request response body"),
      }),
    ]);
  });

  it("an answer tells a foreign peer nothing that is not in its protocol", async () => {
    const { result } = await deltas((_, response) => void response.end("x"));
    expect(Object.keys(result as object).sort()).toEqual(["bodyBase64", "headers", "status"]);
    expect(toBase64(utf8("x"))).toBe("eA==");
  });
});
