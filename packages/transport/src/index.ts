export type { Chunk, Transport, TransportEvents } from "./transport.ts";
export { TransportError } from "./error.ts";
export { memoryPair, type MemoryPairOptions } from "./memory.ts";
