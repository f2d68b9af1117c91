import { afterEach, describe, expect, it, vi } from "vitest";
import { readAll } from "./bytes.testing.ts";
import { fetchClient } from "./fetch-client.ts";
import type { HttpRequest } from "./http-client.ts";

afterEach(() => void vi.useRealTimers());

describe("a client over fetch", () => {
  it.each<[string, HttpRequest]>([
    ["url", { url: "nonsense" }],
    ["url", { url: "ftp://x/" }],
    ["method", { url: "http://x/", method: "a b" }],
    ["header", { url: "http://x/", headers: [["a b", "c"]] }],
    ["header", { url: "http://x/", headers: [["a", "b\n"]] }],
  ])(
    "refuses a request with a wrong %s as invalid, as the others do, and sends nothing",
    async (_, request) => {
      let sent = 0;
      const fetch = (): Promise<Response> => (sent++, Promise.resolve(new Response()));
      const client = fetchClient({ fetch });
      await expect(client.request(request)).rejects.toMatchObject({ kind: "invalid", mayHaveRun: false });
      expect(sent).toBe(0);
    },
  );

  it("cancels the body of a request that failed before anybody read it", async () => {
    const client = fetchClient({ fetch: () => Promise.reject(new TypeError("no network")) });
    const cancelled = Promise.withResolvers<unknown>();
    const body = new ReadableStream<Uint8Array>({ cancel: cancelled.resolve });
    const request = client.requestStream({ url: "http://x/", method: "POST", body });
    await expect(request).rejects.toMatchObject({ kind: "upstream" });
    await cancelled.promise;
  });

  const endless = (): Response => new Response(new ReadableStream());
  const breaking = (): Response =>
    new Response(new ReadableStream({ start: (controller) => controller.error(new Error("broken")) }));
  it.each<[string, () => Response, (body: ReadableStream<Uint8Array>, abort: AbortController) => unknown]>([
    ["read to its end", () => new Response("all"), readAll],
    ["empty", () => new Response(null, { status: 204 }), () => {}],
    ["cancelled", endless, (body) => body.cancel()],
    ["given up by its signal", endless, (_, abort) => abort.abort()],
    ["broken off", breaking, (body) => readAll(body).catch(() => {})],
  ])("leaves no timer and no listener behind once a body is %s", async (_, response, end) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const abort = new AbortController();
    const { signal } = abort;
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    const client = fetchClient({ fetch: () => Promise.resolve(response()) });
    const timeouts = { total: 1000, headers: 1000, idle: 1000 };
    const { body } = await client.requestStream({ url: "http://x/", signal, timeouts });
    await end(body, abort);
    expect(vi.getTimerCount()).toBe(0);
    for (const [, listener] of added.mock.calls)
      expect(removed.mock.calls.some(([, gone]) => gone === listener)).toBe(true);
    expect(added).toHaveBeenCalled();
  });

  it.each(["fails", "is given up"])(
    "leaves no timer behind once a request %s before its headers",
    async (how) => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const abort = new AbortController();
      const sending = Promise.withResolvers<Response>();
      const client = fetchClient({ fetch: () => sending.promise });
      const timeouts = { total: 1000, headers: 1000 };
      const request = client.requestStream({ url: "http://x/", signal: abort.signal, timeouts });
      if (how === "fails") sending.reject(new TypeError("no network"));
      else abort.abort(new Error("given up"));
      if (how !== "fails") expect(vi.getTimerCount()).toBe(0);
      sending.reject(new Error("too late"));
      await expect(request).rejects.toThrow(how === "fails" ? "no network" : "given up");
      expect(vi.getTimerCount()).toBe(0);
    },
  );
});
