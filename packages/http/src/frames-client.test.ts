import fc from "fast-check";
import { TransportError, type Transport } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import { dial } from "./dial.ts";
import { FRAMES_TYPE, type DialOptions, type Fetch } from "./options.ts";
import { direct, URL_OF_DIRECT, type Direct } from "./pairs.testing.ts";
import { RECORD_LIMIT } from "./records.ts";
import { bytes, watch, type Watched } from "./watch.testing.ts";

const frames = (options: DialOptions): Transport => dial(URL_OF_DIRECT, { wire: "frames", ...options });

/** Both ends of an open session, the client's requests going by way of `by`. */
async function session(
  by: (fetch: Fetch) => Fetch = (fetch) => fetch,
  options: DialOptions = {},
  server: Direct = direct(),
): Promise<{ server: Direct; near: Watched; far: Watched }> {
  const near = watch(frames({ fetch: by(server.fetch), ...options }));
  return { server, near, far: watch(await server.accepted()) };
}

/** Whether a request is a POST after the opening one. */
const isLater = (init: RequestInit): boolean =>
  init.method === "POST" && new Headers(init.headers).has("sluice-offset");

/** A response whose body is what is given, and then goes on for ever. */
function opened(content: Uint8Array): Response {
  const stream = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(content) });
  return new Response(stream, { headers: { "Content-Type": FRAMES_TYPE, "Mcp-Session-Id": "1" } });
}

