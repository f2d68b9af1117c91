import type { HttpClient, HttpRequest, StreamedResponse } from "@sluice/exec";
import { expect, it } from "vitest";
import { sendWithinOrigin } from "./redirects.ts";
import { TestClock } from "./stage.testing.ts";

/** A client whose n-th response is a redirect there, and the last one none. */
function client(...locations: string[]): HttpClient & { readonly requests: HttpRequest[] } {
  const requests: HttpRequest[] = [];
  return {
    requests,
    request: () => Promise.reject(new Error("not asked for")),
    async requestStream(request): Promise<StreamedResponse> {
      requests.push(request);
      const location = locations.shift();
      const headers = location === undefined ? [] : [["Location", location] as const];
      const body = new ReadableStream<Uint8Array>();
      const cancel = async (): Promise<void> => {};
      return {
        status: location === undefined ? 200 : 308,
        statusText: "",
        headers,
        url: request.url,
        body,
        [Symbol.asyncDispose]: cancel,
      };
    },
  };
}

const send = (url: string, asked: HttpClient): Promise<StreamedResponse> =>
  sendWithinOrigin(
    { url, method: "POST", timeouts: { total: 100, headers: 50 } },
    { client: asked, most: 10, clock: new TestClock() },
  );

it("a redirect is followed within the origin, by HTTPS or to this machine and addresses", async () => {
  for (const origin of [
    "https://mcp.example",
    "http://localhost:3000",
    "http://127.0.0.1:3000",
    "http://[::1]:3000",
    "http://192.168.1.2",
  ]) {
    const asked = client("/b", `${origin}/c`);
    await send(`${origin}/a`, asked);
    expect(asked.requests.map(({ url }) => url)).toEqual(["/a", "/b", "/c"].map((path) => origin + path));
    expect(asked.requests.map(({ redirect }) => redirect)).toEqual(["stop", "stop", "stop"]);
  }
});

it("a redirect is not followed by name in the clear, nor to another scheme, host or port", async () => {
  const cases = [
    ["http://mcp.example/a", "/b"],
    ["http://127.0.0.1.example/a", "/b"],
    ["https://mcp.example/a", "http://mcp.example/b"],
    ["https://mcp.example/a", "https://other.example/b"],
    ["https://mcp.example/a", "https://mcp.example:8443/b"],
    ["https://mcp.example/a", "//other.example/b"],
    ["https://mcp.example/a", "javascript:0"],
  ] as const;
  for (const [from, to] of cases) {
    const asked = client(to);
    await expect(send(from, asked)).rejects.toMatchObject({
      kind: "redirect",
      status: 308,
      mayHaveRun: false,
    });
    expect(asked.requests).toHaveLength(1);
  }
});

it("the time of all hops together is that of the request", async () => {
  const asked = client("/b", "/c");
  await send("https://mcp.example/a", asked);
  expect(asked.requests.map(({ timeouts }) => timeouts)).toEqual([
    { total: 100, headers: 50 },
    { total: 99, headers: 50 },
    { total: 98, headers: 50 },
  ]);
});
