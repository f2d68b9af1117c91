// The far end of a remote case. It is told what to do over the transport itself: everything up to the first line break
// is a command in JSON, whatever comes after it belongs to the command. So it needs nothing but the transport.
import { TransportError } from "../error.ts";
import type { Chunk, Transport } from "../transport.ts";
import { mismatch, pattern } from "./pattern.ts";

/** What the far end can be told. */
export type PeerCommand =
  /** Send back every chunk as it comes, and close at the end. */
  | { readonly do: "echo" }
  /** Send `bytes` of the pattern in chunks of `size`, then close. */
  | { readonly do: "flood"; readonly bytes: number; readonly size: number }
  /** Check that what comes is the pattern; at the end, answer with a line such as `1048576 -1` and close. */
  | { readonly do: "sum" }
  /** Answer with the line `paused` and read no more. */
  | { readonly do: "pause" }
  /** Close at once, then go on reading. */
  | { readonly do: "close" }
  | { readonly do: "abort" }
  /** Send `bytes` of the pattern, and leave the process with this code as soon as they are accepted. */
  | { readonly do: "exit"; readonly code: number; readonly bytes: number }
  /** Throw in the middle of a callback. */
  | { readonly do: "throw" };

/** What a far end needs from its program. */
export interface PeerOptions {
  /** Ends the process, as `process.exit` does. Without it `exit` aborts. */
  exit?(code: number): void;
}

/** Serves one remote case on a transport that is not started yet. Resolves with what `onClose` said. */
export function compliancePeer(
  transport: Transport,
  options: PeerOptions = {},
): Promise<TransportError | undefined> {
  return new Promise((resolve) => {
    const peer = new Peer(transport, options);
    transport.start({
      onData: (chunk) => peer.onData(chunk),
      onDrain: () => peer.onDrain(),
      onEnd: () => peer.onEnd(),
      onClose: resolve,
    });
  });
}

class Peer {
  readonly #transport: Transport;
  readonly #options: PeerOptions;
  #command: PeerCommand | undefined;
  #line = "";
  #received = 0;
  #wrong = -1;
  #flood = { sent: 0, bytes: 0, size: 1 };

  constructor(transport: Transport, options: PeerOptions) {
    this.#transport = transport;
    this.#options = options;
  }

  onData(chunk: Chunk): void {
    if (this.#command !== undefined) return this.#take(chunk);
    const bytes = typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
    const end = bytes.indexOf(10);
    this.#line += new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
    if (end < 0) return;
    this.#command = JSON.parse(this.#line) as PeerCommand;
    this.#begin(this.#command);
    if (end + 1 < bytes.length) this.#take(bytes.subarray(end + 1));
  }

  onDrain(): void {
    if (this.#command?.do === "echo") this.#transport.resume();
    if (this.#command?.do === "flood") this.#pump();
  }

  onEnd(): void {
    if (this.#command?.do === "sum") this.#say(`${this.#received} ${this.#wrong}\n`);
    // A flood closes when it has sent everything.
    if (this.#command?.do !== "flood") this.#transport.close();
  }

  #begin(command: PeerCommand): void {
    switch (command.do) {
      case "echo":
      case "sum":
        return;
      case "flood":
        this.#flood = { sent: 0, bytes: command.bytes, size: command.size };
        return this.#pump();
      case "pause":
        this.#say("paused\n");
        return this.#transport.pause();
      case "close":
        return this.#transport.close();
      case "abort":
        return this.#transport.abort(new TransportError("aborted", "told to abort"));
      case "exit":
        this.#transport.write([pattern(0, command.bytes)]);
        return this.#options.exit === undefined ? this.#transport.abort() : this.#options.exit(command.code);
      case "throw":
        throw new RangeError("told to throw");
    }
  }

  #take(chunk: Chunk): void {
    if (this.#command?.do === "echo" && !this.#transport.write([chunk])) this.#transport.pause();
    if (this.#command?.do === "sum" && typeof chunk !== "string") {
      if (this.#wrong < 0) this.#wrong = mismatch(this.#received, chunk);
      this.#received += chunk.length;
    }
  }

  #pump(): void {
    const flood = this.#flood;
    while (flood.sent < flood.bytes) {
      const chunk = pattern(flood.sent, Math.min(flood.size, flood.bytes - flood.sent));
      flood.sent += chunk.length;
      if (!this.#transport.write([chunk])) break;
    }
    if (flood.sent >= flood.bytes) this.#transport.close();
  }

  #say(line: string): void {
    this.#transport.write([new TextEncoder().encode(line)]);
  }
}
