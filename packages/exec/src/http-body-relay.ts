// A response's body on its way to the peer: as a stream of the session, or as deltas where there are none.
import { toBase64 } from "@sluice/codec";
import { StreamError, type Session } from "@sluice/session";
import { HttpError } from "./http-error.ts";
import type { Upstream } from "./http-upstream.ts";
import { BODY_CODES, BODY_DELTA, MAX_DELTA, type BodyDeltaParams } from "./http-wire.ts";

/** X1: to stand in a result. The peer reads it as it likes; letting go of it ends the request. */
export function asStream(body: ReadableStream<Uint8Array>, upstream: Upstream): AsyncIterable<Uint8Array> {
  const reader = body.getReader();
  const iterator: AsyncIterator<Uint8Array, undefined> = {
    async next() {
      try {
        const { done, value } = await reader.read();
        if (!done) return { done, value };
      } catch (error) {
        upstream.over();
        throw forPeer(error);
      }
      upstream.over();
      return { done: true, value: undefined };
    },
    // Not a generator: its `return` would wait behind a `next` that waits for a silent server.
    async return() {
      upstream.over();
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** Sends the body as deltas, each once the one before it is on its way. Never rejects. */
export async function sendDeltas(
  session: Session,
  body: ReadableStream<Uint8Array>,
  upstream: Upstream,
): Promise<void> {
  let seq = 0;
  const send = (delta: Uint8Array | undefined, error: string | null = null): Promise<void> => {
    const params: BodyDeltaParams = {
      requestId: upstream.requestId,
      seq: ++seq,
      deltaBase64: delta === undefined ? "" : toBase64(delta),
      done: delta === undefined,
      error,
    };
    return session.notify(BODY_DELTA, params);
  };
  try {
    // A session that is over throws out of the loop, which cancels the body.
    for await (const chunk of body)
      for (let at = 0; at < chunk.length; at += MAX_DELTA) await send(chunk.subarray(at, at + MAX_DELTA));
    await send(undefined);
  } catch (error) {
    if (session.error === undefined) await send(undefined, textOf(error)).catch(() => {});
  } finally {
    upstream.over();
  }
}

function forPeer(error: unknown): unknown {
  const code = error instanceof HttpError ? BODY_CODES[error.kind] : undefined;
  return code === undefined ? error : new StreamError(code, "us", textOf(error), { cause: error });
}

function textOf(error: unknown): string {
  return error instanceof HttpError ? error.message : "the body failed";
}
