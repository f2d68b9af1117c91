import type { Socket } from "node:net";
import { dial } from "@sluice/ws";
import type { TransportError } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import { joined, served } from "./pairs.testing.ts";
import { switching } from "./raw.testing.ts";
import { tcp, upgrading } from "./tcp.testing.ts";
import { watch } from "./watch.testing.ts";

const failure = (dialling: Promise<unknown>): Promise<TransportError> =>
  dialling.then(
    () => Promise.reject(new Error("it succeeded")),
    (error: TransportError) => error,
  );

/** Resolves when a client's connection has come, with what resolves when it is gone. */
function silent(): { onConnection: (socket: Socket) => void; came: Promise<{ gone: Promise<void> }> } {
  let onConnection!: (socket: Socket) => void;
  const came = new Promise<{ gone: Promise<void> }>((resolve) => {
    onConnection = (socket) => {
      socket.resume();
      const gone = new Promise<void>((left) => socket.on("close", () => left()));
      resolve({ gone });
    };
  });
  return { onConnection, came };
}

describe("dialling fails", () => {
  it("with code connect where nobody listens", async () => {
    const all = await served();
    await all.server.close();
    const error = await failure(dial(`${all.server.url}rpc?token=secret`));
    expect([error.name, error.code]).toEqual(["TransportError", "connect"]);
    expect(error.message).toMatch(/^cannot connect to ws:\/\/127\.0\.0\.1:\d+\/rpc: ./);
    expect(error.message).not.toContain("secret");
  });

  it.each([
    ["by authorize", { authorize: () => false }, {}],
    ["for its subprotocol", { protocols: ["jsonrpc"] }, { protocols: ["sluice.v1"] }],
    ["for its path", { path: "/elsewhere" }, {}],
  ])("with code connect where it is refused %s", async (_, serving, dialling) => {
    await using all = await served(serving);
    const error = await failure(dial(`ws://127.0.0.1:${all.server.port}/`, dialling));
    expect([error.code, all.server.sessions]).toEqual(["connect", 0]);
  });

  it("with code connect where what answers is no WebSocket server", async () => {
    const ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    for (const answer of [ok, "SSH-2.0-OpenSSH_9.9\r\n", "", switching("no")]) {
      await using server = await tcp((socket) => void socket.once("data", () => socket.end(answer)));
      expect([answer, (await failure(dial(server.url))).code]).toEqual([answer, "connect"]);
    }
  });

  it.each([
    ["one that was not offered", ["Sec-WebSocket-Protocol: chat"], ["sluice.v1"]],
    ["one though none was offered", ["Sec-WebSocket-Protocol: sluice.v1"], []],
    ["none though some were offered", [], ["sluice.v1", "jsonrpc"]],
  ])("H4: with code connect where of subprotocols the server chooses %s", async (_, headers, protocols) => {
    await using server = await upgrading(() => {}, ...headers);
    expect((await failure(dial(server.url, { protocols }))).code).toBe("connect");
  });

  it("with code connect where nothing is answered within limits.handshake, and the connection goes", async () => {
    const { onConnection, came } = silent();
    await using server = await tcp(onConnection);
    const error = await failure(dial(server.url, { limits: { handshake: 50 } }));
    expect([error.code, error.message]).toEqual([
      "connect",
      `cannot connect to ${server.url}: no answer within 50 ms (limits.handshake)`,
    ]);
    await (
      await came
    ).gone;
  });

  it("for a URL that is none of a WebSocket's, and limits that are none", async () => {
    await expect(dial("ftp://127.0.0.1/")).rejects.toThrow(TypeError);
    await expect(dial("ws://127.0.0.1:1/", { limits: { held: 0 } })).rejects.toThrow(RangeError);
  });
});

describe("a signal", () => {
  it("that was aborted before lets nothing be dialled", async () => {
    let dialled = 0;
    await using server = await tcp(() => dialled++);
    const reason = new RangeError("no more");
    const error = await failure(dial(server.url, { signal: AbortSignal.abort(reason) }));
    expect([error.code, error.cause, dialled]).toEqual(["aborted", reason, 0]);
    expect(error.message).toBe(`dialling ${server.url} was given up`);
  });

  it("that aborts during the handshake gives it up, and the connection goes", async () => {
    const { onConnection, came } = silent();
    await using server = await tcp(onConnection);
    const abort = new AbortController();
    const dialling = failure(dial(server.url, { signal: abort.signal }));
    const { gone } = await came;
    const reason = new RangeError("no more");
    abort.abort(reason);
    const error = await dialling;
    expect([error.code, error.cause]).toEqual(["aborted", reason]);
    await gone;
  });

  it("that aborts later aborts the transport", async () => {
    const abort = new AbortController();
    await using all = await joined({ signal: abort.signal });
    const [near, far] = [watch(all.near), watch(all.far)];
    const reason = new RangeError("no more");
    abort.abort(reason);
    const error = await near.closed;
    expect([error?.code, error?.cause]).toEqual(["aborted", reason]);
    expect((await far.closed)?.code).toBe("read");
  });

  it("that aborts before the transport is started is heard of after the start", async () => {
    const abort = new AbortController();
    await using all = await joined({ signal: abort.signal });
    abort.abort();
    expect((await watch(all.near).closed)?.code).toBe("aborted");
  });

  it("that aborts after the end changes nothing", async () => {
    const abort = new AbortController();
    await using all = await joined({ signal: abort.signal });
    const [near, far] = [watch(all.near), watch(all.far)];
    far.transport.close();
    near.transport.close();
    expect(await near.closed).toBeUndefined();
    abort.abort();
    expect(await far.closed).toBeUndefined();
  });
});

describe("dialling", () => {
  it("takes http: URLs for ws:", async () => {
    await using all = await served();
    const near = await dial(all.server.url.replace("ws:", "http:"));
    expect(near.label).toBe(all.server.url);
    near.abort();
  });

  it("offers its subprotocols, or none", async () => {
    const offered: (string | null)[] = [];
    await using all = await served({
      authorize: ({ headers }) => offered.push(headers.get("sec-websocket-protocol")) > 0,
    });
    for (const options of [{}, { protocols: ["jsonrpc"] }, { protocols: [] }])
      (await dial(all.server.url, options)).abort();
    expect(offered.map((list) => list?.split(/, */) ?? null)).toEqual([
      ["sluice.v1", "jsonrpc"],
      ["jsonrpc"],
      null,
    ]);
  });

  it("W4: asks for no compression, and gets none though the server would", async () => {
    const asked: (string | null)[] = [];
    await using all = await joined(
      {},
      {
        compression: true,
        authorize: ({ headers }) => asked.push(headers.get("sec-websocket-extensions")) > 0,
      },
    );
    const [near, far] = [watch(all.near), watch(all.far)];
    near.transport.write([new TextEncoder().encode("x".repeat(1000))]);
    await far.said("x".repeat(1000));
    expect(asked).toEqual([null]);
    near.transport.abort();
  });
});
