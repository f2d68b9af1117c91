import { createHash } from "node:crypto";
import { connect, type Socket } from "node:net";
import type { Server } from "@sluice/ws";

/** RFC 6455 section 5.2. */
export const OPCODE = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface RawFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** What no client would do. */
export interface FrameOptions {
  /** Default true: the last frame of its message. */
  readonly fin?: boolean;
  /** Reserved bits, 0x40 to 0x10. */
  readonly reserved?: number;
  /** Default true, as a client must. */
  readonly mask?: boolean;
}

/** One frame as it travels. The mask is always the same. */
export function frameOf(
  opcode: number,
  payload: string | Uint8Array,
  { fin = true, reserved = 0, mask = true }: FrameOptions = {},
): Buffer {
  const body = Buffer.from(payload as string);
  const head = [opcode | reserved | (fin ? 0x80 : 0)];
  const masked = mask ? 0x80 : 0;
  if (body.length < 126) head.push(masked | body.length);
  else if (body.length < 65536) head.push(masked | 126, body.length >> 8, body.length & 0xff);
  else head.push(masked | 127, 0, 0, 0, 0, ...Buffer.from(Uint32Array.of(body.length).buffer).reverse());
  if (!mask) return Buffer.concat([Buffer.from(head), body]);
  const key = [0x12, 0x34, 0x56, 0x78];
  return Buffer.concat([Buffer.from([...head, ...key]), body.map((byte, at) => byte ^ key[at % 4]!)]);
}

/** The payload of a Close. */
export function closeOf(code: number, reason = ""): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
}

/** A TCP connection that sends what no client would. */
export class Raw {
  readonly socket: Socket;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  #received: Buffer = Buffer.alloc(0);
  #look: () => void = () => {};
  #state: "open" | "closed" = "open";

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#look();
    });
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) =>
      this.socket.on("close", () => {
        this.#state = "closed";
        this.#look();
        resolve();
      }),
    );
  }

  /** A connection whose handshake has succeeded. */
  static async open(server: Server, headers: readonly string[] = []): Promise<Raw> {
    const raw = new Raw(server.port);
    const { status } = await raw.upgrade([`Host: 127.0.0.1:${server.port}`, ...headers]);
    if (status !== 101) throw new Error(`the handshake was answered ${status}`);
    return raw;
  }

  /** Sends a handshake with these headers, `Host` among them, and resolves with the answer's head and body. */
  upgrade(headers: readonly string[], path = "/"): Promise<Answer> {
    return this.get(["Connection: Upgrade", ...UPGRADE, ...headers], path);
  }

  get(headers: readonly string[], path = "/"): Promise<Answer> {
    this.send([`GET ${path} HTTP/1.1`, ...headers, "", ""].join("\r\n"));
    return this.answer();
  }

  send(data: string | Uint8Array): this {
    this.socket.write(data);
    return this;
  }

  frame(opcode: number, payload: string | Uint8Array = "", options?: FrameOptions): this {
    return this.send(frameOf(opcode, payload, options));
  }

  async answer(): Promise<Answer> {
    await this.#until(() => this.#received.includes("\r\n\r\n"));
    const end = this.#received.indexOf("\r\n\r\n") + 4;
    const head = this.#received.toString("latin1", 0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    await this.#until(() => this.#received.length >= end + length);
    const body = this.#received.toString("utf8", end, end + length);
    this.#received = this.#received.subarray(end + length);
    return { status: Number(head.split(" ")[1]), head, body };
  }

  /** The next frame; undefined where the connection ends before there is one. A server's are not masked. */
  async next(): Promise<RawFrame | undefined> {
    let frame: RawFrame | undefined;
    await this.#until(() => (frame = this.#take()) !== undefined);
    return frame;
  }

  /** The code of the Close that comes, after any other frames; undefined where the connection ends without one. */
  async closeCode(): Promise<number | undefined> {
    for (let frame = await this.next(); frame !== undefined; frame = await this.next())
      if (frame.opcode === OPCODE.close)
        return frame.payload.length < 2 ? 1005 : frame.payload.readUInt16BE();
    return undefined;
  }

  #take(): RawFrame | undefined {
    const data = this.#received;
    if (data.length < 2) return undefined;
    const short = data[1]! & 0x7f;
    const start = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (data.length < start) return undefined;
    const length = start === 2 ? short : start === 4 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2));
    if (data.length < start + length) return undefined;
    this.#received = data.subarray(start + length);
    return { opcode: data[0]! & 0x0f, payload: data.subarray(start, start + length) };
  }

  /** Resolves when this holds, or nothing comes any more. */
  async #until(holds: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#look = () => void ((holds() || this.#state === "closed") && resolve());
      this.#look();
    });
    this.#look = () => {};
  }
}

export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** A handshake's headers but for Host and Connection. */
export const UPGRADE: readonly string[] = [
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/** The answer to a handshake, with this proof that it was understood. */
export function switching(accept: string, ...headers: readonly string[]): string {
  const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  return [...head, `Sec-WebSocket-Accept: ${accept}`, ...headers, "", ""].join("\r\n");
}

/** What proves that a handshake was understood (RFC 6455 section 4.2.2). */
export function acceptOf(request: string): string {
  const key = /sec-websocket-key: *([^\r]+)/i.exec(request)?.[1] ?? "";
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}
