// What we ask of an executor at once, and in one message, is bounded. What lets go of something at the executor has
// places of its own, so that an executor that answers nobody cannot keep us from saying that we want no more. A codex
// exec-server drops a connection whose message is too large for it: such a call is refused here, and hurts no other.
import { RefusedError, type Interceptor } from "@sluice/session";

/** Places for calls that let go of something. */
export const RESERVED = 64;

const LETS_GO: ReadonlySet<string> = new Set(["process/terminate", "fs/close", "http/request/cancel"]);

/** Bytes of a message beside its data. */
const REST = 64 * 1024;

/**
 * Refuses calls beyond `limit` of them.
 * @param largest bytes of one message, where the peer does not tell itself.
 */
export function admission(limit: number, largest: () => number | undefined): Interceptor {
  let calls = 0;
  return async ({ method, params }, next) => {
    if (calls >= limit && !LETS_GO.has(method))
      throw new RefusedError("limits.calls", `${limit} calls wait for their answers: wait for one of them`);
    const max = largest();
    if (max !== undefined && dataOf(params) + REST > max)
      throw new RefusedError(
        "limits.codexFrame",
        `this executor takes messages of up to ${max} bytes, which is three quarters of it as data: send it in pieces`,
      );
    calls++;
    try {
      return await next();
    } finally {
      calls--;
    }
  };
}

/** Bytes of the data in params: it stands in base64, in their members. */
function dataOf(params: unknown): number {
  let length = 0;
  for (const value of Object.values(params ?? {})) if (typeof value === "string") length += value.length;
  return length;
}
