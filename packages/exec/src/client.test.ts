import { RpcError } from "@sluice/session";
import { memoryPair } from "@sluice/transport";
import { expect, it } from "vitest";
import { base64, connectTo, FakeExecutor, rejection } from "./client-fake.testing.ts";
import { RESERVED } from "./client-admission.ts";
import type { ExecError } from "./client-error.ts";
import { connect, type ExecClient } from "./client.ts";
import type { HttpError } from "./http-error.ts";

const IDLE = { calls: 0, bodies: 0, processes: 0, files: 0 };

/** A call that stays without an answer until it is let go. */
function held(fake: FakeExecutor, method: string): { readonly begun: Promise<unknown>; release(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const begun = fake.expect(method, async () => {
    await promise;
    return {};
  });
  return { begun, release: resolve };
}

it("greets, and goes on as a codex client with a peer that knows no greeting", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake, { clientName: "Ada" });
  expect(fake.seen.slice(0, 2).map(({ method }) => method)).toEqual(["$/hello", "initialize"]);
  expect(fake.of("initialize")[0]!.params).toEqual({ clientName: "Ada" });
  await client.environment().catch(() => {});
  expect(fake.seen[2]).toEqual({ method: "initialized", params: {} });
  expect([client.state, client.sessionId]).toEqual(["connected", "session-1"]);
});

it("says nothing of its own on the wire codex", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake, { wire: "codex" });
  await client.environment().catch(() => {});
  expect(fake.seen.map(({ method }) => method)).toEqual(["initialize", "initialized", "environment/info"]);
});

it("asks an executor that does not tell its environment in the handshake", async () => {
  const fake = new FakeExecutor();
  fake.handlers["initialize"] = () => ({ sessionId: "old" });
  fake.handlers["environment/info"] = () => ({
    shell: { name: "sh", path: "/bin/sh" },
    capabilities: { httpHeaderEnvVars: true },
  });
  await using client = await connectTo(fake);
  expect(client.capabilities).toEqual({ httpHeaderEnvVars: true });
});

it("does without an environment where the executor cannot tell it", async () => {
  const fake = new FakeExecutor();
  fake.handlers["initialize"] = () => ({ sessionId: "oldest" });
  await using client = await connectTo(fake);
  expect(client.capabilities).toEqual({});
  const error = await rejection<ExecError>(client.environment());
  expect([error.kind, error.code, error.mayHaveRun]).toEqual(["unsupported", -32601, false]);
});

it("fails to connect with the executor's own words where it refuses", async () => {
  const fake = new FakeExecutor();
  fake.handlers["initialize"] = () => {
    throw new RpcError(-32600, "initialize may only be sent once per connection");
  };
  const error = await rejection<ExecError>(connectTo(fake));
  expect(error.message).toBe("initialize: initialize may only be sent once per connection");
  expect([error.name, error.kind, error.code]).toEqual(["ExecError", "answered", -32600]);
});

it.each([
  ["no object", null],
  ["without a session id", {}],
  ["with an empty session id", { sessionId: "" }],
  ["with a malformed environment", { sessionId: "1", environmentInfo: { shell: "sh" } }],
])("refuses an answer to initialize that is %s", async (_name, answer) => {
  const fake = new FakeExecutor();
  fake.handlers["initialize"] = () => answer;
  expect((await rejection<ExecError>(connectTo(fake))).kind).toBe("protocol");
  await fake.connection.session.closed; // it was let go of
});

it("gives up a handshake that is not over in time", async () => {
  const fake = new FakeExecutor();
  fake.handlers["initialize"] = () => new Promise(() => {});
  const error = await rejection<ExecError>(connectTo(fake, { limits: { handshake: 20 } }));
  expect([error.kind, error.message]).toEqual(["timeout", "no handshake within 20 ms (limits.handshake)"]);
  await fake.connection.session.closed;
});

it("gives up a dial that does not end, and lets go of the transport that comes late", async () => {
  const [late, far] = memoryPair();
  const { promise, resolve } = Promise.withResolvers<typeof late>();
  const error = await rejection<ExecError>(connect(() => promise, { limits: { handshake: 20 } }));
  expect(error.kind).toBe("timeout");
  const gone = new Promise((done) => far.start({ onData() {}, onDrain() {}, onEnd() {}, onClose: done }));
  resolve(late);
  await gone;
});

it("rejects with the reason of its signal while it connects, and lets go of the connection", async () => {
  const fake = new FakeExecutor();
  const begun = fake.expect("initialize", () => new Promise(() => {}));
  const abort = new AbortController();
  const opening = connectTo(fake, { signal: abort.signal });
  await begun;
  abort.abort(new Error("enough"));
  await expect(opening).rejects.toThrow("enough");
  await fake.connection.session.closed;
  await expect(connectTo(fake, { signal: abort.signal })).rejects.toThrow("enough");
  expect(fake.connections).toBe(1);
});

