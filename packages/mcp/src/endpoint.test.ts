import type { HttpClient, HttpRequest, StreamedResponse } from "@sluice/exec";
import { HttpError } from "@sluice/exec";
import { expect, it } from "vitest";
import { Endpoint, failed } from "./endpoint.ts";
import { MCP_LIMITS } from "./limits.ts";
import { McpError } from "./mcp-error.ts";
import { TestClock } from "./stage.testing.ts";

const NOBODY = { id: undefined, version: undefined };

/** A client that notes what it is asked for, and answers 202. */
function noting(): HttpClient & { readonly requests: HttpRequest[] } {
  const requests: HttpRequest[] = [];
  return {
    requests,
    request: () => Promise.reject(new Error("not asked for")),
    async requestStream(request): Promise<StreamedResponse> {
      requests.push(request);
      const body = new ReadableStream<Uint8Array>();
      return {
        status: 202,
        statusText: "",
        headers: [],
        url: request.url,
        body,
        [Symbol.asyncDispose]: async () => {},
      };
    },
  };
}

it("a POST has all timeouts, a GET that of the headers alone, for it may last, and a DELETE its own", async () => {
  const client = noting();
  const timeouts = { headers: 1, idle: 2, total: 3 };
  const shared = { client, limits: MCP_LIMITS, clock: new TestClock() };
  const { signal } = new AbortController();
  for (const endpoint of [
    new Endpoint(new URL("http://localhost/a?b#c"), { ...shared, timeouts }),
    new Endpoint(new URL("http://localhost/"), shared),
  ]) {
    await endpoint.post("{}", {}, NOBODY, signal);
    await endpoint.get(undefined, NOBODY, signal);
    await endpoint.delete(NOBODY);
  }
  expect(client.requests.map((request) => [request.method, request.timeouts])).toEqual([
    ["POST", timeouts],
    ["GET", { headers: 1 }],
    ["DELETE", { total: 5000 }],
    ["POST", {}],
    ["GET", {}],
    ["DELETE", { total: 5000 }],
  ]);
  expect(new Set(client.requests.map(({ redirect }) => redirect))).toEqual(new Set(["stop"]));
});

it("what the user's own functions throw comes as it is, and nothing is sent", async () => {
  const client = noting();
  const token = (): never => {
    throw new TypeError("no token");
  };
  const endpoint = new Endpoint(new URL("http://localhost/"), {
    client,
    token,
    limits: MCP_LIMITS,
    clock: new TestClock(),
  });
  await expect(endpoint.post("{}", {}, NOBODY, new AbortController().signal)).rejects.toThrow(
    new TypeError("no token"),
  );
  expect(client.requests).toEqual([]);
});

it("what fails says whether it may have run, as the client of requests says", () => {
  expect(failed(new HttpError("invalid", "no"))).toMatchObject({ kind: "failed", mayHaveRun: false });
  expect(failed(new HttpError("upstream", "no"))).toMatchObject({ kind: "failed", mayHaveRun: true });
  expect(failed("odd")).toMatchObject({
    kind: "failed",
    message: "the request failed: odd",
    mayHaveRun: true,
  });
  const known = new McpError("lost", "no");
  expect(failed(known)).toBe(known);
});
