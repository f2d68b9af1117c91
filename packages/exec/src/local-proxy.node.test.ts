import https from "node:https";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { readAll, text, utf8 } from "./bytes.testing.ts";
import type { HttpRequest } from "./http-client.ts";
import { failure } from "./http-failure.testing.ts";
import { localClient, type LocalClient, type LocalClientOptions } from "./local.ts";
import { proxyServer, TLS, type ProxyOptions, type ProxyServer } from "./proxy.testing.ts";
import { upstream, type Answer } from "./upstream.testing.ts";

const keeps = !("Deno" in globalThis); // there each request has a connection of its own

/** Says what has come to it, as JSON. */
const tell: Answer = (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { method, url, headers } = request;
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }));
  });
};

interface Told {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function told(client: LocalClient, request: HttpRequest): Promise<Told> {
  return JSON.parse(text((await client.request(request)).body));
}

/** Serves https as `secure.test`. */
async function secureServer(answer: Answer): Promise<AsyncDisposable & { readonly port: number }> {
  const server = https.createServer(TLS, answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Stage extends AsyncDisposable {
  readonly proxy: ProxyServer;
  readonly client: LocalClient;
}

/** A client, and a proxy that it uses for everything, which reaches one server. */
async function stage(
  options: ProxyOptions & { readonly client?: LocalClientOptions; readonly credentials?: string } = {},
): Promise<Stage> {
  const proxy = await proxyServer(options);
  const { credentials = "" } = options;
  const through = proxy.url.replace("://", `://${credentials}`);
  const client = localClient({ proxy: () => through, ca: TLS.cert, ...options.client });
  return {
    proxy,
    client,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

const portOf = (url: string): number => Number(new URL(url).port);

describe.each(["http", "https"] as const)("a local client with an %s proxy", (scheme) => {
  it("asks it for http URLs in absolute-form, in the server's name", async () => {
    await using server = await upstream(tell);
    await using at = await stage({ scheme, to: portOf(server.url) });
    const body = utf8("hello");
    const seen = await told(at.client, { url: "http://name.test:81/a?b=c#d", method: "PUT", body });
    expect(seen).toMatchObject({ method: "PUT", url: "/a?b=c", body: "hello" });
    expect(seen.headers["host"]).toBe("name.test:81");
    expect(at.proxy.asked).toMatchObject([{ method: "PUT", target: "http://name.test:81/a?b=c" }]);

    await told(at.client, { url: "http://user:p%20w@[::1]/" });
    const [, { target, headers } = { target: "", headers: {} }] = at.proxy.asked;
    expect([target, headers.host]).toEqual(["http://[::1]/", "[::1]"]);
    expect(headers.authorization).toBe(`Basic ${btoa("user:p w")}`);
    expect(headers["proxy-authorization"]).toBeUndefined();
  });

  it("asks it for a connection to https servers, in which it sees nothing, and keeps that", async () => {
    await using server = await secureServer(tell);
    await using at = await stage({ scheme, to: server.port });
    for (const n of [1, 2]) {
      const seen = await told(at.client, {
        url: `https://secure.test/${n}`,
        method: "POST",
        body: utf8("x"),
      });
      expect(seen).toMatchObject({
        method: "POST",
        url: `/${n}`,
        body: "x",
        headers: { host: "secure.test" },
      });
    }
    expect(at.proxy.asked.length).toBe(keeps ? 1 : 2);
    expect(at.proxy.asked[0]).toMatchObject({ method: "CONNECT", target: "secure.test:443" });
    expect(at.proxy.asked[0]?.headers).toMatchObject({ host: "secure.test:443" });
  });

  it("gives the proxy the credentials of its URL, and the server none of them", async () => {
    await using server = await upstream(tell);
    await using secure = await secureServer(tell);
    const credentials = "us%40er:p%3Aw%C3%BC@";
    const authorization = `Basic ${Buffer.from("us@er:p:wü").toString("base64")}`;
    await using plain = await stage({ scheme, to: portOf(server.url), credentials });
    await using tunnel = await stage({ scheme, to: secure.port, credentials });
    const headers = [["Proxy-Authorization", "Basic mine"]] as const;
    const seen = [
      await told(plain.client, { url: "http://name.test/", headers }),
      await told(tunnel.client, { url: "https://secure.test/", headers }),
    ];
    for (const { proxy } of [plain, tunnel])
      expect(proxy.asked.map((one) => one.headers["proxy-authorization"])).toEqual([authorization]);
    for (const one of seen) expect(one.headers["proxy-authorization"]).toBeUndefined();
  });
});

describe("a local client with a proxy", () => {
  it("asks at each hop which one it is; what was one's is not told to the next", async () => {
    await using server = await upstream((request, response) => {
      if (request.url === "/from") response.writeHead(302, { location: `${server.url}/to` }).end();
      else tell(request, response);
    });
    await using at = await proxyServer({ to: portOf(server.url) });
    const hops: string[] = [];
    const proxy = (url: URL): string | undefined => {
      hops.push(url.href);
      return url.hostname === "name.test" ? at.url.replace("//", "//user:pw@") : undefined;
    };
    using client = localClient({ proxy });
    const seen = await told(client, { url: "http://name.test/from" });
    expect(hops).toEqual(["http://name.test/from", `${server.url}/to`]);
    expect(at.asked.map(({ target }) => target)).toEqual(["http://name.test/from"]);
    expect([seen.url, seen.headers["proxy-authorization"]]).toEqual(["/to", undefined]);
  });

  it.each([
    [302, "the connection is not one"],
    [407, "it wants other credentials"],
    [502, "it reaches nobody"],
  ])("an answer %s to CONNECT is an error that says so, and nothing was sent: %s", async (status) => {
    await using at = await stage({
      credentials: "user:secret@",
      connect: (socket) =>
        socket.end(`HTTP/1.1 ${status} No\r\nLocation: http://x/\r\nContent-Length: 6\r\n\r\nsecret`),
    });
    const { kind, message, mayHaveRun } = await failure(at.client.request({ url: "https://secure.test/" }));
    expect([kind, mayHaveRun]).toEqual(["upstream", false]);
    expect(message).toContain(`its proxy answered CONNECT with ${status}`);
    expect(message).not.toMatch(/secret|127\.0\.0\.1/);
    await at.proxy.until(() => at.proxy.open === 0);
  });

  it("what it answers to a request of http is the response", async () => {
    await using at = await stage({
      answer: (_, response) => response.writeHead(407, { "proxy-authenticate": "Basic" }).end("who are you"),
    });
    const response = await at.client.request({ url: "http://name.test/" });
    expect([response.status, text(response.body), response.url]).toEqual([
      407,
      "who are you",
      "http://name.test/",
    ]);
  });

  it.each(["http", "https"])("one that breaks off or speaks no HTTP is an error, for %s", async (scheme) => {
    for (const says of ["", "220 mail.test\r\n"]) {
      await using at = await stage({
        connect: (socket) => socket.end(says),
        answer: (request) => request.socket.end(says),
      });
      const { kind, message } = await failure(at.client.request({ url: `${scheme}://secure.test/` }));
      expect([kind, message]).toEqual([
        "upstream",
        expect.stringContaining("the connection to its proxy failed"),
      ]);
    }
  });

  it("one that cannot be reached is an error that does not say where it is", async () => {
    const gone = await proxyServer();
    await gone[Symbol.asyncDispose]();
    using client = localClient({ proxy: () => gone.url.replace("//", "//user:secret@") });
    for (const url of ["http://name.test/", "https://secure.test/"]) {
      const { kind, message } = await failure(client.request({ url }));
      expect([kind, message]).toEqual(["upstream", expect.stringMatching(/its proxy failed: ECONNREFUSED$/)]);
    }
  });

  it.each(["socks5://127.0.0.1:1080", "nonsense", "ftp://x/"])(
    "%s is not passed over: nothing is sent",
    async (proxy) => {
      await using server = await upstream(tell);
      using client = localClient({ proxy: () => proxy });
      const { kind, message, mayHaveRun } = await failure(client.request({ url: server.url }));
      expect([kind, mayHaveRun]).toEqual(["upstream", false]);
      expect(message).toContain("has to be an http or https URL");
      expect(message).not.toContain(proxy);
    },
  );

  it("a server whose certificate is not trusted is not, either, behind one", async () => {
    await using server = await secureServer(tell);
    await using at = await stage({ to: server.port });
    const { kind, message } = await failure(at.client.request({ url: "https://other.test/" }));
    expect([kind, message]).toEqual(["upstream", expect.stringContaining("other.test")]);
    using strict = localClient({ proxy: () => at.proxy.url });
    expect((await failure(strict.request({ url: "https://secure.test/" }))).message).toMatch(/self.signed/);
    await at.proxy.until(() => at.proxy.open === 0);
  });

  it("`ca` is trusted without a proxy, too", async () => {
    await using server = await secureServer(tell);
    using client = localClient({ ca: [TLS.cert] });
    expect((await told(client, { url: `https://localhost:${server.port}/here` })).url).toBe("/here");
  });

  it.each([
    ["it has not answered CONNECT", "https", { connect: () => {} }],
    [
      "it has answered CONNECT, and the server nothing",
      "https",
      { connect: (socket) => void socket.write("HTTP/1.1 200 OK\r\n\r\n") },
    ],
    ["the server has not answered", "http", { answer: () => {} }],
  ] as const satisfies readonly [string, string, ProxyOptions][])(
    "given up while %s, its connection is closed",
    async (_, scheme, options) => {
      await using at = await stage(options);
      const abort = new AbortController();
      const asked = at.client.request({ url: `${scheme}://secure.test/`, signal: abort.signal });
      asked.catch(() => {});
      await at.proxy.until(() => at.proxy.asked.length === 1);
      abort.abort(new Error("given up"));
      await expect(asked).rejects.toThrow("given up");
      await at.proxy.until(() => at.proxy.open === 0);
    },
  );

  it("its timeouts hold for what the proxy takes, too", async () => {
    await using at = await stage({ connect: () => {} });
    const { kind } = await failure(
      at.client.request({ url: "https://secure.test/", timeouts: { headers: 20 } }),
    );
    expect(kind).toBe("timeout");
    await at.proxy.until(() => at.proxy.open === 0);
  });

  it.each(["http", "https"])("a body that is let go of closes its connection, for %s", async (scheme) => {
    const hold: Answer = (_, response) => void response.write("first");
    await using plain = await upstream(hold);
    await using secure = await secureServer(hold);
    await using at = await stage({ to: scheme === "http" ? portOf(plain.url) : secure.port });
    const { body } = await at.client.requestStream({ url: `${scheme}://secure.test/` });
    const reader = body.getReader();
    expect(text((await reader.read()).value ?? utf8(""))).toBe("first");
    await reader.cancel();
    await at.proxy.until(() => at.proxy.open === 0);
  });

  it("a body is streamed both ways through a tunnel", async () => {
    await using server = await secureServer((request, response) => void request.pipe(response));
    await using at = await stage({ to: server.port });
    const body = new Blob([new Uint8Array(3_000_000).fill(97)]).stream();
    const response = await at.client.requestStream({ url: "https://secure.test/", method: "POST", body });
    expect(await readAll(response.body)).toBe("a".repeat(3_000_000));
  });

  it("300 requests through tunnels, given up at any moment, leave no connection behind", async () => {
    await using server = await secureServer((request, response) => void request.pipe(response));
    await using at = await stage({ to: server.port });
    const outcomes = new Set<unknown>();
    const one = async (n: number): Promise<unknown> => {
      const abort = new AbortController();
      const request = { url: "https://secure.test/", method: "POST", body: utf8("x"), signal: abort.signal };
      const asked = at.client.request(request).then(
        () => "answered",
        (error: unknown) => error,
      );
      const given = (async (): Promise<void> => {
        for (let turns = n % 60; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
        if (n % 6 > 0) abort.abort("given up");
      })();
      return (await Promise.all([asked, given]))[0];
    };
    for (let n = 0; n < 300; n += 10)
      for (const outcome of await Promise.all(Array.from({ length: 10 }, (_, i) => one(n + i))))
        outcomes.add(outcome);
    expect(outcomes).toEqual(new Set(["answered", "given up"]));
    at.client[Symbol.dispose]();
    await at.proxy.until(() => at.proxy.open === 0);
  });

  it("a kept tunnel that the proxy has closed meanwhile is no failure", async () => {
    await using server = await secureServer((_, response) => {
      const { socket } = response;
      response.on("finish", () => setImmediate(() => socket?.destroy()));
      response.end("x");
    });
    await using at = await stage({ to: server.port });
    for (let i = 0; i < 10; i++)
      expect(text((await at.client.request({ url: "https://secure.test/" })).body)).toBe("x");
  });

  it("the environment says nothing to one that was not told to look at it", async () => {
    await using server = await upstream(tell);
    await using at = await proxyServer({ to: portOf(server.url) });
    const names = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = at.url;
    try {
      using client = localClient();
      expect((await told(client, { url: `${server.url}/x` })).url).toBe("/x");
    } finally {
      for (const [i, name] of names.entries())
        if (before[i] === undefined) delete process.env[name];
        else process.env[name] = before[i];
    }
    expect(at.asked).toEqual([]);
  });
});

describe("a policy, behind a proxy", () => {
  const refusal = async (client: LocalClient, url: string): Promise<[string, string]> => {
    const { kind, message } = await failure(client.request({ url }));
    return [kind, message];
  };

  it.each([
    ["http://127.0.0.1/", "loopback"],
    ["http://[::ffff:10.0.0.1]/", "private"],
    ["https://169.254.169.254/latest", "link-local"],
    ["http://localhost/", "loopback"],
    ["https://localhost/", "loopback"],
  ])("%s is refused before the proxy hears of it: %s", async (url, kind) => {
    await using at = await stage({ client: { policy: {} } });
    expect(await refusal(at.client, url)).toEqual(["refused", expect.stringContaining(`a ${kind} address`)]);
    expect([at.proxy.asked, at.proxy.open]).toEqual([[], 0]);
  });

  it("a name nobody here knows is not left to the proxy to resolve, unless `allow` names it", async () => {
    await using server = await upstream(tell);
    const options = { to: portOf(server.url) };
    await using strict = await stage({ ...options, client: { policy: {} } });
    const error = await failure(strict.client.request({ url: "http://inside.invalid/" }));
    expect([error.kind, strict.proxy.asked]).toEqual(["upstream", []]);

    await using named = await stage({ ...options, client: { policy: { allow: ["inside.invalid"] } } });
    expect((await told(named.client, { url: "http://inside.invalid/x" })).url).toBe("/x");

    const check = (): boolean => true;
    await using checked = await stage({
      ...options,
      client: { policy: { allow: ["inside.invalid"], check } },
    });
    await failure(checked.client.request({ url: "http://inside.invalid/" }));
    expect(checked.proxy.asked).toEqual([]);
  });

  it("schemes and its hook are asked at each hop", async () => {
    await using server = await upstream((request, response) => {
      if (request.url === "/1") response.writeHead(302, { location: "http://localhost/2" }).end();
      else if (request.url === "/2") response.writeHead(302, { location: "https://localhost/3" }).end();
    });
    const seen: [string, number][] = [];
    const policy = {
      allow: ["loopback"],
      schemes: ["http"],
      check: ({ url, hop }) => (seen.push([url.pathname, hop]), true),
    } as const satisfies LocalClientOptions["policy"];
    await using at = await stage({ to: portOf(server.url), client: { policy } });
    expect(await refusal(at.client, "http://127.0.0.1/1")).toEqual([
      "refused",
      expect.stringContaining("policy.schemes"),
    ]);
    expect(new Set(seen.map(([path, hop]) => `${path} ${hop}`))).toEqual(new Set(["/1 0", "/2 1"]));
    expect(at.proxy.asked.map(({ target }) => target)).toEqual(["http://127.0.0.1/1", "http://localhost/2"]);
  });

  it("a connection that is kept to the proxy is not a way to the proxy itself", async () => {
    await using server = await upstream(tell);
    await using at = await proxyServer({ to: portOf(server.url) });
    const itself = at.url.replace("127.0.0.1", "localhost");
    const proxy = (url: URL): string | undefined => (url.hostname === "localhost" ? undefined : itself);
    using client = localClient({ proxy, policy: { allow: ["name.invalid"] } });
    await told(client, { url: "http://name.invalid/" });
    expect(at.asked.length).toBe(1);
    expect(await refusal(client, `${itself}/`)).toEqual(["refused", expect.stringContaining("loopback")]);
    expect(at.asked.length).toBe(1);
  });
});
