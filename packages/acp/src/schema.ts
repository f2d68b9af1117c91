import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type Check, Fault, INVALID } from "./check.ts";

/**
 * A Standard Schema of one of ACP's definitions. It validates at once, and gives back the value it was given, the same object
 * with all its members; only where it is malformed in a way that ACP wants overlooked, a copy without that.
 * There is one issue at most, with its path; it holds nothing of the value.
 */
export interface Schema<T> extends StandardSchemaV1<unknown, T> {
  readonly "~standard": StandardSchemaV1.Props<unknown, T> & {
    readonly validate: (value: unknown) => StandardSchemaV1.Result<T>;
  };
}

/* @__NO_SIDE_EFFECTS__ */
export function schema<T>(check: Check): Schema<T> {
  const fault = new Fault(); // checks run to their end: it is used again
  const validate = (value: unknown): StandardSchemaV1.Result<T> => {
    const read = check(value, fault);
    return read === INVALID
      ? { issues: [{ message: fault.message, path: fault.path }] }
      : { value: read as T };
  };
  return { "~standard": { version: 1, vendor: "sluice", validate } };
}
