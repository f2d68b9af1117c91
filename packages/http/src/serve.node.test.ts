import { connect, type Socket } from "node:net";
import type { TransportError } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import { dial } from "./dial.ts";
import { own, startServer } from "./fixtures/runtimes.ts";
import { FRAMES_TYPE } from "./options.ts";
import { serve, served, type Served } from "./serve.testing.ts";
import { bytes, watch } from "./watch.testing.ts";

const OPENS = [`Content-Type: ${FRAMES_TYPE}`, `Accept: ${FRAMES_TYPE}`];

/** A connection that sends what no client would. */
class Raw {
  readonly socket: Socket;
  /** What has come. */
  text = "";
  readonly closed: Promise<void>;
  #look: () => void = () => {};

  constructor({ server }: Served) {
    this.socket = connect(server.port, "127.0.0.1");
    this.socket.setEncoding("latin1");
    this.socket.on("data", (chunk: string) => {
      this.text += chunk;
      this.#look();
    });
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => this.socket.on("close", () => resolve()));
  }

  send(lines: readonly string[], body = ""): this {
    this.socket.write([...lines, "", body].join("\r\n"));
    return this;
  }

  /** Resolves when what has come contains this, or nothing comes any more. */
  async got(part: string): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      this.#look = () => void (this.text.includes(part) && resolve());
      this.#look();
    });
    await Promise.race([seen, this.closed]);
  }

  async status(): Promise<number> {
    await this.got("\r\n");
    return Number(this.text.split(" ")[1]);
  }
}

