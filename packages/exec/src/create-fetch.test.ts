import { describe, expect, it } from "vitest";
import { utf8 } from "./bytes.testing.ts";
import { createFetch } from "./create-fetch.ts";
import type { HttpClient, HttpHeader, StreamedResponse } from "./http-client.ts";

/** A client that always gives this response, and what becomes of its body. */
function giving(
  status: number,
  headers: readonly HttpHeader[] = [],
): { readonly client: HttpClient; readonly cancelled: () => boolean } {
  let cancelled = false;
  const requestStream = async ({ url }: { readonly url: string }): Promise<StreamedResponse> => {
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          controller.enqueue(utf8("ok"));
          controller.close();
        },
        cancel: () => void (cancelled = true),
      },
      { highWaterMark: 0 },
    );
    return { status, statusText: "", headers, url, body, [Symbol.asyncDispose]: () => body.cancel() };
  };
  const request = (): never => {
    throw new Error("a fetch streams");
  };
  return { client: { request, requestStream }, cancelled: () => cancelled };
}

describe("a fetch", () => {
  it.each([200, 404, 599, 600, 999])(
    "gives the status %i as it is, as the runtimes' own do",
    async (status) => {
      const response = await createFetch(giving(status).client)("http://x/");
      expect([response.status, response.ok, await response.text()]).toEqual([status, status === 200, "ok"]);
    },
  );

  it.each<[string, HttpHeader]>([
    ["a name that is none", ["a b", "c"]],
    ["a value that none can have", ["a", "\u2603"]],
    ["six content codings", ["content-encoding", "gzip, gzip, gzip, gzip, gzip, gzip"]],
  ])("rejects where a header of the response has %s, and lets go of its body", async (_, header) => {
    const { client, cancelled } = giving(200, [header]);
    await expect(createFetch(client)("http://x/")).rejects.toThrow(TypeError);
    expect(cancelled()).toBe(true);
  });

  it("undoes five content codings, and leaves alone what has one that it does not know", async () => {
    let coded: ReadableStream<Uint8Array> = new Blob(["five"]).stream();
    for (let n = 0; n < 5; n++)
      coded = coded.pipeThrough(
        new CompressionStream("gzip") as ReadableWritablePair<Uint8Array, Uint8Array>,
      );
    const body = new Uint8Array(await new Response(coded as BodyInit).arrayBuffer());
    const fetched = async (coding: string): Promise<string> => {
      const { client } = giving(200, [["content-encoding", coding]]);
      const requestStream: HttpClient["requestStream"] = async (request) => ({
        ...(await client.requestStream(request)),
        body: new Blob([body]).stream(),
      });
      const response = await createFetch({ ...client, requestStream })("http://x/");
      return new TextDecoder("latin1").decode(await response.arrayBuffer());
    };
    expect(await fetched("gzip, x-gzip, gzip, gzip, gzip")).toBe("five");
    expect(await fetched("gzip, unknown")).toBe(new TextDecoder("latin1").decode(body));
  });
});
