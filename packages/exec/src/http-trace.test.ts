import { describe, expect, it } from "vitest";
import { fetchClient } from "./fetch-client.ts";
import { scripted } from "./http-pair.testing.ts";
import { traceIn, validTrace, withTrace } from "./http-trace.ts";
import { HTTP_REQUEST } from "./http-wire.ts";

const ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const traceparent = `00-${ID}-${SPAN}-01`;

describe("a trace context", () => {
  it.each([
    traceparent,
    `00-${ID}-${SPAN}-00`,
    `01-${ID}-${SPAN}-09`,
    `cc-${ID}-${SPAN}-01-what-the-future-brings`,
    `cc-${ID}-${SPAN}-01-`,
  ])("X6: %s is one", (valid) => {
    expect(validTrace({ traceparent: valid })).toEqual({ traceparent: valid });
  });

  it.each([
    undefined,
    null,
    7,
    "",
    ID,
    traceparent.toUpperCase(),
    `ff-${ID}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${ID}-${"0".repeat(16)}-01`,
    `${traceparent}-more`,
    `${traceparent}.`,
    `cc-${ID}-${SPAN}-01.more`,
    `cc-${ID}-${SPAN}-01-${"x".repeat(512)}`,
    `${traceparent}\r\nx: y`,
    `cc-${ID}-${SPAN}-01-\r\nx: y`,
    `${traceparent}\n`,
    ` ${traceparent}`,
  ])("X6: %j is none, and its state counts for nothing", (invalid) => {
    expect(validTrace({ traceparent: invalid, tracestate: "a=1" })).toBeUndefined();
  });

  it.each([
    "a=1",
    "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
    " a=1 ,\tb=2 ,,",
    "0tenant@system=x y",
    "a_-*/9=!~+ [",
    Array.from({ length: 32 }, (_, n) => `k${n}=v`).join(","),
  ])("X6: a state %j goes with it", (tracestate) => {
    expect(validTrace({ traceparent, tracestate })).toEqual({ traceparent, tracestate });
  });

  it.each([
    7,
    null,
    "",
    " , ",
    "a",
    "A=1",
    "=1",
    "a=",
    "a=b=c",
    "a=\r\nx: y",
    "a=\u00e9",
    "0a=1",
    "a@0b=1",
    `a=${"x".repeat(257)}`,
    Array.from({ length: 33 }, (_, n) => `k${n}=v`).join(","),
    `${"a".repeat(200)}=1,${"b".repeat(200)}=1,${"c".repeat(200)}=1`,
  ])("X6: it goes without a state that is none: %j", (tracestate) => {
    expect(validTrace({ traceparent, tracestate })).toEqual({ traceparent });
  });

  it("X6: stands beside a call's params, or where codex has it", () => {
    expect(traceIn({ id: 1, method: "m", traceparent, tracestate: "a=1" })).toEqual({
      traceparent,
      tracestate: "a=1",
    });
    expect(traceIn({ trace: { traceparent } })).toEqual({ traceparent });
    for (const trace of [null, "x", [], {}, { traceparent: null }, { traceparent: "x" }])
      expect(traceIn({ trace })).toBeUndefined();
  });

  it.each(["traceparent", "TraceState"])("X6: a request with a %s of its own keeps that alone", (name) => {
    const headers = [[name, "mine"]] as const;
    expect(withTrace(headers, { traceparent, tracestate: "a=1" })).toEqual(headers);
  });
});

describe("a request's trace", () => {
  const trace = { traceparent, tracestate: "a=1" };
  const request = { url: "http://x.test/", headers: [["x-own", "1"]], trace } as const;

  it.each(["streams", "deltas"] as const)(
    "X6: is told to an executor that greeted beside the params, to others as headers, over %s",
    async (wire) => {
      const seen: Record<string, unknown>[] = [];
      const pair = await scripted(wire, {
        [HTTP_REQUEST]: ({ headers }, { message }) => {
          const { traceparent: parent, tracestate: state } = message;
          seen.push({ parent, state, names: headers.map(({ name }: { name: string }) => name) });
          return { status: 200, headers: [], bodyBase64: "" };
        },
      });
      const ignored = { ...request, trace: { traceparent: "nonsense" } };
      for (const one of [request, ignored]) await pair.http.request(one).catch(() => {});
      const none = { parent: undefined, state: undefined, names: ["x-own"] };
      expect(seen).toEqual([
        wire === "streams"
          ? { parent: traceparent, state: "a=1", names: ["x-own"] }
          : { ...none, names: ["x-own", "traceparent", "tracestate"] },
        none,
      ]);
      await pair.close();
    },
  );

  it("are headers where a fetch sends it", async () => {
    const sent: Headers[] = [];
    const client = fetchClient({
      fetch: (_, init) => {
        sent.push(new Headers(init.headers));
        return Promise.resolve(new Response(null));
      },
    });
    await client.request(request);
    expect(Object.fromEntries(sent[0] ?? [])).toEqual({ "x-own": "1", traceparent, tracestate: "a=1" });
  });
});
