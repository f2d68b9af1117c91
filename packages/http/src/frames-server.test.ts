import { describe, expect, it } from "vitest";
import { body, open, post } from "./frames-raw.testing.ts";
import { FRAMES_TYPE } from "./options.ts";
import { direct, URL_OF_DIRECT, type Direct } from "./pairs.testing.ts";
import { RECORD_LIMIT, RecordDecoder } from "./records.ts";
import { bytes, watch, type Watched } from "./watch.testing.ts";

/** An open session: what the client sees of it, and the server's end. */
async function session(
  server: Direct = direct(),
  content: BodyInit | null = null,
): Promise<{ server: Direct; opened: Response; far: Watched }> {
  const opened = await open(server.fetch, content);
  return { server, opened, far: watch(await server.accepted()) };
}

/** A body that brings what it is told to, when it is told. */
function told(): {
  stream: ReadableStream<Uint8Array>;
  controller: ReadableStreamDefaultController<Uint8Array>;
} {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const stream = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
  return { stream, controller: controller! };
}

describe("a session in frames at the server", () => {
  it("P2: opening is answered 200 with the session header and a body of records, and brings the first bytes", async () => {
    const { opened, far } = await session(direct(), body("hello"));
    expect(opened.status).toBe(200);
    expect(opened.headers.get("content-type")).toBe(FRAMES_TYPE);
    expect(opened.headers.get("mcp-session-id")).toMatch(/^[0-9a-f]{32}$/);
    expect(opened.headers.get("cache-control")).toBe("no-store");
    expect(opened.headers.get("x-accel-buffering")).toBe("no");
    await far.said("hello");
    far.transport.write([bytes("welcome")]);
    far.transport.close();
    const all = new Uint8Array(await new Response(opened.body).arrayBuffer());
    const decoder = new RecordDecoder();
    expect(new TextDecoder().decode(decoder.decode(all)[0])).toBe("welcome");
    expect(decoder.state).toBe("ended");
  });

  it("P2: the header that names the session may have another name", async () => {
    const server = direct({ sessionHeader: "X-Talk" });
    const { opened } = await session(server);
    expect(opened.headers.get("x-talk")).toMatch(/^[0-9a-f]{32}$/);
    expect(opened.headers.has("mcp-session-id")).toBe(false);
    await server.handler.close();
  });

  it("P3: what a POST repeats is dropped, wherever it goes on", async () => {
    const { server, opened, far } = await session(direct(), body("ab"));
    expect((await post(server.fetch, opened, body("cdef"), 2)).status).toBe(204);
    expect((await post(server.fetch, opened, body("cdef"), 2)).status).toBe(204);
    expect((await post(server.fetch, opened, body("efgh"), 4)).status).toBe(204);
    expect((await post(server.fetch, opened, body("abcdefgh"), 0)).status).toBe(204);
    expect(far.text).toBe("abcdefgh");
    expect((await post(server.fetch, opened, body("i", "end"), 8)).status).toBe(204);
    expect((await post(server.fetch, opened, body("i", "end"), 8)).status).toBe(204);
    await far.ended;
    expect(far.text).toBe("abcdefghi");
    await server.handler.close();
  });

  it("P3: an offset beyond what was received is answered 409, and none or a bad one 400", async () => {
    const { server, opened, far } = await session();
    expect((await post(server.fetch, opened, body("x"), 1)).status).toBe(409);
    for (const offset of ["", "-1", "0x1", "1e3", "9".repeat(30)])
      expect((await post(server.fetch, opened, body("x"), offset)).status).toBe(400);
    expect((await post(server.fetch, opened, body("fine"), 0)).status).toBe(204);
    expect(far.text).toBe("fine");
    await server.handler.close();
  });

  it("P3: a newer POST ends an older one, and nothing is lost or doubled", async () => {
    const { server, opened, far } = await session();
    const older = told();
    const first = post(server.fetch, opened, older.stream, 0);
    older.controller.enqueue(body("abcdef").subarray(0, 7));
    await far.said("abc");
    const second = await post(server.fetch, opened, body("abcdef"), 0);
    expect(second.status).toBe(204);
    expect((await first).status).toBe(409);
    older.controller.enqueue(bytes("def"));
    expect((await post(server.fetch, opened, body("g"), 6)).status).toBe(204);
    expect(far.text).toBe("abcdefg");
    await server.handler.close();
  });

  it("P3: a POST that comes while the opening's body is taken waits for it", async () => {
    const server = direct();
    const first = told();
    const opening = open(server.fetch, first.stream);
    const far = watch(await server.accepted());
    const opened = await opening;
    const later = post(server.fetch, opened, body("def"), 3);
    first.controller.enqueue(body("abc"));
    await far.said("abc");
    first.controller.close();
    expect((await later).status).toBe(204);
    expect(far.text).toBe("abcdef");
    await server.handler.close();
  });

  it("P3: an answer 204 comes when everything was delivered and not before", async () => {
    const { server, opened, far } = await session();
    far.transport.pause();
    let answered = "no";
    const answer = post(server.fetch, opened, body("abc"), 0);
    answer.then(
      () => (answered = "yes"),
      () => {},
    );
    // Requests that are refused take the same way, and are over.
    for (let other = 0; other < 20; other++)
      expect((await post(server.fetch, opened, null, "bad")).status).toBe(400);
    expect([answered, far.text]).toEqual(["no", ""]);
    far.transport.resume();
    expect((await answer).status).toBe(204);
    expect(far.text).toBe("abc");
    await server.handler.close();
  });

  it("P4: the downward body says that it is still there", async () => {
    const { server, opened } = await session(direct({ limits: { keepAlive: 5 } }));
    const reader = opened.body!.getReader();
    for (let seen = 0; seen < 3; seen++) {
      const { value } = await reader.read();
      expect(value).toEqual(new Uint8Array(4));
    }
    await server.handler.close();
  });

  it("P4: the loss of the downward body ends the session", async () => {
    const { server, opened, far } = await session();
    await opened.body!.cancel();
    expect((await far.closed)?.code).toBe("closed");
    expect(server.handler.sessions).toBe(0);
    expect((await post(server.fetch, opened, body("x"), 0)).status).toBe(404);
  });

  it("P4: a client that has gone before it is answered leaves no session", async () => {
    const server = direct();
    const headers = { "Content-Type": FRAMES_TYPE, Accept: FRAMES_TYPE };
    await server.handler.fetch(
      new Request(URL_OF_DIRECT, { method: "POST", headers, signal: AbortSignal.abort() }),
    );
    const far = watch(await server.accepted());
    expect((await far.closed)?.code).toBe("closed");
    expect(server.handler.sessions).toBe(0);
  });

  it("P4: DELETE ends the session at once, also while a POST is being taken", async () => {
    const { server, opened, far } = await session();
    const pending = told();
    const first = post(server.fetch, opened, pending.stream, 0);
    const headers = { "Mcp-Session-Id": opened.headers.get("mcp-session-id")! };
    expect((await server.fetch(URL_OF_DIRECT, { method: "DELETE", headers })).status).toBe(204);
    expect((await far.closed)?.code).toBe("closed");
    expect((await first).status).toBe(404);
    expect(server.handler.sessions).toBe(0);
    expect((await server.fetch(URL_OF_DIRECT, { method: "DELETE", headers })).status).toBe(404);
  });

  it("P4: an end in both directions ends the session in order", async () => {
    const { server, opened, far } = await session();
    expect((await post(server.fetch, opened, body("bye", "end"), 0)).status).toBe(204);
    await far.ended;
    expect(server.handler.sessions).toBe(1);
    far.transport.close();
    await new Response(opened.body).arrayBuffer();
    expect(await far.closed).toBeUndefined();
    expect(server.handler.sessions).toBe(0);
  });

  it("does not expire while its response lasts, and does when that has ended and nothing comes", async () => {
    const { server, opened, far } = await session(direct({ limits: { idle: 10, keepAlive: 5 } }));
    const reader = opened.body!.getReader();
    for (let seen = 0; seen < 10; seen++) expect((await reader.read()).value).toEqual(new Uint8Array(4));
    expect(server.handler.sessions).toBe(1);
    far.transport.close();
    while (!(await reader.read()).done);
    expect((await far.closed)?.code).toBe("timeout");
    expect((await post(server.fetch, opened, body("late"), 0)).status).toBe(404);
  });

  it("P1: a record too long, and bytes after the end, end the session", async () => {
    const tooLong = new Uint8Array(4);
    new DataView(tooLong.buffer).setUint32(0, RECORD_LIMIT + 1);
    const late = new Uint8Array([...body("a", "end"), ...body("b")]);
    for (const broken of [tooLong, late]) {
      const { server, opened, far } = await session();
      expect((await post(server.fetch, opened, broken, 0)).status).toBe(400);
      expect((await far.closed)?.code).toBe("protocol");
      expect(server.handler.sessions).toBe(0);
    }
    const { server, opened, far } = await session();
    await post(server.fetch, opened, body("a", "end"), 0);
    expect((await post(server.fetch, opened, body("b"), 1)).status).toBe(400);
    expect((await far.closed)?.code).toBe("protocol");
  });

  it("P1: a body that ends inside of a record is refused, and can be sent again", async () => {
    const { server, opened, far } = await session();
    expect((await post(server.fetch, opened, body("abcdef").subarray(0, 7), 0)).status).toBe(400);
    expect(far.text).toBe("abc");
    expect((await post(server.fetch, opened, body("abcdef"), 0)).status).toBe(204);
    expect(far.text).toBe("abcdef");
    await server.handler.close();
  });

  it("a body that brings nothing in time is answered 408, and the session goes on", async () => {
    const { server, opened, far } = await session(direct({ limits: { bodyTime: 10 } }));
    const slow = told();
    slow.controller.enqueue(body("abc").subarray(0, 5));
    expect((await post(server.fetch, opened, slow.stream, 0)).status).toBe(408);
    expect((await post(server.fetch, opened, body("abc"), 0)).status).toBe(204);
    expect(far.text).toBe("abc");
    await server.handler.close();
  });

  it("an opening whose body is cut ends the session: it cannot be sent again", async () => {
    const server = direct();
    const cut = told();
    const opening = open(server.fetch, cut.stream);
    const far = watch(await server.accepted());
    await opening;
    cut.controller.error(new Error("cut"));
    expect((await far.closed)?.code).toBe("read");
    expect(server.handler.sessions).toBe(0);
  });

  it("other methods and media types are refused, with what is allowed", async () => {
    const { server, opened } = await session();
    const headers = { "Mcp-Session-Id": opened.headers.get("mcp-session-id")! };
    const got = await server.fetch(URL_OF_DIRECT, { method: "GET", headers });
    expect([got.status, got.headers.get("allow")]).toEqual([405, "POST, DELETE"]);
    const text = { ...headers, "Content-Type": "application/json", "Sluice-Offset": "0" };
    expect((await server.fetch(URL_OF_DIRECT, { method: "POST", body: "{}", headers: text })).status).toBe(
      415,
    );
    await server.handler.close();
  });

  it("takes nothing before the transport is started", async () => {
    const server = direct();
    const opened = await open(server.fetch, body("early"));
    const transport = await server.accepted();
    transport.write([bytes("also early")]);
    const far = watch(transport);
    await far.said("early");
    const { value: first } = await opened.body!.getReader().read();
    expect(first).toEqual(new Uint8Array(4));
    await server.handler.close();
  });

  it("an end before the start is told at the start", async () => {
    const server = direct();
    await open(server.fetch);
    const transport = await server.accepted();
    await server.handler.close("no more");
    const error = await watch(transport).closed;
    expect([error?.code, error?.message]).toEqual(["aborted", "no more"]);
  });
});
