// Not in browsers: there a page cannot say which Host and Origin a request is from.
import { describe, expect, it } from "vitest";
import { FRAMES_TYPE, type HandlerOptions, type RequestInfo } from "./options.ts";
import { direct, type Direct } from "./pairs.testing.ts";

const OPENS = { "Content-Type": FRAMES_TYPE, Accept: FRAMES_TYPE };
const URL_OF = "http://localhost:8080/mcp";

function ask(
  { handler }: Direct,
  init: RequestInit & { url?: string; info?: RequestInfo } = {},
): Promise<Response> {
  const { url = URL_OF, info, ...rest } = init;
  return handler.fetch(new Request(url, { method: "POST", headers: OPENS, ...rest }), info);
}

/** A refusal, whole: JSON-RPC, without an id, and nothing of the request in it. */
async function refused(response: Response): Promise<{ status: number; code: number; message: string }> {
  expect(response.headers.get("content-type")).toBe("application/json");
  const text = await response.text();
  expect(text).not.toMatch(/evil|secret| at /);
  const { jsonrpc, id, error } = JSON.parse(text);
  expect([jsonrpc, id]).toEqual(["2.0", null]);
  return { status: response.status, ...error };
}

async function statusOf(server: Direct, init: Parameters<typeof ask>[1]): Promise<number> {
  return (await refused(await ask(server, init))).status;
}

describe("the guard comes first", () => {
  it("refuses a foreign Host, a foreign Origin and two Hosts", async () => {
    let asked = 0;
    const server = direct({ authorize: () => ++asked > 0 });
    expect(await statusOf(server, { headers: { ...OPENS, Host: "evil.example" } })).toBe(403);
    expect(await statusOf(server, { headers: { ...OPENS, Origin: "https://evil.example" } })).toBe(403);
    expect(await statusOf(server, { info: { hosts: ["localhost", "localhost"] } })).toBe(400);
    expect(await statusOf(server, { info: { hosts: [] } })).toBe(400);
    expect([asked, server.handler.sessions]).toEqual([0, 0]);
  });

  it("takes any Host where the server does not listen on loopback, and those it is told", async () => {
    const server = direct();
    const evil = { headers: { ...OPENS, Host: "evil.example" } };
    expect((await ask(server, { ...evil, info: { bound: "192.0.2.1" } })).status).toBe(200);
    const named = direct({ hosts: ["app.example"] });
    expect((await ask(named, { headers: { ...OPENS, Host: "app.example:443" } })).status).toBe(200);
    expect(await statusOf(named, {})).toBe(403);
    await Promise.all([server.handler.close(), named.handler.close()]);
  });
});

describe("pages of other origins", () => {
  const origin = "https://app.example";
  const preflight = {
    method: "OPTIONS",
    headers: { Origin: origin, "Access-Control-Request-Method": "POST" },
  };

  it("are told what they may do when their origin is listed", async () => {
    const server = direct({ origins: [origin] });
    const answer = await ask(server, preflight);
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
    expect(answer.headers.get("vary")).toBe("Origin");
    expect(answer.headers.get("access-control-allow-methods")).toBe("GET, POST, DELETE");
    const allowed = answer.headers.get("access-control-allow-headers");
    for (const name of ["content-type", "sluice-offset", "mcp-session-id", "mcp-protocol-version"])
      expect(allowed?.split(", ")).toContain(name);
  });

  it("may read every answer, refusals too, and the session header", async () => {
    const server = direct({
      origins: [origin],
      authorize: (request) =>
        new URL(request.url).search === "" || Response.redirect("https://login.example"),
    });
    const opened = await ask(server, { headers: { ...OPENS, Origin: origin } });
    const unknown = await ask(server, { headers: { ...OPENS, Origin: origin, "Mcp-Session-Id": "1" } });
    const verdict = await ask(server, { headers: { ...OPENS, Origin: origin }, url: `${URL_OF}?x` });
    expect([opened.status, unknown.status, verdict.status]).toEqual([200, 404, 302]);
    for (const answer of [opened, unknown, verdict]) {
      expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
      expect(answer.headers.get("access-control-expose-headers")).toBe("mcp-session-id");
      expect(answer.headers.get("vary")).toBe("Origin");
    }
    await server.handler.close();
  });

  it("are not told anything when their origin is not listed, or none is", async () => {
    const listed = await ask(direct({ origins: ["https://other.example"] }), preflight);
    expect(listed.status).toBe(403);
    expect(listed.headers.has("access-control-allow-origin")).toBe(false);
    expect(listed.headers.get("vary")).toBe("Origin");
    const none = await ask(direct(), preflight);
    expect(none.status).toBe(403);
    expect(none.headers.has("access-control-allow-origin")).toBe(false);
    expect(none.headers.has("vary")).toBe(false);
    const own = await ask(direct(), { ...preflight, headers: { Origin: "http://localhost:8080" } });
    expect([own.status, own.headers.get("allow")]).toEqual([405, "GET, POST, DELETE"]);
  });
});

