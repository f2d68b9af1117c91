// What says in one value how a method is called, what it takes and what it gives.
import type { StandardSchemaV1 } from "@standard-schema/spec";

export interface RequestType<P = unknown, R = unknown> {
  readonly kind: "request";
  readonly method: string;
  readonly params?: StandardSchemaV1<unknown, P>;
  readonly result?: StandardSchemaV1<unknown, R>;
}

export interface NotificationType<P = unknown> {
  readonly kind: "notification";
  readonly method: string;
  readonly params?: StandardSchemaV1<unknown, P>;
}

/* @__NO_SIDE_EFFECTS__ */
export function request<P, R>(
  method: string,
  params: StandardSchemaV1<unknown, P>,
  result: StandardSchemaV1<unknown, R>,
): RequestType<P, R> {
  return { kind: "request", method, params, result };
}

/* @__NO_SIDE_EFFECTS__ */
export function notification<P>(method: string, params: StandardSchemaV1<unknown, P>): NotificationType<P> {
  return { kind: "notification", method, params };
}
