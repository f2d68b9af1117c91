// Who may open a WebSocket here.
import { dial } from "@sluice/ws";
import type { Transport } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import { served, type Served } from "./pairs.testing.ts";
import { Raw, UPGRADE, type Answer } from "./raw.testing.ts";
import { bytes, watch } from "./watch.testing.ts";

const hostOf = ({ server }: Served): string => `Host: 127.0.0.1:${server.port}`;

/** The answer to one handshake; the connection is let go of. */
async function ask({ server }: Served, headers: readonly string[], path?: string): Promise<Answer> {
  const raw = new Raw(server.port);
  const answer = await raw.upgrade(headers, path);
  raw.socket.destroy();
  return answer;
}

describe("a handshake", () => {
  it("is refused under a Host that is foreign, missing, repeated or malformed", async () => {
    await using all = await served();
    const host = hostOf(all);
    const heads: [string[], number][] = [
      [["Host: evil.example"], 403],
      [["Host: 127.0.0.1.evil.example"], 403],
      [[], 400],
      [[host, host], 400],
      [[host, "Host: evil.example"], 400],
      [["Host: a b"], 400],
      [["Host: localhost:9"], 101],
      [[host], 101],
    ];
    for (const [head, status] of heads) expect([head, (await ask(all, head)).status]).toEqual([head, status]);
  });

  it("from a page is refused where its Origin is not the server's own or one of `origins`", async () => {
    await using all = await served();
    const host = hostOf(all);
    const own = `http://127.0.0.1:${all.server.port}`;
    const heads: [string, number][] = [
      ["https://evil.example", 403],
      ["null", 403],
      [`http://127.0.0.1:${all.server.port + 1}`, 403],
      [`${own}.evil.example`, 403],
      [own, 101],
    ];
    for (const [origin, status] of heads)
      expect([origin, (await ask(all, [host, `Origin: ${origin}`])).status]).toEqual([origin, status]);

    await using open = await served({ origins: ["https://app.example"], hosts: ["api.example"] });
    const there = ["Host: api.example", "Origin: https://app.example"];
    expect((await ask(open, there)).status).toBe(101);
    expect((await ask(open, [there[0]!, "Origin: https://other.example"])).status).toBe(403);
    expect((await ask(open, [hostOf(open), there[1]!])).status).toBe(403);
  });

  it("under any Host and Origin is taken where the options say so", async () => {
    await using all = await served({ origins: "any", hosts: "any" });
    const answer = await ask(all, ["Host: what.ever", "Origin: https://what.ever"]);
    expect(answer.status).toBe(101);
  });

  it("to another path is answered 404, with or without a query", async () => {
    await using all = await served({ path: "/rpc" });
    const head = [hostOf(all)];
    for (const [path, status] of [
      ["/", 404],
      ["/rpc/", 404],
      ["/RPC", 404],
      ["/rpcs?/rpc", 404],
      ["/rpc", 101],
      ["/rpc?a=/", 101],
    ] as const)
      expect([path, (await ask(all, head, path)).status]).toEqual([path, status]);
    expect(all.server.url).toBe(`ws://127.0.0.1:${all.server.port}/rpc`);
  });

  it("may spell Upgrade in any case", async () => {
    await using all = await served();
    for (const spelling of ["WebSocket", "WEBSOCKET", "websocket"]) {
      const raw = new Raw(all.server.port);
      const head = ["Connection: upgrade", `upgrade: ${spelling}`, ...UPGRADE.slice(1), hostOf(all)];
      expect([spelling, (await raw.get(head)).status]).toEqual([spelling, 101]);
      raw.socket.destroy();
    }
  });

  it("is what a request that is none is told to begin with", async () => {
    await using all = await served();
    const answer = await new Raw(all.server.port).get([hostOf(all), "Connection: close"]);
    expect([answer.status, answer.body]).toEqual([426, '{"error":"this is a WebSocket server"}']);
    expect(answer.head.toLowerCase()).toContain("upgrade: websocket");
    const other = new Raw(all.server.port);
    expect((await other.get([hostOf(all), "Connection: Upgrade", "Upgrade: h2c"])).status).toBe(426);
    other.socket.destroy();
  });

  it("without a key, or of another version, is refused", async () => {
    await using all = await served();
    const [upgrade, version, key] = UPGRADE as [string, string, string];
    const heads: [string[], number][] = [
      [[upgrade, version], 400],
      [[upgrade, key], 426],
      [[upgrade, "Sec-WebSocket-Version: 12", key], 426],
    ];
    for (const [head, status] of heads) {
      const raw = new Raw(all.server.port);
      const answer = await raw.get([hostOf(all), "Connection: Upgrade", ...head]);
      expect([head, answer.status]).toEqual([head, status]);
      if (status === 426) expect(answer.head.toLowerCase()).toContain("sec-websocket-version: 13");
      raw.socket.destroy();
    }
    expect(all.server.sessions).toBe(0);
  });

  it("quotes nothing of what it refuses", async () => {
    await using all = await served({ path: "/rpc" });
    for (const [head, path] of [
      [["Host: secret.example"], "/rpc"],
      [[hostOf(all), "Origin: https://secret.example"], "/rpc"],
      [[hostOf(all)], "/secret"],
      [[hostOf(all), "Sec-WebSocket-Protocol: secret"], "/rpc"],
    ] as [string[], string][]) {
      const answer = await ask(all, head, path);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.head + answer.body).not.toContain("secret");
      expect(JSON.parse(answer.body)).toEqual({ error: expect.any(String) as string });
      expect(answer.head.toLowerCase()).toContain("cache-control: no-store");
    }
  });
});