describe("a handler", () => {
  it("serves its path and no other", async () => {
    const server = direct({ path: "/mcp" });
    expect((await ask(server)).status).toBe(200);
    expect(await statusOf(server, { url: "http://localhost:8080/secret" })).toBe(404);
    await server.handler.close();
  });

  it("asks authorize about every request, of old sessions too", async () => {
    const verdicts: (boolean | Response)[] = [true, false, new Response("no", { status: 418 }), true];
    const server = direct({ authorize: () => Promise.resolve(verdicts.shift() ?? true) });
    const opened = await ask(server);
    expect(opened.status).toBe(200);
    const headers = { ...OPENS, "Mcp-Session-Id": opened.headers.get("mcp-session-id")! };
    const no = await ask(server, { headers });
    expect([no.status, no.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="sluice"']);
    expect((await ask(server, { headers })).status).toBe(418);
    expect((await ask(server, { headers, method: "DELETE" })).status).toBe(204);
  });

  it("takes an authorize that forgets to answer for a no", async () => {
    const forgets = (() => {}) as unknown as () => boolean;
    expect(await statusOf(direct({ authorize: forgets }), {})).toBe(401);
  });

  it("answers 500 and says nothing where its user's code throws", async () => {
    const throws = (): never => {
      throw new Error("secret at the database");
    };
    const unsure = direct({ authorize: throws });
    expect((await refused(await ask(unsure))).status).toBe(500);
    const useless = direct({ authorize: () => Response.error(), origins: ["https://app.example"] });
    expect((await refused(await ask(useless))).status).toBe(500);
    const broken = direct({ onSession: throws });
    expect((await refused(await ask(broken))).status).toBe(500);
    expect(broken.handler.sessions).toBe(0);
  });

  it("P5: an unknown session is answered 404, two session headers 400", async () => {
    const server = direct();
    const unknown = { ...OPENS, "Mcp-Session-Id": "0123456789abcdef0123456789abcdef" };
    expect(await refused(await ask(server, { headers: unknown }))).toMatchObject({
      status: 404,
      code: -32001,
    });
    const twice = new Headers(unknown);
    twice.append("Mcp-Session-Id", "1");
    expect(await statusOf(server, { headers: twice })).toBe(400);
    expect(await statusOf(server, { headers: { ...OPENS, "Mcp-Session-Id": "x".repeat(300) } })).toBe(400);
  });

  it("says which methods and media types there are", async () => {
    const server = direct();
    expect(await statusOf(server, { method: "GET" })).toBe(400);
    expect(await statusOf(server, { method: "DELETE" })).toBe(400);
    const put = await ask(server, { method: "PUT" });
    expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, POST, DELETE"]);
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
      expect(await statusOf(server, { headers: { "Content-Type": type } })).toBe(415);
    const accepts = { "Content-Type": FRAMES_TYPE, Accept: "*/*" };
    expect(await statusOf(server, { headers: accepts })).toBe(406);
    expect(server.handler.sessions).toBe(0);
  });

  it("takes so many sessions and no more, of all and of each client, until one ends", async () => {
    const limits = { sessions: 3, sessionsPerClient: 2 };
    const perClient = direct({ limits });
    const [a, b] = [{ info: { peer: "192.0.2.1" } }, { info: { peer: "192.0.2.2" } }];
    const first = await ask(perClient, a);
    expect((await ask(perClient, a)).status).toBe(200);
    const full = await ask(perClient, a);
    expect(Number(full.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refused(full)).toMatchObject({
      status: 503,
      message: expect.stringContaining("sessionsPerClient"),
    });
    expect((await ask(perClient, b)).status).toBe(200);
    expect(await refused(await ask(perClient, b))).toMatchObject({
      message: expect.stringContaining("limits.sessions "),
    });
    await first.body?.cancel();
    expect(perClient.handler.sessions).toBe(2);
    expect((await ask(perClient, a)).status).toBe(200);
    await perClient.handler.close();
  });

  it("counts clients as it is told to", async () => {
    const options: Partial<HandlerOptions> = {
      limits: { sessionsPerClient: 1 },
      clientOf: (request) => request.headers.get("x-user") ?? "",
    };
    const server = direct(options);
    expect((await ask(server, { headers: { ...OPENS, "X-User": "a" } })).status).toBe(200);
    expect((await ask(server, { headers: { ...OPENS, "X-User": "b" } })).status).toBe(200);
    expect(await statusOf(server, { headers: { ...OPENS, "X-User": "a" } })).toBe(503);
    await server.handler.close();
  });

  it("opens no session that was asked for before it was closed", async () => {
    let opened = 0;
    const server = direct({ onSession: () => opened++ });
    let finish: () => void = () => {};
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        finish = () => {
          controller.enqueue(new TextEncoder().encode('{"jsonrpc":"2.0","id":1,"method":"open"}'));
          controller.close();
        };
      },
    });
    const headers = { "Content-Type": "application/json", Accept: "application/json, text/event-stream" };
    const init = { headers, body, duplex: "half" };
    const asked = ask(server, init);
    await server.handler.close("going home");
    finish();
    expect(await refused(await asked)).toMatchObject({ status: 503, message: "going home" });
    expect([opened, server.handler.sessions]).toEqual([0, 0]);
  });

  it("ends its sessions when it is closed, and answers 503 from then on", async () => {
    const server = direct();
    const opened = await ask(server);
    expect(server.handler.sessions).toBe(1);
    await server.handler.close("going home");
    expect(server.handler.sessions).toBe(0);
    await opened.arrayBuffer().catch(() => {});
    expect(await refused(await ask(server))).toMatchObject({ status: 503, message: "going home" });
  });
});
