// Calls without an answer are bounded. What lets go of something at the executor has places of its own, so that an
// executor that answers nobody cannot keep us from saying that we want no more.
import { RefusedError, type Interceptor } from "@sluice/session";

/** Places for calls that let go of something. */
export const RESERVED = 64;

const LETS_GO: ReadonlySet<string> = new Set(["process/terminate", "fs/close", "http/request/cancel"]);

/** Refuses calls beyond `limit`. */
export function admission(limit: number): Interceptor {
  let calls = 0;
  return async ({ method }, next) => {
    if (calls >= limit && !LETS_GO.has(method))
      throw new RefusedError("limits.calls", `${limit} calls wait for their answers: wait for one of them`);
    calls++;
    try {
      return await next();
    } finally {
      calls--;
    }
  };
}
