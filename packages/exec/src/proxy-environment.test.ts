import { describe, expect, it } from "vitest";
import { proxyFromEnvironment } from "./proxy-environment.ts";

const ask = (env: Record<string, string>, url: string): string | URL | undefined =>
  proxyFromEnvironment(env)(new URL(url));

const P = "http://proxy:3128";
const Q = "http://other:3128";

describe("the proxy that an environment names", () => {
  it.each([
    [{}, undefined, undefined],
    [{ http_proxy: P }, P, undefined],
    [{ https_proxy: P }, undefined, P],
    [{ HTTPS_PROXY: P }, undefined, P],
    [{ https_proxy: P, HTTPS_PROXY: Q }, undefined, P],
    [{ all_proxy: P }, P, P],
    [{ ALL_PROXY: P }, P, P],
    [{ all_proxy: P, ALL_PROXY: Q }, P, P],
    [{ all_proxy: P, http_proxy: Q }, Q, P],
    [{ all_proxy: P, http_proxy: "", https_proxy: "" }, P, P],
    [{ http_proxy: "proxy:3128" }, P, undefined],
    [{ https_proxy: "user:pw@proxy:3128" }, undefined, "http://user:pw@proxy:3128"],
    [{ http_proxy: "https://proxy" }, "https://proxy", undefined],
    [{ all_proxy: "socks5://proxy" }, "socks5://proxy", "socks5://proxy"],
  ])("%j: %s for http, %s for https", (env, http, https) => {
    expect([ask(env, "http://x.test/"), ask(env, "https://x.test/")]).toEqual([http, https]);
  });

  it("HTTP_PROXY is not taken: a web server gives it the value of a header of whoever asks", () => {
    expect(ask({ HTTP_PROXY: P }, "http://x.test/")).toBeUndefined();
    expect(ask({ HTTP_PROXY: P, http_proxy: Q }, "http://x.test/")).toBe(Q);
  });

  it("what the environment becomes later changes nothing", () => {
    const env: Record<string, string> = { all_proxy: P };
    const proxy = proxyFromEnvironment(env);
    env["all_proxy"] = Q;
    env["no_proxy"] = "*";
    expect(proxy(new URL("http://x.test/"))).toBe(P);
  });
});

describe("its exceptions", () => {
  it.each([
    ["*", ["http://x.test/", "https://127.0.0.1/"], []],
    [" * ", ["http://x.test/"], []],
    ["*,a.test", ["http://a.test/"], ["http://x.test/"]],
    [
      "a.test",
      ["http://a.test/", "http://b.a.test:81/", "https://A.TEST/"],
      ["http://ba.test/", "http://a.test.x/"],
    ],
    [".a.test", ["http://a.test/", "http://b.a.test/"], ["http://ba.test/"]],
    ["*.a.test", ["http://a.test/", "http://b.a.test/"], ["http://ba.test/"]],
    ["A.Test.", ["http://a.test/", "http://a.test./"], []],
    [
      "a.test, b.test c.test,,d.test",
      ["http://b.test/", "http://c.test/", "http://d.test/"],
      ["http://e.test/"],
    ],
    ["a.test:81", ["http://a.test:81/", "http://b.a.test:81/"], ["http://a.test/", "http://a.test:82/"]],
    ["a.test:443", ["https://a.test/"], ["http://a.test/"]],
    ["bücher.test", ["http://b\u00fccher.test/"], []],
    ["localhost", ["http://localhost:3000/"], ["http://127.0.0.1/"]],
    [
      "127.0.0.1",
      ["http://127.0.0.1/", "http://0x7f.1/", "http://[::ffff:127.0.0.1]/"],
      ["http://127.0.0.2/"],
    ],
    ["127.0.0.1:81", ["http://127.0.0.1:81/"], ["http://127.0.0.1/"]],
    ["10.0.0.0/8", ["http://10.1.2.3/", "https://10.255.0.1:8443/"], ["http://11.0.0.1/", "http://10.test/"]],
    ["::1", ["http://[::1]/", "http://[0:0::1]:81/"], ["http://[::2]/"]],
    ["[::1]", ["http://[::1]/"], ["http://[::2]/"]],
    ["[::1]:81", ["http://[::1]:81/"], ["http://[::1]/"]],
    ["fd00::/8", ["http://[fd12::1]/"], ["http://[fe80::1]/", "http://10.0.0.1/"]],
    ["10.0.0.0/99, ,.,:, :80,///", [], ["http://10.0.0.1/", "http://x.test/"]],
  ])("%j", (no_proxy, direct, proxied) => {
    const proxy = proxyFromEnvironment({ all_proxy: P, no_proxy });
    const reached = (url: string): boolean => proxy(new URL(url)) === undefined;
    expect(direct.filter((url) => !reached(url))).toEqual([]);
    expect(proxied.filter((url) => reached(url))).toEqual([]);
    expect(direct.length + proxied.length).toBeGreaterThan(0);
  });

  it("are those of no_proxy before those of NO_PROXY", () => {
    const env = { all_proxy: P, NO_PROXY: "a.test" };
    expect(ask(env, "http://a.test/")).toBeUndefined();
    expect(ask({ ...env, no_proxy: "b.test" }, "http://a.test/")).toBe(P);
  });
});
