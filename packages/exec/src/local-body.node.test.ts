import { describe, expect, it } from "vitest";
import { text, utf8 } from "./bytes.testing.ts";
import { localClient } from "./local.ts";
import { upstream } from "./upstream.testing.ts";

/** A body that would be a request where nobody said how long it is. */
const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";

describe("the body of a request", () => {
  it.each(["POST", "PUT", "PATCH", "DELETE", "GET", "OPTIONS", "TRACE", "PROPFIND"])(
    "of %s is sent as one, whole or as a stream, and never taken for the next request",
    async (method) => {
      const asked: string[] = [];
      await using server = await upstream((request, response) => {
        asked.push(`${request.method} ${request.url}`);
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => response.end(Buffer.concat(chunks)));
      });
      using client = localClient();
      const bodies = { whole: utf8(HIDDEN), streamed: new Blob([HIDDEN]).stream() };
      for (const [kind, body] of Object.entries(bodies)) {
        const response = await client.request({ url: `${server.url}/${kind}`, method, body });
        expect(text(response.body)).toBe(HIDDEN);
      }
      expect(asked).toEqual([`${method} /whole`, `${method} /streamed`]);
    },
  );

  it("is waited for by the server: it has the request before the body has begun", async () => {
    await using server = await upstream((_, response) => void response.write("first"));
    using client = localClient();
    const cancelled = Promise.withResolvers<void>();
    const body = new ReadableStream<Uint8Array>({ cancel: () => cancelled.resolve() });
    const response = await client.requestStream({ url: server.url, method: "POST", body });
    const reader = response.body.getReader();
    expect(text((await reader.read()).value ?? utf8(""))).toBe("first");
    await reader.cancel();
    await cancelled.promise;
    await server.reaches(0);
  });

  it("that goes on when the server has said all it had to say is cancelled, as with fetch", async () => {
    await using server = await upstream((_, response) => void response.end("enough"));
    using client = localClient();
    const cancelled = Promise.withResolvers<void>();
    const body = new ReadableStream<Uint8Array>({ cancel: () => cancelled.resolve() });
    const response = await client.request({ url: server.url, method: "POST", body });
    expect(text(response.body)).toBe("enough");
    await cancelled.promise;
  });
});
