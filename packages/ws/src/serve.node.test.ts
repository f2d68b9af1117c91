import type { Transport } from "@sluice/transport";
import { dial, serve } from "@sluice/ws";
import { describe, expect, it } from "vitest";
import { own, startServer } from "./fixtures/runtimes.ts";
import { served } from "./pairs.testing.ts";
import { OPCODE, Raw } from "./raw.testing.ts";
import { upgrading } from "./tcp.testing.ts";
import { bytes, watch } from "./watch.testing.ts";

describe("a server that is closed", () => {
  it("W3: closes every connection with 1001, and frees its port", async () => {
    const all = await served();
    const near = watch(await dial(all.server.url));
    const far = watch(await all.accepted());
    const idle = await dial(all.server.url, { protocols: [] });
    const unstarted = await all.accepted();
    const raw = await Raw.open(all.server);
    const quiet = watch(await all.accepted());
    expect(all.server.sessions).toBe(3);

    const closing = all.server.close("maintenance");
    expect(await raw.closeCode()).toBe(1001);
    raw.frame(OPCODE.close, Uint8Array.of(3, 0xe9));
    await closing;
    for (const { closed } of [far, quiet, watch(unstarted)]) {
      const error = await closed;
      expect([error?.code, error?.message]).toEqual(["aborted", "the server closed: maintenance"]);
    }
    for (const { closed } of [near, watch(idle)]) {
      const error = await closed;
      expect([error?.code, error?.message]).toEqual([
        "closed",
        `ws://127.0.0.1:${all.server.port}/ closed with 1001 (going away): maintenance`,
      ]);
    }
    await all.server.close();
    expect(all.server.sessions).toBe(0);
    const next = await served({ port: all.server.port });
    expect(next.server.port).toBe(all.server.port);
    await next.server.close();
  });

  it("does not wait for a client that answers nothing, nor reads", async () => {
    const all = await served({ limits: { close: 50 } });
    const raw = await Raw.open(all.server);
    const far = watch(await all.accepted());
    raw.socket.pause();
    while (far.transport.write([new Uint8Array(65536)])) await Promise.resolve();
    await all.server.close();
    expect((await far.closed)?.code).toBe("aborted");
    raw.socket.destroy();
  });

  it("takes nobody any more", async () => {
    const all = await served();
    const near = watch(await dial(all.server.url));
    watch(await all.accepted());
    const closing = all.server.close();
    await expect(dial(all.server.url)).rejects.toThrow("cannot connect");
    await closing;
    await near.closed;
  });

  it("by its signal, or by `await using`, is closed as well", async () => {
    const abort = new AbortController();
    const all = await served({ signal: abort.signal });
    const near = watch(await dial(all.server.url));
    abort.abort();
    expect((await near.closed)?.message).toContain("1001");
    await all.server.close();

    let url: string;
    {
      await using short = await serve({ onSession: () => {} });
      url = short.url;
    }
    await expect(dial(url)).rejects.toThrow("cannot connect");
  });

  it("before it begins, by a signal that was aborted, listens no more", async () => {
    const server = await serve({ onSession: () => {}, signal: AbortSignal.abort() });
    await server.close();
    await expect(dial(server.url)).rejects.toThrow("cannot connect");
  });
});

describe("a server", () => {
  it("says where its port is taken", async () => {
    await using all = await served();
    await expect(served({ port: all.server.port })).rejects.toThrow(/in use|EADDRINUSE/i);
  });

  it("has no sessions left when its clients have vanished, quiet or in the middle of a download", async () => {
    await using all = await served();
    for (const how of ["quiet", "loud"]) {
      const raw = await Raw.open(all.server, ["Sec-WebSocket-Protocol: sluice.v1"]);
      const far = watch(await all.accepted());
      expect(all.server.sessions).toBe(1);
      if (how === "loud") {
        raw.socket.pause();
        while (far.transport.write([new Uint8Array(65536)])) await Promise.resolve();
      }
      raw.socket.destroy();
      expect([how, (await far.closed)?.code]).toEqual([how, "read"]);
      expect(all.server.sessions).toBe(0);
    }
  });

  it("has none left of one that vanished before it was started, and says so at the start", async () => {
    await using all = await served();
    const raw = await Raw.open(all.server);
    const far = await all.accepted();
    raw.socket.resetAndDestroy();
    // Another one comes and goes, so that the first is gone.
    const near = watch(await dial(all.server.url));
    const second = watch(await all.accepted());
    near.transport.close();
    second.transport.close();
    await second.closed;
    expect((await watch(far).closed)?.code).toBe("read");
    expect(all.server.sessions).toBe(0);
  });

  // Bun has a time of its own for it, Deno none.
  it.runIf(own === "node")("drops who does not ask within limits.handshake", async () => {
    await using all = await served({ limits: { handshake: 500 } });
    const silent = new Raw(all.server.port);
    const slow = new Raw(all.server.port).send("GET / HTTP/1.1\r\nHost: localhost\r\n");
    const open = await Raw.open(all.server);
    await Promise.all([silent.closed, slow.closed]);
    expect(all.server.sessions).toBe(1);
    open.socket.destroy();
  });

  it("tells its URL and port", async () => {
    await using all = await served({ path: "/talk", hostname: "localhost" });
    expect(all.server.url).toBe(`ws://localhost:${all.server.port}/talk`);
    const near = await dial(all.server.url);
    near.abort();
  });
});

