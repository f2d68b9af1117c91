// What a method takes and gives, as a value: a handler is registered for one, a request is sent by one. Schemas are of
// any Standard Schema vendor; without one, anything passes.
import { ErrorCode, rounded } from "@sluice/codec";
import { RpcError } from "@sluice/core";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { pathOf, ValidationError } from "../validate.ts";

/** A request: its method, its params `P` and its result `R`. */
export interface RequestType<P = unknown, R = unknown> {
  readonly kind: "request";
  readonly method: string;
  readonly params?: StandardSchemaV1<unknown, P>;
  readonly result?: StandardSchemaV1<unknown, R>;
}

/** A notification: its method and its params `P`. */
export interface NotificationType<P = unknown> {
  readonly kind: "notification";
  readonly method: string;
  readonly params?: StandardSchemaV1<unknown, P>;
}

/** Several requests, or every one: a handler is given the method beside the params. */
export interface RequestUnion<P = unknown, R = unknown> {
  readonly kind: "requests";
  readonly of: readonly RequestType[] | "any";
  /** Types only. */
  readonly types?: readonly [P, R];
}

/** Several notifications, or every one. */
export interface NotificationUnion<P = unknown> {
  readonly kind: "notifications";
  readonly of: readonly NotificationType[] | "any";
  /** Types only. */
  readonly types?: readonly [P];
}

/** A message whose method was not known beforehand. */
export interface Tagged<P = unknown> {
  readonly method: string;
  readonly params: P;
}

/** Describes a request. */
export function request<P = unknown, R = unknown>(
  method: string,
  schemas: Pick<RequestType<P, R>, "params" | "result"> = {},
): RequestType<P, R> {
  return { kind: "request", method, ...schemas };
}

/** Describes a notification. */
export function notification<P = unknown>(
  method: string,
  schemas: Pick<NotificationType<P>, "params"> = {},
): NotificationType<P> {
  return { kind: "notification", method, ...schemas };
}

type ParamsOf<T> = T extends RequestType<infer P, infer _R> | NotificationType<infer P> ? P : never;
type ResultOf<T> = T extends RequestType<infer _P, infer R> ? R : never;

/** Any of these requests, for one handler. */
export function requests<const T extends readonly RequestType[]>(
  ...of: T
): RequestUnion<ParamsOf<T[number]>, ResultOf<T[number]>> {
  return { kind: "requests", of };
}

/** Any of these notifications, for one handler. */
export function notifications<const T extends readonly NotificationType[]>(
  ...of: T
): NotificationUnion<ParamsOf<T[number]>> {
  return { kind: "notifications", of };
}

/** Every request. */
export const anyRequest: RequestUnion = { kind: "requests", of: "any" };
/** Every notification. */
export const anyNotification: NotificationUnion = { kind: "notifications", of: "any" };

type Described = { readonly method: string; readonly params?: StandardSchemaV1 };

/** The descriptor that is for `method`; `undefined` where none is. */
export function descriptorFor(
  types: Described | { readonly of: readonly Described[] | "any" },
  method: string,
): Described | undefined {
  if (!("of" in types)) return types.method === method ? types : undefined;
  return types.of === "any" ? { method } : types.of.find((type) => type.method === method);
}

/**
 * The params as their schema gives them.
 * @throws RpcError -32602 with the places and the reasons, and nothing of what was sent.
 */
export function checkedParams(type: Described, params: unknown): unknown {
  const { params: schema } = type;
  if (schema === undefined) return params;
  const outcome = schema["~standard"].validate(params);
  if (outcome instanceof Promise) return outcome.then(given);
  if (outcome.issues === undefined) return outcome.value;
  // In a relay an integer past 2^53 may stand where the schema wants a number.
  const nearest = rounded(params);
  const again = nearest === params ? outcome : schema["~standard"].validate(nearest);
  return again instanceof Promise ? again.then(given) : given(again);
}

function given(outcome: StandardSchemaV1.Result<unknown>): unknown {
  if (outcome.issues === undefined) return outcome.value;
  const issues = outcome.issues.map((issue) => ({ path: pathOf(issue), message: issue.message }));
  throw new RpcError(ErrorCode.invalidParams, "invalid params", { issues });
}

/**
 * The result as its schema gives it.
 * @throws ValidationError
 */
export function checkedResult(type: RequestType, result: unknown): unknown {
  const { result: schema } = type;
  if (schema === undefined) return result;
  const outcome = schema["~standard"].validate(result);
  const take = (settled: StandardSchemaV1.Result<unknown>): unknown => {
    if (settled.issues === undefined) return settled.value;
    throw new ValidationError(`result of ${type.method}`, settled.issues);
  };
  return outcome instanceof Promise ? outcome.then(take) : take(outcome);
}