describe("H4: subprotocols", () => {
  it.each([
    ["sluice.v1, jsonrpc", "sluice.v1"],
    ["jsonrpc,sluice.v1", "sluice.v1"],
    ["chat, jsonrpc", "jsonrpc"],
    [undefined, undefined],
  ])("offered as %j: %j is chosen", async (offered, chosen) => {
    await using all = await served();
    const head = offered === undefined ? [] : [`Sec-WebSocket-Protocol: ${offered}`];
    const answer = await ask(all, [hostOf(all), ...head]);
    const said = /sec-websocket-protocol: *([^\r]*)/i.exec(answer.head)?.[1];
    expect([answer.status, said]).toEqual([101, chosen]);
    expect((await all.accepted()).encoding).toBe(chosen === "sluice.v1" ? "frames" : undefined);
  });

  it("of which there is none in common are refused with those the server speaks", async () => {
    await using all = await served();
    const answer = await ask(all, [hostOf(all), "Sec-WebSocket-Protocol: chat"]);
    expect([answer.status, answer.body]).toEqual([
      400,
      '{"error":"no subprotocol in common: this server speaks sluice.v1, jsonrpc"}',
    ]);
  });

  it("are those of the option, in its order", async () => {
    await using all = await served({ protocols: ["jsonrpc", "sluice.v1"] });
    const near = await dial(all.server.url);
    expect(near.encoding).toBeUndefined();
    near.abort();
  });
});

