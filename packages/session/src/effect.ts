// The Effect door: scoped sessions, typed errors, `Stream` and `Sink` for streams, interruption for cancelling.
export {
  connect,
  dial,
  layer,
  serve,
  Session,
  type CallError,
  type CallOptions,
  type Dial,
  type EffectSessionOptions,
} from "./effect-session.ts";
export { layerServer, listen, Server, type Listen, type ListenOptions } from "./effect-server.ts";
export type { EffectHandler } from "./effect-handlers.ts";
export { bytes, items } from "./kinds.ts";
export { assertNoLeaks } from "./no-leaks.ts";
