// The end of a declared server that an MCP client holds. A handler that says something there will wait for what comes of it, and
// that comes over the very connection which the handler holds: so the connection goes on, as it does where a handler awaits an
// answer of its own.
import type { ConnectionTo } from "@sluice/session/builder";
import type { Chunk, CloseCause, Transport, TransportError, TransportEvents } from "@sluice/transport";

export class McpNear implements Transport {
  readonly unit: "bytes" | "messages";
  readonly label: string = "an MCP server over ACP";
  readonly #acp: ConnectionTo;
  readonly #transport: Transport;

  constructor(acp: ConnectionTo, transport: Transport) {
    this.#acp = acp;
    this.#transport = transport;
    this.unit = transport.unit;
  }

  start(events: TransportEvents): void {
    this.#transport.start(events);
  }
  write(chunks: readonly Chunk[]): boolean {
    void this.#acp.letGo(DONE);
    return this.#transport.write(chunks);
  }
  pause(): void {
    this.#transport.pause();
  }
  resume(): void {
    this.#transport.resume();
  }
  close(reason?: string, cause?: CloseCause): void {
    this.#transport.close(reason, cause);
  }
  abort(error?: TransportError): void {
    this.#transport.abort(error);
  }
}

const DONE: Promise<void> = Promise.resolve();
