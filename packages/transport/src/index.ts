export type { Chunk, CloseCause, Transport, TransportEvents } from "./transport.ts";
export { BusyPoll } from "./busy-poll.ts";
export { TransportError, type TransportErrorCode } from "./error.ts";
export { memoryPair, type MemoryPairOptions } from "./memory.ts";
export { shaped, shapedPair } from "./shaped.ts";
export type { Shape } from "./lane.ts";
export { fromWebStreams, toWebStreams, type WebStreams } from "./web.ts";
