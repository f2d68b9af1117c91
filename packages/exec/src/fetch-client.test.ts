import { describe, expect, it } from "vitest";
import { fetchClient } from "./fetch-client.ts";
import type { HttpRequest } from "./http-client.ts";

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
});
