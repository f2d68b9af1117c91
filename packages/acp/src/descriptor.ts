// What says in one value how a method is called, what it takes and what it gives. The builder has functions like these; they
// are here as well, so that who only wants schemas loads no session.
import type { NotificationType, RequestType } from "@sluice/session/builder";
import type { StandardSchemaV1 } from "@standard-schema/spec";

export type { NotificationType, RequestType };

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
