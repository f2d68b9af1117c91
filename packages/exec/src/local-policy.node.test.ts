import http from "node:http";
import { describe, expect, it } from "vitest";
import { HttpError } from "./http-error.ts";
import { localClient } from "./local.ts";
import { kindOf, Policy, type Destination } from "./local-policy.ts";
import { text } from "./bytes.testing.ts";
import { upstream } from "./upstream.testing.ts";

/** An IPv4 address as URLs may spell it (WHATWG URL, IPv4 parser). */
function spellings(address: string): string[] {
  const parts = address.split(".").map(Number);
  const [a = 0, b = 0, c = 0, d = 0] = parts;
  const number = ((a * 256 + b) * 256 + c) * 256 + d;
  const hex = (n: number): string => `0x${n.toString(16)}`;
  const octal = (n: number): string => `0${n.toString(8)}`;
  return [
    address,
    `${address}.`,
    String(number),
    hex(number),
    octal(number),
    parts.map(hex).join("."),
    parts.map(octal).join("."),
    `${a}.${number % 2 ** 24}`,
    `${a}.${b}.${number % 2 ** 16}`,
    `${hex(a)}.${octal(b)}.${c}.${d}`,
    address.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))), // full-width digits
    address.replaceAll(".", "\u3002"), // ideographic full stops
    encodeURIComponent(address).replace("1", "%31"),
    `[::ffff:${address}]`,
    `[::ffff:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}]`,
    `[::${address}]`,
    `[64:ff9b::${address}]`,
    `[::ffff:0:${address}]`,
    `[2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::1]`,
  ];
}

const NOT_PUBLIC_4 = [
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "loopback"],
  ["0.0.0.0", "loopback"],
  ["10.0.0.1", "private"],
  ["172.16.0.1", "private"],
  ["172.31.255.255", "private"],
  ["192.168.1.1", "private"],
  ["100.64.0.1", "private"],
  ["169.254.169.254", "link-local"],
  ["169.254.170.2", "link-local"],
  ["192.0.0.192", "other"],
  ["192.0.2.1", "other"],
  ["198.18.0.1", "other"],
  ["224.0.0.1", "other"],
  ["240.0.0.1", "other"],
  ["255.255.255.255", "other"],
] as const;
const NOT_PUBLIC_6 = [
  "::1",
  "::",
  "fc00::1",
  "fd00:ec2::254",
  "fe80::1",
  "fec0::1",
  "ff02::1",
  "2001:db8::1",
  "2001::1",
  "100::1",
];
const PUBLIC_4 = [
  "1.1.1.1",
  "8.8.8.8",
  "93.184.215.14",
  "172.15.255.255",
  "172.32.0.1",
  "100.128.0.1",
  "169.253.1.1",
  "11.0.0.1",
];
const PUBLIC_6 = ["2606:4700::1111", "2a00:1450:4001::1"];

const bare = (url: URL): string => url.hostname.replaceAll(/^\[|\]$|\.$/g, "");

async function allowed(policy: Policy, url: URL, address = bare(url)): Promise<boolean> {
  return policy.addresses(url, 0, [{ address }]).then(
    () => true,
    (error: unknown) => {
      if (error instanceof HttpError && error.kind === "refused") return false;
      throw error;
    },
  );
}

