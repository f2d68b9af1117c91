// Bodies between Node's streams and web streams, one piece at a time: what is not read is not asked for.
import type { ClientRequest, IncomingMessage } from "node:http";
import { HttpError } from "./http-error.ts";
import type { BodySource } from "./response-body.ts";

/**
 * The body of a response. Cancelled, the connection is closed: HTTP/1.1 has no other word for it. By events, as reading
 * from it copies what came in pieces, and an iterator costs a turn for each.
 */
export function incomingBody(response: IncomingMessage): BodySource {
  const came: Uint8Array[] = []; // one read of the socket may bring several pieces
  let end: { readonly error?: unknown } | undefined;
  let waiting: (() => void) | undefined;
  const ended = (how: { readonly error?: unknown }): void => {
    end ??= how;
    waiting?.();
  };
  response.on("data", (chunk: Uint8Array) => {
    came.push(chunk);
    response.pause();
    waiting?.();
  });
  response.on("end", () => ended({}));
  response.on("error", (error) => ended({ error }));
  response.on("close", () => ended({ error: new Error("the connection was closed") }));
  response.pause();
  return {
    next: () =>
      new Promise((resolve, reject) => {
        waiting = (): void => {
          const value = came.shift();
          if (value === undefined && end === undefined) return;
          waiting = undefined;
          if (value !== undefined) resolve({ value });
          else if (end?.error === undefined) resolve({ done: true });
          else reject(end.error);
        };
        waiting();
        if (waiting !== undefined) response.resume();
      }),
    cancel: () => void response.destroy(),
  };
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
  request.flushHeaders(); // the server may have something to say before there is a body
  // As fetch does: to a server that has said all it had to say, the rest of a body is nothing.
  request.once("response", (response) => {
    response.once("end", () => {
      if (!request.writableEnded) request.destroy();
    });
  });
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
