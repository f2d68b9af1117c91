export type { Chunk, Transport, TransportEvents } from "./transport.ts";
export { TransportError } from "./error.ts";
