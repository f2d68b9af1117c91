// What a misbehaving peer speaks through: the far end of a memory pair, or a real child process that says what it is
// told. Whatever is sent goes out as it is.
import { memoryPair, type Transport } from "@sluice/transport";
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import type { Order } from "./fixtures/puppet.ts";
import { spawnFixture } from "./fixtures/runtime.ts";

export type Kind = "memory, in bytes" | "memory, in messages" | "stdio";
export const KINDS: readonly Kind[] = ["memory, in bytes", "memory, in messages", "stdio"];
/** Where a chunk's border means nothing. */
export const BYTES: readonly Kind[] = ["memory, in bytes", "stdio"];

export interface Wire {
  /** The session's end. */
  readonly near: Transport;
  readonly unit: "bytes" | "messages";
  send(chunk: Uint8Array | string): void;
  end(): void;
  listen(onData: (chunk: Uint8Array | string) => void, onEnd: () => void): void;
  /** Only a process can do these. */
  order(order: Order): void;
}

export function wireOf(kind: Kind): Promise<Wire> {
  return kind === "stdio"
    ? puppet()
    : Promise.resolve(memory(kind === "memory, in bytes" ? "bytes" : "messages"));
}

function memory(unit: "bytes" | "messages"): Wire {
  const [near, far] = memoryPair({ unit });
  return {
    near,
    unit,
    send: (chunk) => void far.write([typeof chunk === "string" && unit === "bytes" ? encode(chunk) : chunk]),
    end: () => far.close(),
    listen: (onData, onEnd) => far.start({ onData, onDrain() {}, onEnd, onClose: onEnd }),
    order: () => {
      throw new Error("memory is no process");
    },
  };
}

async function puppet(): Promise<Wire> {
  const server = createServer();
  const connected = new Promise<Socket>((resolve) => server.once("connection", resolve));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const near = spawnFixture("puppet", [String((server.address() as AddressInfo).port)]);
  const socket = await connected;
  server.close();
  socket.on("error", () => {}); // the process is gone: its session says so
  const order = (what: Order): void => void socket.write(`${JSON.stringify(what)}\n`);
  return {
    near,
    unit: "bytes",
    send: (chunk) => order({ say: Buffer.from(chunk).toString("base64") }),
    end: () => order({ end: true }),
    listen(onData, onEnd): void {
      socket.on("data", (chunk) => onData(new Uint8Array(chunk as Uint8Array)));
      socket.on("close", onEnd);
      socket.on("end", onEnd);
    },
    order,
  };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
