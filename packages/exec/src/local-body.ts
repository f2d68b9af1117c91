// Bodies between Node's streams and web streams, one piece at a time: what is not read is not asked for.
import type { ClientRequest, IncomingMessage } from "node:http";
import { HttpError } from "./http-error.ts";

/** The body of a response. Cancelled, the connection is closed: HTTP/1.1 has no other word for it. */
export function incomingBody(response: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => void response.destroy(),
    },
    { highWaterMark: 0 },
  );
}

/** Sends the body of a request, as fast as it is taken. A body that fails, fails the request. */
export function sendBody(
  request: ClientRequest,
  body: Uint8Array | ReadableStream<Uint8Array> | undefined,
): void {
  if (body instanceof ReadableStream) void pump(request, body);
  else request.end(body);
}

async function pump(request: ClientRequest, body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  const letGo = (): void => void reader.cancel().catch(() => {}); // nobody is left to tell
  request.once("close", letGo);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (request.destroyed) return;
      if (done) break;
      if (!request.write(value)) await drained(request);
    }
    request.end();
  } catch (cause) {
    request.destroy(new HttpError("cancelled", "http/request failed: the request's body failed", { cause }));
  } finally {
    request.off("close", letGo);
  }
}

function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      request.off("drain", done).off("close", done);
      resolve();
    };
    request.once("drain", done).once("close", done);
  });
}
