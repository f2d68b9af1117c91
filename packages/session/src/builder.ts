// Connections described piece by piece: roles, typed handlers in order, one message at a time.
export { Builder } from "./builder/builder.ts";
export type { Component, ConnectOptions } from "./builder/component.ts";
export { ConnectionTo } from "./builder/connection-to.ts";
export type { DynamicHandlerGuard, Line } from "./builder/connection-to.ts";
export {
  anyNotification,
  anyRequest,
  notification,
  notifications,
  request,
  requests,
} from "./builder/descriptor.ts";
export type {
  NotificationType,
  NotificationUnion,
  RequestType,
  RequestUnion,
  Tagged,
} from "./builder/descriptor.ts";
export { field, messageOf } from "./builder/dispatch.ts";
export type {
  Dispatch,
  NotificationDispatch,
  RequestDispatch,
  ResponseDispatch,
} from "./builder/dispatch.ts";
export type { DispatchHandler } from "./builder/handler-chain.ts";
export type {
  DispatchTypes,
  HandlerResult,
  NotificationHandler,
  RequestHandler,
  TypedDispatchHandler,
} from "./builder/link.ts";
export { matchDispatch, MatchDispatch } from "./builder/match-dispatch.ts";
export type { Outcome } from "./builder/outcome.ts";
export { Responder } from "./builder/responder.ts";
export { ResponseRouter } from "./builder/response-router.ts";
export { counterpartStyle } from "./builder/remote-style.ts";
export type { RemoteStyle } from "./builder/remote-style.ts";
export { Role, Untyped } from "./builder/role.ts";
export type { RoleOptions } from "./builder/role.ts";
export { SentRequest } from "./builder/sent-request.ts";
export { Handled } from "./chain.ts";
export type { ChainMessage } from "./chain.ts";
