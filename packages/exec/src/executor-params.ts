// The params of the peer's calls. What does not fit is answered -32602 with the name of the field and never its value.
import { fromBase64 } from "@sluice/codec";
import * as v from "valibot";
import { invalidParams } from "./executor-error.ts";

/** The params as the schema gives them. @throws RpcError -32602 */
export function parse<S extends v.GenericSchema>(schema: S, params: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, params, { abortEarly: true });
  if (result.success) return result.output;
  throw invalidParams(explain(result.issues[0]));
}

/** @throws RpcError -32602 */
export function bytesOf(text: string, field: string): Uint8Array {
  const bytes = fromBase64(text);
  if (bytes === undefined) throw invalidParams(`${field} is not padded standard base64`);
  return bytes;
}

function explain(issue: v.BaseIssue<unknown>): string {
  const { kind, type, path, received } = issue;
  if (kind === "validation" || type === "custom") return issue.message;
  const keys = (path ?? []).map(({ key }) => key);
  if (keys.length === 0) return "invalid params: expected an object";
  if (received === "undefined") return `missing field \`${String(keys.at(-1))}\``;
  return `invalid field \`${keys.join(".")}\`: expected ${issue.expected ?? "something else"}`;
}

/** A field that may be left out, or null, which is the same. */
export function maybe<I, O>(schema: v.GenericSchema<I, O>): v.OptionalSchema<Nullable<I, O>, undefined> {
  return v.optional(
    v.pipe(
      v.nullable(schema),
      v.transform((value) => value ?? undefined),
    ),
  );
}

type Nullable<I, O> = v.GenericSchema<I | null, O | undefined>;

/** A whole number from 0 up. */
export function count(field: string): v.GenericSchema<number> {
  return v.custom<number>(
    (value) => Number.isSafeInteger(value) && (value as number) >= 0,
    `invalid field \`${field}\`: expected a whole number from 0 up`,
  );
}

/** Strings by name, as the variables of an environment. */
export function variables(field: string): v.GenericSchema<Readonly<Record<string, string>>> {
  return v.custom<Readonly<Record<string, string>>>(
    (value) => typeof value === "object" && value !== null && Object.entries(value).every(isVariable),
    `invalid field \`${field}\`: expected names, without "=", and their values, all strings without NUL`,
  );
}

/** What can be handed to a program. */
export function words(field: string): v.GenericSchema<readonly string[]> {
  return v.custom<readonly string[]>(
    (value) =>
      Array.isArray(value) && value.every((word) => typeof word === "string" && !word.includes("\0")),
    `invalid field \`${field}\`: expected a list of strings without NUL`,
  );
}

/** A name that a peer gives, and that is remembered. */
export function name(field: string): v.GenericSchema<string> {
  return v.pipe(
    v.string(),
    v.maxLength(MAX_NAME, `invalid field \`${field}\`: expected at most ${MAX_NAME} characters`),
  );
}

const MAX_NAME = 1024;

function isVariable([key, value]: [string, unknown]): boolean {
  return (
    key !== "" &&
    !key.includes("=") &&
    !key.includes("\0") &&
    typeof value === "string" &&
    !value.includes("\0")
  );
}
