import { HttpError } from "./http-error.ts";

/** What a request failed with. Rejects with anything else that came of it. */
export async function failure(promise: Promise<unknown>): Promise<HttpError> {
  const error: unknown = await promise.then(
    () => "it did not fail",
    (reason: unknown) => reason,
  );
  if (!(error instanceof HttpError)) throw error;
  return error;
}