describe("a session in frames at the client", () => {
  it("P2: what is written in the first turn goes with the opening request", async () => {
    const seen: string[] = [];
    const server = direct();
    const transport = frames({
      fetch: (url, init) => {
        seen.push(`${init.method} ${(init.body as Uint8Array | null)?.length ?? 0}`);
        return server.fetch(url, init);
      },
    });
    const near = watch(transport);
    transport.write([bytes("hel"), bytes("lo")]);
    const far = watch(await server.accepted());
    await far.said("hello");
    far.transport.write([bytes("welcome")]);
    await near.said("welcome");
    expect(seen).toEqual(["POST 9"]);
    await server.handler.close();
  });

  it("P3: what is written while a POST runs goes in the next one", async () => {
    const sizes: number[] = [];
    const { server, near, far } = await session((fetch) => (url, init) => {
      if (isLater(init)) sizes.push((init.body as Uint8Array).length);
      return fetch(url, init);
    });
    const letters = "abcdefghij".split("");
    far.transport.write([bytes("go")]);
    await near.said("go");
    near.transport.write([bytes("1")]);
    for (const letter of letters) {
      await Promise.resolve();
      near.transport.write([bytes(letter)]);
    }
    await far.said("1abcdefghij");
    expect(sizes.length).toBeLessThan(4);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(11 + 4 * sizes.length);
    await server.handler.close();
  });

  it("P3: a POST whose answer is lost is sent again as it was, and delivered once", async () => {
    // For each POST in turn: is its answer lost, does it get lost itself, or neither.
    const fates = fc.array(fc.constantFrom("answer lost", "lost", "fine"), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fates, async (fate) => {
        const left = [...fate];
        let lostInARow = 0;
        const { server, near, far } = await session((fetch) => async (url, init) => {
          const now = isLater(init) && lostInARow < 2 ? (left.shift() ?? "fine") : "fine";
          lostInARow = now === "fine" ? 0 : lostInARow + 1;
          if (now === "lost") throw new TypeError("the connection was reset");
          const response = await fetch(url, init);
          if (now === "answer lost") throw new TypeError("the connection was reset");
          return response;
        });
        far.transport.write([bytes("go")]);
        await near.said("go");
        let said = "";
        for (const word of ["one ", "two ", "three ", "four ", "five"]) {
          near.transport.write([bytes(word)]);
          await far.said((said += word));
        }
        near.transport.close();
        far.transport.close();
        // Where the answer to the last POST is lost the server may have forgotten the session by then.
        const errors = [await near.closed, await far.closed];
        expect(errors[1]).toBeUndefined();
        expect(errors[0] === undefined || errors[0].code === "unknown-session").toBe(true);
        expect(far.text).toBe(said);
        await server.handler.close();
      }),
      { numRuns: 50 },
    );
  });

  it("P3: a POST that fails three times ends the transport with code write, and the session", async () => {
    let tries = 0;
    const { server, near, far } = await session((fetch) => async (url, init) => {
      if (!isLater(init)) return fetch(url, init);
      tries++;
      throw new TypeError("the connection was reset");
    });
    far.transport.write([bytes("go")]);
    await near.said("go");
    near.transport.write([bytes("x")]);
    const error = await near.closed;
    expect([error?.code, tries]).toEqual(["write", 3]);
    expect(error?.message).toContain("the connection was reset");
    expect((await far.closed)?.code).toBe("closed");
    expect(server.handler.sessions).toBe(0);
  });

  it("P3: what a proxy answers for a server it cannot reach is tried again, a refusal is not", async () => {
    for (const [status, tries] of [
      [503, 3],
      [409, 1],
      [401, 1],
      [404, 1],
    ] as const) {
      let tried = 0;
      const { server, near, far } = await session((fetch) => async (url, init) => {
        if (!isLater(init)) return fetch(url, init);
        tried++;
        return new Response("for people", { status });
      });
      far.transport.write([bytes("go")]);
      await near.said("go");
      near.transport.write([bytes("x")]);
      const error = await near.closed;
      expect([error?.code, tried]).toEqual([status === 404 ? "unknown-session" : "write", tries]);
      await server.handler.close();
    }
  });

  it("P5: a session the server does not know any more ends the transport with code unknown-session", async () => {
    const server = direct();
    const other = direct();
    const near = watch(
      frames({ fetch: (url, init) => (isLater(init) ? other.fetch(url, init) : server.fetch(url, init)) }),
    );
    const far = watch(await server.accepted());
    far.transport.write([bytes("go")]);
    await near.said("go");
    near.transport.write([bytes("x")]);
    expect((await near.closed)?.code).toBe("unknown-session");
    await server.handler.close();
  });

  it("P4: the loss of the downward body before its end ends the session", async () => {
    const { server, near } = await session();
    await server.handler.close();
    const error = await near.closed;
    expect(error?.code).toBe("closed");
    expect(error?.message).toContain("before its end (P1)");
  });

  it("P4: a server that does not say that it is still there is given up", async () => {
    const near = watch(
      frames({ limits: { silence: 10 }, fetch: () => Promise.resolve(opened(new Uint8Array(4))) }),
    );
    expect((await near.closed)?.code).toBe("timeout");
  });

  it("P1: a body that breaks the rules ends the transport with code protocol", async () => {
    const tooLong = new Uint8Array(4);
    new DataView(tooLong.buffer).setUint32(0, RECORD_LIMIT + 1);
    const near = watch(frames({ fetch: () => Promise.resolve(opened(tooLong)) }));
    const error = await near.closed;
    expect([error?.code, error?.message]).toEqual(["protocol", expect.stringContaining("P1: ")]);
  });

  it("P4: abort ends the session at the server by DELETE", async () => {
    const methods: string[] = [];
    const { server, near, far } = await session((fetch) => (url, init) => {
      methods.push(init.method ?? "");
      // The server does not notice that the response is not wanted.
      return fetch(url, { ...init, signal: null });
    });
    far.transport.write([bytes("go")]);
    await near.said("go");
    const reason = new TransportError("aborted", "enough");
    near.transport.abort(reason);
    expect(await near.closed).toBe(reason);
    await far.closed;
    expect(methods).toContain("DELETE");
    expect(server.handler.sessions).toBe(0);
  });

  it("says what a server answered that opens no session, and what to do", async () => {
    const answers: [Response, string, RegExp][] = [
      [new Response(null, { status: 401 }), "connect", /status 401: .*headers/],
      [new Response(null, { status: 403 }), "connect", /status 403: .*origins/],
      [new Response(null, { status: 404 }), "connect", /status 404: is the path right/],
      [new Response(null, { status: 415 }), "connect", /status 415: is it a Sluice server speaking frames/],
      [new Response(null, { status: 302 }), "connect", /status 302: dial what it redirects to/],
      [new Response(null, { status: 500 }), "connect", /status 500$/],
      [new Response("<html>"), "connect", /without a session in frames: is it a Sluice server/],
    ];
    for (const [response, code, message] of answers) {
      const error = await watch(frames({ fetch: () => Promise.resolve(response) })).closed;
      expect([error?.code, error?.message]).toEqual([code, expect.stringMatching(message)]);
    }
  });

  it("names the reason where the server cannot be reached", async () => {
    const cause = new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
    const error = await watch(frames({ fetch: () => Promise.reject(cause) })).closed;
    expect([error?.code, error?.message, error?.cause]).toEqual([
      "connect",
      `connecting to ${URL_OF_DIRECT} failed: connect ECONNREFUSED`,
      cause,
    ]);
  });

  it("asks for its headers before each request, and says so when they throw", async () => {
    const seen: (string | null)[] = [];
    let token = 0;
    const { server, near, far } = await session(
      (fetch) => (url, init) => {
        seen.push(new Headers(init.headers).get("authorization"));
        return fetch(url, init);
      },
      {
        headers: async () => {
          if (token === 2) throw new RangeError("no token left");
          return { Authorization: `Bearer ${++token}` };
        },
      },
    );
    far.transport.write([bytes("go")]);
    await near.said("go");
    near.transport.write([bytes("x")]);
    await far.said("x");
    expect(seen).toEqual(["Bearer 1", "Bearer 2"]);
    near.transport.write([bytes("y")]);
    const error = await near.closed;
    expect([error?.code, error?.cause]).toEqual(["write", new RangeError("no token left")]);
    await server.handler.close();
  });

  it("a signal aborts it, also one that was aborted before", async () => {
    const abort = new AbortController();
    const { server, near } = await session(undefined, { signal: abort.signal });
    abort.abort("enough");
    const error = await near.closed;
    expect([error?.code, error?.cause]).toEqual(["aborted", "enough"]);
    await server.handler.close();

    let requests = 0;
    const late = watch(
      frames({
        signal: AbortSignal.abort("long ago"),
        fetch: () => Promise.reject(new Error(`${++requests}`)),
      }),
    );
    expect((await late.closed)?.cause).toBe("long ago");
    expect(requests).toBe(0);
  });

  it("more than the high water waits, and it calls when half of that is gone", async () => {
    const { server, near, far } = await session(undefined, { highWater: 1000 });
    far.transport.write([bytes("go")]);
    await near.said("go");
    expect(near.transport.write([new Uint8Array(1000).fill(97)])).toBe(true);
    expect(near.transport.write([bytes("b")])).toBe(false);
    await near.drained;
    expect(far.text).toBe(`${"a".repeat(1000)}b`);
    expect(near.transport.write([bytes("c")])).toBe(true);
    await server.handler.close();
  });

  it("calls when half of what went with the opening request is gone, too", async () => {
    const server = direct();
    const near = watch(frames({ fetch: server.fetch, highWater: 10 }));
    expect(near.transport.write([bytes("more than ten")])).toBe(false);
    const far = watch(await server.accepted());
    await near.drained;
    await far.said("more than ten");
    await server.handler.close();
  });

  it("one POST as a stream carries everything, and its end", async () => {
    const posts: string[] = [];
    const { server, near, far } = await session(
      (fetch) => (url, init) => {
        if (isLater(init)) posts.push(init.body instanceof ReadableStream ? "stream" : "bytes");
        return fetch(url, init);
      },
      { upload: "stream" },
    );
    let said = "";
    for (const word of ["one ", "two ", "three"]) {
      near.transport.write([bytes(word)]);
      await far.said((said += word));
    }
    near.transport.close();
    await far.ended;
    far.transport.close();
    expect([await near.closed, await far.closed]).toEqual([undefined, undefined]);
    expect(posts).toEqual(["stream"]);
    expect(server.handler.sessions).toBe(0);
  });

  it("a stream that the server gives up, or calls delivered before its end, ends the transport with code write", async () => {
    for (const status of [413, 204]) {
      const { server, near } = await session(
        (fetch) => (url, init) =>
          isLater(init) ? Promise.resolve(new Response(null, { status })) : fetch(url, init),
        { upload: "stream" },
      );
      const error = await near.closed;
      expect([error?.code, error?.message]).toEqual(["write", expect.stringContaining(`status ${status}`)]);
      await server.handler.close();
    }
  });

  it("refuses what cannot work: other URLs", () => {
    expect(() => dial("not a url")).toThrow(TypeError);
    expect(() => dial("ws://localhost/")).toThrow(/http: or https:/);
  });
});
