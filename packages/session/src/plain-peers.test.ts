// Peers that speak JSON-RPC as it is, each in its dialect, and hear nothing of ours.
import { memoryPair, type Transport } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import { failure, Gate } from "./features.testing.ts";
import {
  acp,
  codex,
  connect,
  jsonrpc,
  lsp,
  mcp,
  serve,
  type Dialect,
  type Session,
  type SessionOptions,
} from "./index.ts";

type Json = Record<string, any>;

/** A peer written by hand: lines, or LSP's headers. */
class HandMade {
  readonly heard: Json[] = [];
  readonly texts: string[] = [];
  readonly #wire: Transport;
  readonly #headers: boolean;
  #text = "";
  #news = new Gate();
  onMessage: (message: Json) => void = () => {};

  constructor(wire: Transport, headers: boolean) {
    this.#wire = wire;
    this.#headers = headers;
    wire.start({
      onData: (chunk) => {
        this.#text += new TextDecoder().decode(chunk as Uint8Array);
        for (let text = this.#next(); text !== undefined; text = this.#next()) {
          this.texts.push(text);
          const message = JSON.parse(text) as Json;
          this.heard.push(message);
          this.onMessage(message);
        }
        this.#news.open();
        this.#news = new Gate();
      },
      onDrain() {},
      onEnd: () => wire.close(),
      onClose() {},
    });
  }

  say(message: Json): void {
    const text = JSON.stringify(message);
    const framed = this.#headers
      ? `Content-Length: ${new TextEncoder().encode(text).length}\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n${text}`
      : `${text}\n`;
    this.#wire.write([new TextEncoder().encode(framed)]);
  }

  async until(fits: (message: Json) => boolean): Promise<Json> {
    for (;;) {
      const found = this.heard.find(fits);
      if (found !== undefined) return found;
      await this.#news.opened;
    }
  }

  #next(): string | undefined {
    const head = this.#headers ? /^Content-Length: (\d+)\r\n\r\n/.exec(this.#text) : /^/.exec(this.#text);
    if (head === null || this.#text === "") return undefined;
    const rest = this.#text.slice(head[0].length);
    const length = this.#headers ? Number(head[1]) : rest.indexOf("\n") + 1; // the tests speak ASCII
    if (length === 0 || rest.length < length) return undefined;
    this.#text = rest.slice(length);
    return rest.slice(0, length).trimEnd();
  }
}

async function meet(options: SessionOptions): Promise<{ session: Session; peer: HandMade }> {
  const [near, far] = memoryPair();
  const peer = new HandMade(far, options.framing === "headers");
  return { session: await connect(near, { onHandlerError: () => {}, ...options }), peer };
}

const CANCEL: Record<string, [string, string] | undefined> = {
  lsp: ["$/cancelRequest", "id"],
  acp: ["$/cancel_request", "requestId"],
  mcp: ["notifications/cancelled", "requestId"],
  codex: undefined,
};

