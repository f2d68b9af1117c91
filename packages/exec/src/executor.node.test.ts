import { SessionError } from "@sluice/session";
import { memoryPair } from "@sluice/transport";
import { homedir, tmpdir } from "node:os";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { fetchClient } from "./fetch-client.ts";
import { createExecutor, type Executor, type ExecutorOptions } from "./executor.ts";
import { isAlive, joined, Peer, ready, shell, TestClock } from "./executor.testing.ts";
import packageJson from "../package.json" with { type: "json" };

const NOTHING = { connections: 0, sessions: 0, processes: 0, handles: 0, requests: 0 };
const executors: Executor[] = [];
function create(options?: ExecutorOptions): Executor {
  const executor = createExecutor(options);
  executors.push(executor);
  return executor;
}
afterEach(async () => {
  for (const executor of executors.splice(0)) {
    await executor.close();
    expect(executor.stats()).toEqual(NOTHING);
  }
});

/** Settles once the executor has noticed that all have left. */
async function left(executor: Executor, connections = 0): Promise<void> {
  while (executor.stats().connections > connections) await new Promise((resolve) => setImmediate(resolve));
}

describe.each(["codex", "auto"] as const)("with a client whose wire is %s", (wire) => {
  it("initialize is answered with a session's id and where the executor runs", async () => {
    const peer = await joined(create(), wire);
    const { sessionId, environmentInfo } = await peer.call("initialize", { clientName: "x" });
    expect(sessionId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    expect(environmentInfo).toMatchObject({
      shell: { name: expect.any(String), path: expect.any(String) },
      executorVersion: packageJson.version,
      cwd: expect.stringMatching(/^file:\/\/\//),
      tempDir: expect.stringMatching(/^file:\/\/\//),
      capabilities: { httpRequestCancel: true, fileWriteStreaming: true, sandboxedFileStreaming: false },
    });
    await peer.session.notify("initialized", {});
    expect(await peer.call("environment/info")).toEqual(environmentInfo);
    expect(await peer.call("environment/status", null)).toEqual({ status: "ready" });
    expect(peer.session.peer === undefined).toBe(wire === "codex");
  });

  it("initialize is answered where the executor's own folder has been removed, with one that is there", async () => {
    using removed = vi.spyOn(process, "cwd").mockImplementation(() => {
      throw new Error("ENOENT: uv_cwd");
    });
    const peer = await joined(create(), wire);
    const { environmentInfo } = await peer.call("initialize", { clientName: "x" });
    expect(environmentInfo).toMatchObject({
      cwd: pathToFileURL(tmpdir()).href,
      userHomeDir: pathToFileURL(homedir()).href,
    });
    expect(removed).toHaveBeenCalled();
  });

  it("a method that nobody has is refused as codex does, before and after the handshake", async () => {
    const peer = await joined(create(), wire);
    const refused = [-32601, "exec-server stub does not implement `nope` yet"];
    expect(await peer.refusal("nope")).toEqual(refused);
    await peer.initialize();
    expect(await peer.refusal("nope")).toEqual(refused);
  });

  it.each([
    ["process/read", "process"],
    ["fs/readFile", "filesystem"],
    ["http/request", "http"],
    ["http/request/cancel", "http"],
    ["environment/info", "environment info"],
    ["environment/status", "environment status"],
  ])("%s is refused until the handshake is over", async (method, family) => {
    const peer = await joined(create(), wire);
    expect(await peer.refusal(method)).toEqual([
      -32600,
      `client must call initialize before using ${family} methods`,
    ]);
    await peer.call("initialize", { clientName: "x" });
    expect(await peer.refusal(method)).toEqual([
      -32600,
      `client must send initialized before using ${family} methods`,
    ]);
  });

  it("initialize that failed may be sent again, one that succeeded may not", async () => {
    const peer = await joined(create(), wire);
    expect(await peer.refusal("initialize", {})).toEqual([-32602, "missing field `clientName`"]);
    expect(await peer.refusal("initialize", { clientName: "x", resumeSessionId: "abc" })).toEqual([
      -32600,
      "unknown session id abc",
    ]);
    await peer.call("initialize", { clientName: "x", resumeSessionId: null, unknown: [1] });
    expect(await peer.refusal("initialize", { clientName: "x" })).toEqual([
      -32600,
      "initialize may only be sent once per connection",
    ]);
  });

  it("initialized before initialize closes the connection", async () => {
    const executor = create();
    const peer = await joined(executor, wire);
    await peer.session.notify("initialized", {});
    expect(await peer.session.closed).toBeInstanceOf(SessionError);
    await left(executor);
  });

  it("a notification that nobody knows is ignored", async () => {
    const peer = await ready(create(), wire);
    await peer.session.notify("foo");
    expect(await peer.call("environment/status")).toEqual({ status: "ready" });
  });
});

describe("a session whose connection is gone", () => {
  it("is resumed by its id, with its processes", async () => {
    const executor = create({ clock: new TestClock() });
    const first = await joined(executor);
    const id = await first.initialize();
    await first.call("process/start", shell("p", "echo one; read x; echo two", { pipeStdin: true }));
    await first.hears("process/output");
    await first.session.close();
    await left(executor);
    expect(executor.stats()).toMatchObject({ sessions: 1, processes: 1 });

    const second = await joined(executor);
    expect(await second.initialize(id)).toBe(id);
    const { chunks, nextSeq } = await second.call("process/read", { processId: "p" });
    expect([chunks.length, nextSeq]).toEqual([1, 2]);
    await second.call("process/write", { processId: "p", chunk: "Cg==", writeId: "1" });
    await second.hears("process/closed");
    expect(second.output("p")).toBe("two\n");
    // What was written last may come behind the exit.
    expect([2, 3]).toContain(second.told.find(({ method }) => method === "process/output")?.params.seq);
  });

  it("cannot be resumed while another connection has it", async () => {
    const executor = create();
    const first = await joined(executor);
    const id = await first.initialize();
    const second = await joined(executor);
    expect(await second.refusal("initialize", { clientName: "x", resumeSessionId: id })).toEqual([
      -32010,
      `session ${id} is already attached to another connection`,
    ]);
    await first.session.close();
    await left(executor, 1);
    expect(await second.initialize(id)).toBe(id);
  });

  it("is forgotten after its time, and what it has started is killed", async () => {
    const clock = new TestClock();
    const executor = create({ clock, limits: { detached: 1000 } });
    const first = await joined(executor);
    const id = await first.initialize();
    await first.call("process/start", shell("p", "echo $$; exec sleep 1000"));
    await first.hears("process/output");
    const pid = Number(first.output("p"));
    await first.session.close();
    await left(executor);
    clock.pass(999);
    expect(executor.stats()).toMatchObject({ sessions: 1, processes: 1 });
    expect(isAlive(pid)).toBe(true);
    clock.pass(1);
    expect(executor.stats()).toMatchObject({ sessions: 0, processes: 0 });
    while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
    const second = await joined(executor);
    expect(await second.refusal("initialize", { clientName: "x", resumeSessionId: id })).toEqual([
      -32600,
      `unknown session id ${id}`,
    ]);
  });

  it("is kept when it is resumed in time", async () => {
    const clock = new TestClock();
    const executor = create({ clock, limits: { detached: 1000 } });
    const first = await joined(executor);
    const id = await first.initialize();
    await first.session.close();
    await left(executor);
    clock.pass(999);
    const second = await joined(executor);
    await second.initialize(id);
    clock.pass(10_000);
    expect(executor.stats().sessions).toBe(1);
  });

  it("is left by a long poll that is still waiting, so that it can be resumed at once", async () => {
    const executor = create({ clock: new TestClock() });
    const first = await joined(executor);
    const id = await first.initialize();
    await first.call("process/start", shell("p", "exec sleep 1000"));
    const poll = first.call("process/read", { processId: "p", waitMs: 100_000 }).catch(() => "lost");
    await first.session.close();
    expect(await poll).toBe("lost");
    await left(executor);
    expect(await (await joined(executor)).initialize(id)).toBe(id);
  });

  it("sessions beyond the limit are refused", async () => {
    const executor = create({ limits: { sessions: 1 } });
    await ready(executor);
    const second = await joined(executor);
    expect(await second.refusal("initialize", { clientName: "x" })).toEqual([
      -32012,
      "too many sessions here: the limit is 1 (limits.sessions)",
    ]);
  });
});

describe("an executor", () => {
  it("that is closed closes its connections, kills its processes, and takes no more", async () => {
    const executor = create();
    const peer = await ready(executor);
    await peer.call("process/start", shell("p", "sleep 1000 & echo $$ $!; wait"));
    await peer.hears("process/output");
    const [leader = 0, child = 0] = peer.output("p").split(" ").map(Number);
    await executor.close("enough");
    expect(isAlive(leader)).toBe(false);
    while (isAlive(child)) await new Promise((resolve) => setImmediate(resolve));
    expect((await peer.session.closed).message).toContain("enough");
    expect(executor.stats()).toEqual(NOTHING);
    const [near, far] = memoryPair();
    executor.accept(far);
    await expect(Peer.open(near)).rejects.toThrow("the far end aborted");
    await executor.close();
  });

  it("makes requests with the client it is given, and gives up those whose connection is gone", async () => {
    const urls: string[] = [];
    let cancelled: () => void;
    const gone = new Promise<void>((resolve) => (cancelled = resolve));
    const http = fetchClient({
      fetch(url) {
        urls.push(url);
        const body = new ReadableStream({
          start: (controller) => controller.enqueue(new Uint8Array(3)),
          cancel: () => cancelled(),
        });
        return Promise.resolve(new Response(body));
      },
    });
    const executor = create({ http });
    const peer = await ready(executor, "codex");
    const request = {
      method: "GET",
      url: "http://there.example/",
      requestId: "http-1",
      streamResponse: true,
    };
    expect(await peer.call("http/request", request)).toMatchObject({ status: 200, bodyBase64: "" });
    await peer.hears("http/request/bodyDelta");
    expect([urls, executor.stats().requests]).toEqual([["http://there.example/"], 1]);
    await peer.session.close();
    await gone;
    while (executor.stats().requests > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it("X6: whose request it is, codex's peers say in `trace`", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let heard: unknown;
    const http = fetchClient({
      fetch(_, { headers }) {
        heard = headers;
        return Promise.resolve(new Response("x"));
      },
    });
    const executor = create({ http });
    const [near, far] = memoryPair({ unit: "messages" });
    executor.accept(far);
    const { promise: answered, resolve } = Promise.withResolvers<void>();
    near.start({
      onData: (chunk) => void (String(chunk).includes('"id":2') && resolve()),
      onDrain() {},
      onEnd() {},
      onClose() {},
    });
    const params = { method: "GET", url: "http://there.example/", headers: [], requestId: "a" };
    const trace = { traceparent, tracestate: "a=1" };
    const messages = [
      { id: 1, method: "initialize", params: { clientName: "codex" } },
      { method: "initialized", params: {} },
      { id: 2, method: "http/request", params, trace },
    ];
    for (const message of messages) near.write([JSON.stringify(message)]);
    await answered;
    expect(heard).toEqual([
      ["traceparent", traceparent],
      ["tracestate", "a=1"],
    ]);
    near.abort();
  });

  it("closes a connection that has not said a word", async () => {
    const executor = create();
    const [, far] = memoryPair();
    executor.accept(far);
    expect(executor.stats().connections).toBe(1);
    await executor.close();
  });

  it("turns a connection away that is too many", async () => {
    const executor = create({ limits: { connections: 1 } });
    await ready(executor);
    await expect(joined(executor)).rejects.toThrow("the far end aborted");
    expect(executor.stats().connections).toBe(1);
  });

  it("refuses limits that are none", () => {
    expect(() => createExecutor({ limits: { calls: 0 } })).toThrow("limits.calls must be above 0, not 0");
  });
});