describe("authorize", () => {
  it("sees the request, and what it says decides: true, false, a response, an exception", async () => {
    const seen: string[] = [];
    await using all = await served({
      authorize(request) {
        seen.push(`${new URL(request.url).pathname} ${request.headers.get("authorization")}`);
        const who = request.headers.get("authorization");
        if (who === "throw") throw new Error("secret");
        if (who === "late") return Promise.resolve(false);
        if (who === "elsewhere")
          return new Response("over there", { status: 307, headers: { location: "/b" } });
        return who === "yes";
      },
    });
    const host = hostOf(all);
    const answers: [string, number, string][] = [
      ["no", 401, '{"error":"not authorized"}'],
      ["late", 401, '{"error":"not authorized"}'],
      ["throw", 500, '{"error":"the request could not be judged"}'],
      ["elsewhere", 307, "over there"],
      ["yes", 101, ""],
    ];
    for (const [who, status, body] of answers) {
      const answer = await ask(all, [host, `Authorization: ${who}`], "/a?b");
      expect([who, answer.status, answer.body]).toEqual([who, status, body]);
      if (who === "elsewhere") expect(answer.head.toLowerCase()).toContain("location: /b");
    }
    expect(seen).toEqual(answers.map(([who]) => `/a ${who}`));
  });

  it("is not asked about who is refused by Host, Origin, path or subprotocol", async () => {
    let asked = 0;
    await using all = await served({ path: "/rpc", authorize: () => ++asked > 0 });
    const host = hostOf(all);
    await ask(all, ["Host: evil.example"], "/rpc");
    await ask(all, [host, "Origin: https://evil.example"], "/rpc");
    await ask(all, [host], "/");
    await ask(all, [host, "Sec-WebSocket-Protocol: chat"], "/rpc");
    expect(asked).toBe(0);
    await ask(all, [host], "/rpc");
    expect(asked).toBe(1);
  });

  it("may take its time, in which the client may leave", async () => {
    let decide: (yes: boolean) => void = () => {};
    let asked: () => void = () => {};
    const question = new Promise<void>((resolve) => (asked = resolve));
    await using all = await served({
      authorize: () =>
        new Promise((resolve) => {
          decide = resolve;
          asked();
        }),
    });
    const raw = new Raw(all.server.port);
    void raw.upgrade([hostOf(all)]);
    await question;
    raw.socket.destroy();
    await raw.closed;
    decide(true);
    const near = dial(all.server.url);
    // Asked again, for the second client: what was to happen with the first has happened.
    await new Promise<void>((resolve) => (asked = resolve));
    decide(true);
    await near;
    expect(all.server.sessions).toBe(1);
  });
});

describe("connections", () => {
  it("beyond the limit are refused with 503, until one has ended", async () => {
    await using all = await served({ connections: 2 });
    const first = watch(await dial(all.server.url));
    const far = watch(await all.accepted());
    const second = await dial(all.server.url);
    await all.accepted();
    expect(all.server.sessions).toBe(2);
    const answer = await ask(all, [hostOf(all)]);
    expect([answer.status, answer.body]).toEqual([503, '{"error":"no more connections for now"}']);
    expect(answer.head.toLowerCase()).toContain("retry-after: 5");
    far.transport.close();
    first.transport.close();
    expect([await far.closed, await first.closed]).toEqual([undefined, undefined]);
    const third = watch(await dial(all.server.url));
    const again = watch(await all.accepted());
    third.transport.write([bytes("hello")]);
    await again.said("hello");
    third.transport.abort();
    second.abort();
  });

  it("have labels that tell where they come from", async () => {
    await using all = await served();
    const near = await dial(`${all.server.url}?token=secret`);
    expect((await all.accepted()).label).toMatch(/^client 127\.0\.0\.1/);
    expect(near.label).toBe(`ws://127.0.0.1:${all.server.port}/`);
    near.abort();
  });

  it("whose onSession throws are dropped, and the server goes on", async () => {
    const mistake = new RangeError("a mistake");
    const errors: unknown[] = [];
    let told: () => void = () => {};
    const over = new Promise<void>((resolve) => (told = resolve));
    await using all = await served({
      onSession(transport) {
        void watch(transport).closed.then((error) => {
          errors.push(error?.code, error?.message, error?.cause);
          told();
        });
        throw mistake;
      },
    });
    const near = watch(await dial(all.server.url));
    expect((await near.closed)?.code).toBe("read");
    await over;
    expect(errors).toEqual(["aborted", "onSession threw", mistake]);
    const next = watch(await dial(all.server.url));
    await next.closed;
    expect(all.server.sessions).toBe(0);
  });

  it("come with the request they began with", async () => {
    let given: [Transport, Request] | undefined;
    await using all = await served({ onSession: (...both) => (given = both) });
    const near = await dial(new URL("/talk?to=me", all.server.url), { headers: { "X-Who": "Ada" } });
    near.write([bytes("x")]);
    watch(near);
    const [transport, request] = given!;
    expect(request.url).toBe(`http://127.0.0.1:${all.server.port}/talk?to=me`);
    expect(request.headers.get("x-who")).toBe("Ada");
    const far = watch(transport);
    await far.said("x");
    near.abort();
  });
});