describe("a policy", () => {
  const forms = [
    ...NOT_PUBLIC_4.flatMap(([address]) => spellings(address)),
    ...NOT_PUBLIC_6.map((address) => `[${address}]`),
  ];

  it(`refuses each of ${forms.length} ways to write an address that is not public`, async () => {
    expect(forms.length).toBeGreaterThan(300);
    const policy = new Policy({});
    const passed: string[] = [];
    for (const form of forms) {
      const url = URL.parse(`http://${form}/`);
      if (url !== null && (await allowed(policy, url))) passed.push(form);
    }
    expect(passed).toEqual([]);
  });

  it("lets public addresses pass, however they are written", async () => {
    const policy = new Policy({});
    // Not ::a.b.c.d, which is deprecated (RFC 4291 section 2.5.5.1) and leads nowhere.
    const forms4 = PUBLIC_4.flatMap(spellings).filter((form) => !/^\[::\d/.test(form));
    const forms = [...forms4, ...PUBLIC_6.map((address) => `[${address}]`)];
    const refused: string[] = [];
    let tried = 0;
    for (const form of forms) {
      const url = URL.parse(`http://${form}/`);
      if (url === null) continue;
      tried++;
      if (!(await allowed(policy, url))) refused.push(form);
    }
    expect([refused, tried > 50]).toEqual([[], true]);
  });

  it.each(NOT_PUBLIC_4)("%s is %s", (address, kind) => {
    expect(kindOf(address)).toBe(kind);
  });

  it("an address it cannot read is not public", () => {
    expect(["", "nonsense", "1.2.3.4.5", "fe80::1%eth0"].map(kindOf)).toEqual([
      "other",
      "other",
      "other",
      "link-local",
    ]);
  });

  it.each([
    [{ allow: ["loopback"] }, true, false],
    [{ allow: ["127.0.0.0/8"] }, true, false],
    [{ allow: ["127.0.0.1:8080"] }, true, false],
    [{ allow: ["127.0.0.1"] }, true, false],
    [{ allow: ["127.0.0.1:8081"] }, false, false],
    [{ allow: ["private", "10.0.0.0/8"] }, false, true],
    [{ allow: ["10.0.0.1"] }, false, true],
    [{ allow: ["loopback", "private"] }, true, true],
    [{ allow: ["loopback", "private"], check: ({ url }: Destination) => url.port === "8080" }, true, false],
    [{ allow: ["loopback"], check: () => Promise.reject(new Error("no")) }, false, false],
  ])("%j: loopback %s, private %s", async (policy, loopback, isPrivate) => {
    const judged = new Policy(policy);
    expect([
      await allowed(judged, new URL("http://127.0.0.1:8080/")),
      await allowed(judged, new URL("http://10.0.0.1/")),
    ]).toEqual([loopback, isPrivate]);
  });

  it("a name is judged by each address it stands for, and only those that pass are left", async () => {
    const policy = new Policy({});
    const url = new URL("http://rebind.test/");
    const all = ["127.0.0.1", "8.8.8.8", "10.0.0.1"].map((address) => ({ address }));
    expect(await policy.addresses(url, 0, all)).toEqual([{ address: "8.8.8.8" }]);
    await expect(policy.addresses(url, 0, [])).rejects.toMatchObject({ kind: "refused" });
  });

  it("behind a proxy, which takes whichever it likes, each address of a name has to pass", async () => {
    const policy = new Policy({});
    const url = new URL("http://rebind.test/");
    const resolve = (...all: string[]) => Promise.resolve(all.map((address) => ({ address })));
    await policy.behindProxy(url, 0, () => resolve("8.8.8.8", "1.1.1.1"));
    for (const all of [["8.8.8.8", "127.0.0.1"], ["10.0.0.1", "8.8.8.8"], []])
      await expect(policy.behindProxy(url, 0, () => resolve(...all))).rejects.toMatchObject({
        kind: "refused",
      });
  });

  it.each(["10.0.0.0/99", "10.0.0.0/", "a b", "http://x/", "user@host"])(
    "%j makes no sense in allow",
    (entry) => {
      expect(() => new Policy({ allow: [entry] })).toThrow(TypeError);
    },
  );

  const [http, https] = ["http://127.0.0.1", "https://127.0.0.1"];
  it.each([
    ["127.0.0.1", [http, `${http}:443`, `${http}:8080`, https, `${https}:80`, `${https}:8080`]],
    ["127.0.0.1:80", [http, `${https}:80`]],
    ["127.0.0.1:443", [`${http}:443`, https]],
    ["127.0.0.1:8080", [`${http}:8080`, `${https}:8080`]],
  ])("%s allows the port it names, also where that is a scheme's own", async (entry, allowed) => {
    const policy = new Policy({ allow: [entry] });
    const passed: string[] = [];
    for (const url of [http, `${http}:443`, `${http}:8080`, https, `${https}:80`, `${https}:8080`])
      await policy.addresses(new URL(url), 0, [{ address: "127.0.0.1" }]).then(
        () => passed.push(url),
        () => {},
      );
    expect(passed).toEqual(allowed);
  });

  it("schemes can be narrowed", () => {
    const policy = new Policy({ schemes: ["https"] });
    expect(() => policy.scheme(new URL("https://x/"))).not.toThrow();
    expect(() => policy.scheme(new URL("http://x/"))).toThrow("policy.schemes");
  });
});

describe("a local client with a policy", () => {
  it("judges each hop: a redirect into what is not allowed is refused, and its target never asked", async () => {
    const asked: string[] = [];
    await using inside = await upstream((request, response) => {
      asked.push(request.url ?? "");
      response.end("secret");
    });
    await using outside = await upstream(
      (_, response) => void response.writeHead(302, { location: `${inside.url}/x` }).end(),
    );
    using client = localClient({ policy: { allow: [new URL(outside.url).host] } });
    const error: unknown = await client.request({ url: outside.url }).catch((reason: unknown) => reason);
    expect([(error as HttpError).kind, asked]).toEqual(["refused", []]);
  });

  it("tells the hook where each hop goes", async () => {
    await using server = await upstream((request, response) => {
      if (request.url === "/1") response.writeHead(302, { location: "/2" }).end();
      else response.end("here");
    });
    const seen: [string, string, number][] = [];
    const check = ({ url, address, hop }: Destination): boolean => (
      seen.push([url.pathname, address, hop]),
      true
    );
    using client = localClient({ policy: { allow: ["loopback"], check } });
    expect(text((await client.request({ url: `${server.url}/1` })).body)).toBe("here");
    expect(seen).toEqual([
      ["/1", "127.0.0.1", 0],
      ["/2", "127.0.0.1", 1],
    ]);
  });

  it("asks the hook for each request, whether it has a connection of its own or a kept one", async () => {
    const asked: string[] = [];
    await using server = await upstream((request, response) => {
      asked.push(request.url ?? "");
      response.end("here");
    });
    const { port } = new URL(server.url);
    const check = ({ url }: Destination): boolean => url.pathname !== "/secret";
    using client = localClient({ policy: { allow: ["loopback"], check } });
    for (const host of ["localhost", "127.0.0.1"]) {
      expect(text((await client.request({ url: `http://${host}:${port}/public` })).body)).toBe("here");
      const refused = client.request({ url: `http://${host}:${port}/secret` });
      await expect(refused).rejects.toMatchObject({ kind: "refused" });
    }
    expect(asked).toEqual(["/public", "/public"]);
  });

  it("given up while it is judged, a request is not made; a judge that never comes to an end holds up nobody", async () => {
    let asked = 0;
    await using server = await upstream((_, response) => {
      asked++;
      response.end();
    });
    const abort = new AbortController();
    const judges = [() => (abort.abort(new Error("given up")), true), () => new Promise<boolean>(() => {})];
    for (const check of judges) {
      using client = localClient({ policy: { allow: ["loopback"], check } });
      const request = client.request({ url: server.url, signal: abort.signal });
      await expect(request).rejects.toThrow("given up");
    }
    const late = new AbortController();
    const check = (): Promise<boolean> => (
      queueMicrotask(() => late.abort(new Error("late"))),
      new Promise(() => {})
    );
    using client = localClient({ policy: { allow: ["loopback"], check } });
    await expect(client.request({ url: server.url, signal: late.signal })).rejects.toThrow("late");
    expect(asked).toBe(0);
  });

  it("a name is resolved once, and what was judged is connected to", async () => {
    await using server = await upstream((request, response) => void response.end(request.headers.host));
    const { port } = new URL(server.url);
    const addresses: string[] = [];
    const check = ({ address }: Destination): boolean => (addresses.push(address), address === "127.0.0.1");
    using client = localClient({ policy: { allow: ["loopback"], check } });
    const { body } = await client.request({ url: `http://localhost:${port}/` });
    expect(text(body)).toBe(`localhost:${port}`);
    expect(addresses).toContain("127.0.0.1");
  });
});

describe("a local client", () => {
  it("drops what was meant for another origin, and the body's headers with the body", async () => {
    const seen: http.IncomingHttpHeaders[] = [];
    await using other = await upstream((request, response) => {
      seen.push(request.headers);
      response.end();
    });
    await using server = await upstream(
      (_, response) => void response.writeHead(303, { location: other.url }).end(),
    );
    using client = localClient();
    const headers = [
      ["Authorization", "Bearer x"],
      ["Cookie", "a=b"],
      ["Content-Type", "text/plain"],
      ["X-Kept", "1"],
    ] as const;
    await client.request({ url: server.url, method: "POST", headers, body: new Uint8Array(3) });
    expect(seen[0]).toMatchObject({ "x-kept": "1" });
    expect(Object.keys(seen[0] ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/authorization|cookie|content-type/)]),
    );
  });

  it("follows 10 redirects and no more; a 307 sends the body again, and a streamed body cannot be", async () => {
    let hops = 0;
    const bodies: string[] = [];
    await using server = await upstream((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        bodies.push(Buffer.concat(chunks).toString());
        const n = Number(request.url?.slice(1));
        hops++;
        if (n > 0) response.writeHead(307, { location: `/${n - 1}` }).end();
        else response.end("there");
      });
    });
    using client = localClient();
    const body = new TextEncoder().encode("again");
    expect(text((await client.request({ url: `${server.url}/10`, method: "POST", body })).body)).toBe(
      "there",
    );
    expect([hops, new Set(bodies)]).toEqual([11, new Set(["again"])]);
    await expect(client.request({ url: `${server.url}/11` })).rejects.toMatchObject({ kind: "upstream" });
    const stream = new Blob(["once"]).stream();
    await expect(client.request({ url: `${server.url}/1`, method: "POST", body: stream })).rejects.toThrow(
      "cannot be sent again",
    );
  });

  it("a redirect to another scheme is refused", async () => {
    await using server = await upstream(
      (_, response) => void response.writeHead(302, { location: "file:///etc/passwd" }).end(),
    );
    using client = localClient();
    await expect(client.request({ url: server.url })).rejects.toThrow("only supports http and https");
  });

  it("headers of the connection are not the caller's to set; another host than the url's is refused", async () => {
    let seen: http.IncomingHttpHeaders = {};
    await using server = await upstream((request, response) => {
      seen = request.headers;
      response.end();
    });
    using client = localClient();
    const headers = ["Transfer-Encoding", "TE", "Upgrade", "Proxy-Authorization", "Content-Length"].map(
      (name): [string, string] => [name, "7"],
    );
    await client.request({ url: server.url, headers });
    expect(Object.keys(seen).sort()).toEqual(["connection", "host"]);
    await expect(client.request({ url: server.url, headers: [["Host", "other"]] })).rejects.toMatchObject({
      kind: "invalid",
    });
  });

  it("a kept connection that the server has closed meanwhile is no failure", async () => {
    await using server = await upstream((_, response) => {
      const { socket } = response;
      response.on("finish", () => setImmediate(() => socket?.destroy()));
      response.end("x");
    });
    using client = localClient();
    for (let i = 0; i < 20; i++) expect(text((await client.request({ url: server.url })).body)).toBe("x");
  });
});