it("with a signal that has aborted dials nobody, and lets go of a transport it is given", async () => {
  const signal = AbortSignal.abort(new Error("no"));
  let dialled = 0;
  const dial = (): never => {
    dialled++;
    throw new Error("it was dialled");
  };
  await expect(connect(dial, { signal })).rejects.toThrow("no");
  expect(dialled).toBe(0);
  const [left, right] = memoryPair();
  const gone = new Promise<void>((onClose) => {
    right.start({ onData() {}, onDrain() {}, onEnd() {}, onClose: () => onClose() });
  });
  await expect(connect(left, { signal })).rejects.toThrow("no");
  await gone;
});

it("ends its processes and closes when its signal aborts", async () => {
  const fake = new FakeExecutor();
  const abort = new AbortController();
  const client = await connectTo(fake, { signal: abort.signal });
  await client.processes.start({ argv: ["cat"] });
  abort.abort();
  expect((await client.closed).kind).toBe("closed");
  expect(client.state).toBe("closed");
  expect(fake.of("process/terminate").length).toBe(1);
});

it("passes on what the function that dials threw", async () => {
  const dial = (): never => {
    throw new TypeError("no such host");
  };
  await expect(connect(dial)).rejects.toThrow(new TypeError("no such host"));
});

it("names a limit that is none", async () => {
  await expect(connect(new FakeExecutor().dial, { limits: { calls: 0 } })).rejects.toThrow(
    "limits.calls must be above 0",
  );
  await expect(connect(new FakeExecutor().dial, { recovery: { delay: 0 } })).rejects.toThrow(
    "recovery.delay must be above 0 ms",
  );
});

it("matches answers that come out of order by their ids", async () => {
  const fake = new FakeExecutor();
  const client = await connectTo(fake);
  const slow = held(fake, "fs/createDirectory");
  let made = "no";
  const first = client.files.createDirectory("/a").then(() => (made = "yes"));
  await slow.begun;
  fake.handlers["fs/canonicalize"] = () => ({ path: "file:///b" });
  expect(await client.files.canonicalize("/b")).toBe("file:///b");
  expect(made).toBe("no");
  slow.release();
  await first;
  await client.close();
});

it("takes answers that were read before the disconnect", async () => {
  const fake = new FakeExecutor();
  const client = await connect(fake.dial());
  const begun = fake.expect("fs/canonicalize", () => ({ path: "file:///last" }));
  const asked = client.files.canonicalize("/x");
  await begun;
  await fake.connection.session.close();
  expect(await asked).toBe("file:///last");
  await client.closed;
});

it("forgets a call that was given up, and lets its late answer pass", async () => {
  const fake = new FakeExecutor();
  const client = await connectTo(fake);
  const slow = held(fake, "fs/createDirectory");
  const abort = new AbortController();
  const call = client.files.createDirectory("/a", { signal: abort.signal });
  await slow.begun;
  abort.abort(new Error("not any more"));
  await expect(call).rejects.toThrow("not any more");
  expect(client.stats()).toEqual(IDLE);
  slow.release();
  await fake.settled();
  expect(client.state).toBe("connected");
  await client.close();
});

it("gives up on an environment that is not told in time", async () => {
  const fake = new FakeExecutor();
  const client = await connectTo(fake, { limits: { environment: 20 } });
  fake.handlers["environment/info"] = () => new Promise(() => {});
  const error = await rejection<ExecError>(client.environment());
  expect([error.kind, error.mayHaveRun]).toEqual(["timeout", true]);
  expect(client.stats()).toEqual(IDLE);
  await client.close();
});

it("bounds the calls without an answer, and keeps places for those that let go of something", async () => {
  const fake = new FakeExecutor();
  const client = await connectTo(fake, { limits: { calls: 3 } });
  const process = await client.processes.start({ argv: ["cat"] });
  const slow = held(fake, "fs/createDirectory");
  const running = [1, 2, 3].map((n) => client.files.createDirectory(`/${n}`));
  const refused = await rejection<ExecError>(client.files.createDirectory("/4"));
  expect([refused.kind, refused.mayHaveRun]).toEqual(["refused", false]);
  expect(refused.message).toContain("limits.calls");
  expect(await process.terminate()).toBe(true);
  slow.release();
  await Promise.all(running);
  await client.files.createDirectory("/5");
  await client.close();
});

it("bounds what lets go of something, too", async () => {
  const fake = new FakeExecutor();
  const client = await connectTo(fake, { limits: { calls: 1 } });
  const process = await client.processes.start({ argv: ["cat"] });
  fake.handlers["process/terminate"] = () => new Promise(() => {});
  const ending = Array.from({ length: RESERVED + 1 }, () => process.terminate());
  await expect(process.terminate()).rejects.toThrow("limits.pending");
  fake.connection.cut();
  await client.close();
  for (const end of await Promise.allSettled(ending)) expect(end.status).toBe("rejected");
});

