// The Agent Client Protocol. Each of its definitions is a type and a value of one name: a request's or a notification's value
// is its descriptor, any other's its schema.
export * from "./generated/v1.ts";
export * from "./generated/v1-methods.ts";
export type { NotificationType, RequestType } from "./descriptor.ts";
export {
  AcpErrorCode,
  authRequired,
  internalError,
  invalidParams,
  invalidRequest,
  methodNotFound,
  parseError,
  requestCancelled,
  resourceNotFound,
  sessionNotFound,
  unsupportedProtocolVersion,
} from "./error-code.ts";
export { MetaCapability } from "./meta-capability.ts";
export type { HasMeta } from "./meta-capability.ts";
export type { Schema } from "./schema.ts";
export type { Unlisted } from "./unlisted.ts";