describe.each<[Dialect, SessionOptions["framing"] & string]>([
  [lsp, "headers"],
  [acp, "lines"],
  [mcp, "lines"],
  [codex, "lines"],
])("in the dialect $name", (dialect, framing) => {
  const version = dialect.name === "codex" ? {} : { jsonrpc: "2.0" };

  it("sends no greeting and calls both ways, in exactly the peer's words", async () => {
    const { session, peer } = await meet({
      dialect,
      framing,
      handlers: { theirs: (params: Json) => params },
    });
    expect(session.peer).toBe(undefined);
    peer.onMessage = ({ id, method, params }) =>
      void (method === "ours" && peer.say({ ...version, id: id as number, result: [params] }));
    expect(await session.call("ours", { a: 1 })).toEqual([{ a: 1 }]);
    await session.notify("note", { b: 2 });
    peer.say({ ...version, id: "abc", method: "theirs", params: { c: 3 } });
    await peer.until(({ id }) => id === "abc");
    expect(peer.heard).toEqual([
      { ...version, id: 1, method: "ours", params: { a: 1 } },
      { ...version, method: "note", params: { b: 2 } },
      { ...version, id: "abc", result: { c: 3 } },
    ]);
    await session.close();
    expect(peer.heard.length).toBe(3); // no goodbye of ours
  });

  it("spells a cancel as the peer does, both ways", async () => {
    const aborted = new Gate<string>();
    const { session, peer } = await meet({
      dialect,
      framing,
      handlers: {
        hang: (_: unknown, { signal }) =>
          new Promise((_resolve, reject) =>
            signal.addEventListener("abort", () => {
              aborted.open("aborted");
              reject(signal.reason as Error);
            }),
          ),
      },
    });
    const sent = session.request("ours");
    await peer.until(({ method }) => method === "ours");
    sent.cancel();
    await failure(sent.result());
    const spelling = CANCEL[dialect.name];
    if (spelling === undefined) {
      await session.notify("sync");
      expect(peer.heard.map(({ method }) => method as string)).toEqual(["ours", "sync"]);
    } else {
      const [method, member] = spelling;
      expect((await peer.until((said) => said["method"] === method))["params"]).toEqual({ [member]: 1 });
      peer.say({ ...version, id: 9, method: "hang" });
      peer.say({ ...version, method, params: { [member]: 9 } });
      expect(await aborted.opened).toBe("aborted");
      expect(await peer.until(({ id, error }) => id === 9 && error)).toMatchObject({
        error: { code: -32800 },
      });
    }
    await session.close();
  });

  it("refuses streams here, and takes no frame for one", async () => {
    const { session, peer } = await meet({ dialect, framing });
    expect(await failure(session.call("m", { s: new ReadableStream() }))).toMatchObject({
      _tag: "RefusedError",
      rule: "H2",
    });
    peer.say({ ...version, method: "$/stream/data", params: { id: 1, bytes: "AA==" } });
    peer.say({ ...version, id: 5, method: "$/hello", params: {} });
    expect(await peer.until(({ id }) => id === 5)).toMatchObject({ error: { code: -32601 } });
    // What only looks like a mention stays what it is.
    peer.onMessage = ({ id, method }) =>
      void (method === "odd" && peer.say({ ...version, id: id as number, result: { $stream: 1 } }));
    expect(await session.call("odd", { $stream: 2 })).toEqual({ $stream: 1 });
    expect(peer.heard.find(({ method }) => method === "odd")!["params"]).toEqual({ $stream: 2 });
    await session.close();
  });
});

describe("in the default dialect", () => {
  it("a peer without the greeting is found out by its answer, and spoken with as it is", async () => {
    const [near, far] = memoryPair();
    const peer = new HandMade(far, false);
    peer.onMessage = ({ id, method }) =>
      method === "add"
        ? peer.say({ jsonrpc: "2.0", id: id as number, result: 3 })
        : peer.say({
            jsonrpc: "2.0",
            id: id as number,
            error: { code: -32601, message: "Method not found" },
          });
    const session = await connect(near, { dialect: jsonrpc });
    expect(session.peer).toBe(undefined);
    expect(await session.call("add", [1, 2], { timeout: 10_000 })).toBe(3);
    // C5: only peers that greeted know the deadline.
    expect(peer.texts.at(-1)).toBe('{"jsonrpc":"2.0","id":2,"method":"add","params":[1,2]}');
    await session.close();
  });

  it("an acceptor takes a peer that says anything else first for a plain one", async () => {
    const [near, far] = memoryPair();
    const peer = new HandMade(far, false);
    const opened = serve(near, { handlers: { add: ([x, y]: [number, number]) => x + y } });
    peer.say({ jsonrpc: "2.0", id: 1, method: "add", params: [1, 2] });
    expect(await peer.until(({ id }) => id === 1)).toEqual({ jsonrpc: "2.0", id: 1, result: 3 });
    expect((await opened).peer).toBe(undefined);
    await (await opened).close();
  });

  it("two Sluice peers find each other, with names and capabilities", async () => {
    const [left, right] = memoryPair();
    const [a, b] = await Promise.all([
      connect(left, { name: "editor", capabilities: { render: true } }),
      serve(right, { name: "worker", encodings: ["json"] }),
    ]);
    expect(a.peer).toMatchObject({ name: "worker", encodings: ["json"], version: 1 });
    expect(b.peer).toMatchObject({ name: "editor", capabilities: { render: true } });
    await a.close();
  });
});