it("tells who waits why the connection went, where it cannot be dialled again", async () => {
  const fake = new FakeExecutor();
  const client = await connect(fake.dial());
  const slow = held(fake, "fs/createDirectory");
  const call = client.files.createDirectory("/a");
  await slow.begun;
  fake.connection.cut();
  const error = await rejection<ExecError>(call);
  expect([error.kind, error.mayHaveRun]).toEqual(["disconnected", true]);
  expect(error.message).toMatch(/^exec-server transport disconnected: the transport failed/);
  const reason = await client.closed;
  expect(reason.message).toBe(error.message);
  expect(client.state).toBe("failed");
  expect(await rejection(client.files.createDirectory("/b"))).toBe(reason);
  expect(client.stats()).toEqual(IDLE);
});

it("rejects what is asked of it after it was closed", async () => {
  const fake = new FakeExecutor();
  const client = await connectTo(fake);
  await client.close("done");
  await client.close();
  const reason = await client.closed;
  expect([reason.kind, reason.message]).toEqual(["closed", "done"]);
  expect(await rejection(client.files.readFile("/x"))).toBe(reason);
  const request = await rejection(client.http.request({ url: "http://localhost/" }));
  expect([request.name, request.cause]).toEqual(["HttpError", reason]);
  expect((await rejection<ExecError>(client.status())).mayHaveRun).toBe(false);
});

it("ends its processes when it is closed, and waits no longer than its limit for an executor that does not answer", async () => {
  const fake = new FakeExecutor();
  const client = await connectTo(fake, { limits: { close: 20 } });
  const process = await client.processes.start({ argv: ["cat"] });
  fake.handlers["process/terminate"] = () => new Promise(() => {});
  await client.close();
  expect(fake.of("process/terminate")[0]!.params).toEqual({ processId: process.id });
  expect((await rejection<ExecError>(process.exited)).kind).toBe("closed");
});

it("denies what a managed process wants to connect to, unless somebody decides", async () => {
  const request = { protocol: "https_connect", host: "example.com", port: 443 };
  const ask = async (options: Parameters<typeof connectTo>[1]): Promise<unknown> => {
    const fake = new FakeExecutor();
    await using client: ExecClient = await connectTo(fake, options);
    expect(client.state).toBe("connected");
    return await fake.connection.session.call("network/policyRequest", { processId: "p", request });
  };
  expect(await ask({})).toMatchObject({ decision: { type: "deny" } });
  const asked: unknown[] = [];
  const decision = await ask({
    onPolicyRequest: (what) => {
      asked.push(what);
      return { type: "allow" };
    },
  });
  expect(decision).toEqual({ decision: { type: "allow" } });
  expect(asked).toEqual([{ processId: "p", ...request }]);
});

it("refuses a policy request that is none", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake, { onPolicyRequest: () => ({ type: "allow" }) });
  expect(client.state).toBe("connected");
  const asked = fake.connection.session.call("network/policyRequest", { processId: "p", request: {} });
  expect((await rejection<RpcError>(asked)).code).toBe(-32602);
});

it("survives an error with id -1, as codex answers what it could not read", async () => {
  const [left, right] = memoryPair({ unit: "messages" });
  const answers: Record<string, string> = {
    initialize: `{"id":1,"result":{"sessionId":"s","environmentInfo":{"shell":{"name":"","path":""}}}}`,
    "environment/status": `{"id":2,"result":{"status":"ready"}}`,
  };
  right.start({
    onData(chunk) {
      const { method } = JSON.parse(String(chunk));
      const answer = answers[method];
      if (answer === undefined) return;
      right.write([`{"id":-1,"error":{"code":-32600,"message":"no"}}`, answer]);
    },
    onDrain() {},
    onEnd: () => right.close(),
    onClose() {},
  });
  const client = await connect(left, { wire: "codex" });
  expect(await client.status()).toBe("ready");
  await client.close();
});

it("reads and writes what is larger than the default of a session", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  const large = "x".repeat(20 * 1024 * 1024);
  fake.handlers["fs/readFile"] = () => ({ dataBase64: base64(large) });
  expect((await client.files.readFile("/large")).length).toBe(large.length);
});

it("refuses what a codex exec-server would drop the connection for, and goes on", async () => {
  const fake = new FakeExecutor();
  const large = new Uint8Array(1024 * 1024);
  for (const unit of ["messages", "bytes"] as const) {
    await using client = await connect(fake.dial(unit), { limits: { codexFrame: 1024 * 1024 } });
    fake.handlers["fs/writeFile"] = () => ({});
    if (unit === "messages") {
      const error = await rejection<ExecError>(client.files.writeFile("/f", large));
      expect([error.kind, error.mayHaveRun]).toEqual(["refused", false]);
      expect(error.message).toContain("limits.codexFrame");
      const request = { method: "POST", url: "http://localhost/", body: large };
      expect((await rejection<HttpError>(client.http.request(request))).kind).toBe("refused");
    } else await client.files.writeFile("/f", large);
    await client.files.writeFile("/f", "small");
  }
});