describe("a server", () => {
  it("refuses foreign, missing and repeated Host headers", async () => {
    await using all = await served();
    const host = `Host: 127.0.0.1:${all.server.port}`;
    const heads: [string[], number][] = [
      [["Host: evil.example"], 403],
      [[], 400],
      [[host, host], 400],
      [[host, "Host: evil.example"], 400],
      [[host, "Origin: https://evil.example"], 403],
    ];
    for (const [head, status] of heads) {
      const raw = new Raw(all).send(["POST / HTTP/1.1", ...head, ...OPENS, "Content-Length: 0"]);
      expect([head, await raw.status()]).toEqual([head, status]);
      raw.socket.destroy();
    }
    expect(all.server.sessions).toBe(0);
    const raw = new Raw(all).send(["POST / HTTP/1.1", host, ...OPENS, "Content-Length: 0"]);
    expect(await raw.status()).toBe(200);
    raw.socket.destroy();
  });

  // Deno 2.9 says that it closes the connection, and does not.
  it("closes the connection of a body that brings nothing, and of one it does not want", async () => {
    await using all = await served({ limits: { bodyTime: 500 } });
    const host = `Host: 127.0.0.1:${all.server.port}`;
    const opening = new Raw(all).send(["POST / HTTP/1.1", host, ...OPENS, "Content-Length: 0"]);
    const far = watch(await all.accepted());
    await opening.got("\r\n\r\n");
    const [, id = ""] = /mcp-session-id: (\w+)/i.exec(opening.text) ?? [];
    const slow = new Raw(all).send(
      [
        "POST / HTTP/1.1",
        host,
        OPENS[0]!,
        `Mcp-Session-Id: ${id}`,
        "Sluice-Offset: 0",
        "Content-Length: 1000",
      ],
      "\0\0\0\x05abc",
    );
    expect(await slow.status()).toBe(408);
    if (own !== "deno") await slow.closed;
    expect(far.text).toBe("abc");

    const unwanted = new Raw(all).send(["POST / HTTP/1.1", host, "Content-Length: 1000"], "abc");
    expect(await unwanted.status()).toBe(415);
    if (own !== "deno") await unwanted.closed;
    for (const raw of [slow, unwanted]) raw.socket.destroy();
    opening.socket.destroy();
    await far.closed;
  });

  it("P4: notices a client that vanishes, quiet or in the middle of a download", async () => {
    await using all = await served();
    const host = `Host: 127.0.0.1:${all.server.port}`;
    for (const how of ["quiet", "loud"]) {
      const raw = new Raw(all).send(["POST / HTTP/1.1", host, ...OPENS, "Content-Length: 0"]);
      const far = watch(await all.accepted());
      await raw.got("\r\n\r\n");
      if (how === "loud") {
        raw.socket.pause();
        while (far.transport.write([new Uint8Array(65536)])) await Promise.resolve();
      }
      raw.socket.destroy();
      expect([how, (await far.closed)?.code]).toEqual([how, "closed"]);
      expect(all.server.sessions).toBe(0);
    }
  });

  it("frees its port when it is closed, whatever its clients do", async () => {
    const all = await served({ limits: { grace: 50 } });
    const { port } = all.server;
    const host = `Host: 127.0.0.1:${port}`;
    const deaf = new Raw(all).send(["POST / HTTP/1.1", host, ...OPENS, "Content-Length: 1000"]);
    const far = watch(await all.accepted());
    deaf.socket.pause();
    while (far.transport.write([new Uint8Array(65536)])) await Promise.resolve();
    const idle = new Raw(all);
    const near = watch(dial(all.server.url, { wire: "frames" }));
    watch(await all.accepted());

    await all.server.close("maintenance");
    const closed = await far.closed;
    expect([closed?.code, closed?.message]).toEqual(["aborted", "maintenance"]);
    expect((await near.closed) === undefined).toBe(false);
    await all.server.close();
    expect(all.server.sessions).toBe(0);
    const next = await served({ port });
    expect(next.server.port).toBe(port);
    await next.server.close();
    for (const raw of [deaf, idle]) raw.socket.destroy();
  });

  it("ends with its signal, and does not begin with one that was aborted", async () => {
    const abort = new AbortController();
    const all = await served({ signal: abort.signal });
    const far = all.accepted().then(watch);
    const near = watch(dial(all.server.url, { wire: "frames" }));
    const { transport, closed } = await far;
    transport.write([bytes("go")]);
    await near.said("go");
    abort.abort();
    expect((await closed)?.message).toContain("signal");
    await all.server.close();
    await expect(
      serve({ onSession: () => {}, signal: AbortSignal.abort(new RangeError("no")) }),
    ).rejects.toThrow("no");
  });

  it("says where it could not listen", async () => {
    await using all = await served();
    await expect(served({ port: all.server.port })).rejects.toThrow(
      `serve: cannot listen on port ${all.server.port} of 127.0.0.1`,
    );
  });

  it("tells its URL, with the path it serves, and what to do elsewhere", async () => {
    await using all = await served({ path: "/talk" });
    expect(all.server.url).toBe(`http://127.0.0.1:${all.server.port}/talk`);
    const error = await watch(dial(new URL("/other", all.server.url), { wire: "frames" })).closed;
    expect([error?.code, error?.message]).toEqual(["connect", expect.stringContaining("is the path right?")]);
  });

  it("knows its clients apart by their addresses", async () => {
    const peers: (string | undefined)[] = [];
    await using all = await served({ clientOf: (_, { peer }) => String(peers.push(peer)) });
    watch(dial(all.server.url, { wire: "frames" }));
    watch(await all.accepted());
    expect(peers).toEqual(["127.0.0.1"]);
  });
});

describe("a client", () => {
  it("ends with an error when the server's process is killed", async () => {
    const server = await startServer("serve-compliance", ["--wire", "frames"]);
    const near = watch(dial(server.url, { wire: "frames" }));
    near.transport.write([bytes('{"do":"pause"}\n')]);
    await near.said("paused\n");
    await server.kill();
    const error = (await near.closed) as TransportError;
    expect(["read", "closed"]).toContain(error.code);
  });

  it("ends with code connect where nobody listens", async () => {
    const all = await served();
    await all.server.close();
    const error = await watch(dial(all.server.url, { wire: "frames" })).closed;
    expect([error?.code, error?.message]).toEqual([
      "connect",
      expect.stringMatching(/^connecting to http:\/\/127.0.0.1:\d+\/ failed: ./),
    ]);
  });
});