describe("a client", () => {
  it("ends with an error when the server's process is killed", async () => {
    const server = await startServer("serve-compliance", ["--protocol", "sluice.v1"]);
    const near = watch(await dial(server.url));
    near.transport.write([bytes('{"do":"pause"}\n')]);
    await near.said("paused\n");
    await server.kill();
    expect((await near.closed)?.code).toBe("read");
  });
});

describe("W5: a far end that answers no pings", () => {
  it("is given up by the server", async () => {
    await using all = await served({ limits: { heartbeat: 100 } });
    const raw = await Raw.open(all.server, ["Sec-WebSocket-Protocol: sluice.v1"]);
    const far = watch(await all.accepted());
    expect((await raw.next())?.opcode).toBe(OPCODE.ping);
    const error = await far.closed;
    expect([error?.code, error?.message]).toEqual([
      "timeout",
      expect.stringMatching(/^client 127\.0\.0\.1\S* gives no sign of life \(W5\)$/),
    ]);
    expect(all.server.sessions).toBe(0);
    await raw.closed;
  });

  it("is given up also where it has ended its own direction", async () => {
    await using all = await served({ limits: { heartbeat: 100 } });
    const raw = await Raw.open(all.server, ["Sec-WebSocket-Protocol: sluice.v1"]);
    const far = watch(await all.accepted());
    raw.frame(OPCODE.binary);
    await far.ended;
    expect((await far.closed)?.code).toBe("timeout");
    raw.socket.destroy();
  });

  it("lives as long as it answers", async () => {
    await using all = await served({ limits: { heartbeat: 400 } });
    const raw = await Raw.open(all.server, ["Sec-WebSocket-Protocol: sluice.v1"]);
    const far = watch(await all.accepted());
    for (let asked = 0; asked < 3; asked++) {
      const ping = await raw.next();
      expect(ping?.opcode).toBe(OPCODE.ping);
      raw.frame(OPCODE.pong, ping!.payload);
    }
    expect(all.server.sessions).toBe(1);
    raw.frame(OPCODE.binary, "still here");
    await far.said("still here");
    raw.socket.destroy();
  });
});

/** Writes as much as is taken, again and again; resolves when it is over with how many bytes were. */
function flood(transport: Transport, most: number): Promise<number> {
  const chunk = new Uint8Array(65_536);
  let sent = 0;
  const fill = (): void => {
    while (sent < most && transport.write([chunk])) sent += chunk.length;
  };
  return new Promise((resolve) => {
    transport.start({ onData() {}, onDrain: fill, onEnd() {}, onClose: () => resolve(sent) });
    fill();
  });
}

describe("a connection that is reset in the middle of a flood", () => {
  // Twice as much as both ends and the system between them hold.
  const MOST = 32 * 1024 * 1024;

  it("takes no more of it, at a client", async () => {
    for (let round = 0; round < 10; round++) {
      await using server = await upgrading((socket) => {
        let got = 0;
        socket.on("data", (data: Buffer) => (got += data.length) > 1_000_000 && socket.resetAndDestroy());
      });
      const near = await dial(server.url, { protocols: [] });
      expect(await flood(near, MOST)).toBeLessThan(MOST);
    }
  });

  it("takes no more of it, at a server", async () => {
    await using all = await served();
    for (let round = 0; round < 10; round++) {
      const raw = await Raw.open(all.server);
      let got = 0;
      raw.socket.on("data", (data) => (got += data.length) > 1_000_000 && raw.socket.resetAndDestroy());
      expect(await flood(await all.accepted(), MOST)).toBeLessThan(MOST);
    }
    expect(all.server.sessions).toBe(0);
  });
});
