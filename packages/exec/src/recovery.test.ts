import { RpcError } from "@sluice/session";
import { TransportError } from "@sluice/transport";
import { diagram } from "@sluice/streams";
import { expect, it } from "vitest";
import { connectTo, FakeExecutor, read, rejection, text } from "./client-fake.testing.ts";
import type { ExecError } from "./client-error.ts";
import { CLIENT } from "./client-state.ts";
import { connect, type ConnectOptions, type ExecClient } from "./client.ts";
import type { HttpError } from "./http-error.ts";

const START = { argv: ["sh"] };

interface Told {
  readonly recovering: Promise<ExecError>;
  readonly recovered: Promise<void>;
}

/** A client, with what it tells of its first recovery. */
async function watched(
  fake: FakeExecutor,
  options: ConnectOptions = {},
): Promise<{ readonly client: ExecClient; readonly told: Told }> {
  const recovering = Promise.withResolvers<ExecError>();
  const recovered = Promise.withResolvers<void>();
  const client = await connectTo(fake, {
    ...options,
    onRecovering: recovering.resolve,
    onRecovered: recovered.resolve,
  });
  return { client, told: { recovering: recovering.promise, recovered: recovered.promise } };
}

it("moves by its table", () => {
  expect(diagram(CLIENT).split("\n")).toEqual([
    "stateDiagram-v2",
    "  [*] --> connecting",
    "  connecting --> connected: connect",
    "  connecting --> failed: fail",
    "  connecting --> closed: close",
    "  connected --> recovering: lose",
    "  connected --> failed: fail",
    "  connected --> closed: close",
    "  recovering --> connected: connect",
    "  recovering --> failed: fail",
    "  recovering --> closed: close",
    "  failed --> [*]",
    "  closed --> [*]",
  ]);
});

it("resumes its session on a new connection", async () => {
  const fake = new FakeExecutor();
  const { client, told } = await watched(fake);
  fake.connection.cut();
  const reason = await told.recovering;
  expect(reason.kind).toBe("disconnected");
  expect(client.state).toBe("recovering");
  await told.recovered;
  expect([client.state, client.sessionId, fake.connections]).toEqual(["connected", "session-1", 2]);
  expect(fake.of("initialize")[1]!.params).toEqual({ clientName: "sluice", resumeSessionId: "session-1" });
  await fake.settled();
  expect(fake.seen.at(-1)).toEqual({ method: "initialized", params: {} });
  await client.close();
});

it("does not make a call again that was under way, and tells that it may have run", async () => {
  const fake = new FakeExecutor();
  const { client, told } = await watched(fake);
  const begun = fake.expect("fs/createDirectory", () => new Promise(() => {}));
  const call = client.files.createDirectory("/a");
  await begun;
  fake.connection.cut();
  const error = await rejection<ExecError>(call);
  expect([error.kind, error.mayHaveRun]).toEqual(["disconnected", true]);
  await told.recovered;
  await fake.settled();
  expect(fake.of("fs/createDirectory").length).toBe(1);
  await client.close();
});

it("has new calls wait for the next session", async () => {
  const fake = new FakeExecutor();
  const { client, told } = await watched(fake);
  fake.handlers["fs/createDirectory"] = () => ({});
  fake.connection.cut();
  await told.recovering;
  await client.files.createDirectory("/a");
  expect(fake.connections).toBe(2);
  await client.close();
});

it("lets go of a call that waits for the next session when its signal aborts", async () => {
  const fake = new FakeExecutor();
  const { client, told } = await watched(fake);
  fake.handlers["initialize"] = () => new Promise(() => {});
  fake.connection.cut();
  await told.recovering;
  const abort = new AbortController();
  const call = client.files.createDirectory("/a", { signal: abort.signal });
  abort.abort(new Error("not any more"));
  await expect(call).rejects.toThrow("not any more");
  await expect(client.files.createDirectory("/a", { signal: abort.signal })).rejects.toThrow("not any more");
  await client.close();
});

it("fails new calls at once where that is the policy", async () => {
  const fake = new FakeExecutor();
  const { client, told } = await watched(fake, { recovery: { delay: 1, calls: "fail" } });
  const process = await client.processes.start(START);
  fake.connection.cut();
  const reason = await told.recovering;
  for (const call of [
    client.files.readFile("/a"),
    process.write("x"),
    process.terminate(),
    client.processes.start(START),
  ]) {
    const error = await rejection<ExecError>(call);
    expect([error.kind, error.message, error.mayHaveRun, error.cause]).toEqual([
      "recovering",
      "exec-server environment is recovering",
      false,
      reason,
    ]);
  }
  const request = await rejection<HttpError>(client.http.request({ url: "http://localhost/" }));
  expect([request.kind, request.mayHaveRun]).toEqual(["disconnected", false]);
  await told.recovered;
  expect(await process.terminate()).toBe(true);
  await client.close();
});

it("never waits for a recovery to tell the status", async () => {
  const fake = new FakeExecutor();
  const { client, told } = await watched(fake);
  fake.handlers["environment/status"] = () => ({ status: "ready" });
  expect(await client.status()).toBe("ready");
  fake.connection.cut();
  await told.recovering;
  const error = await rejection<ExecError>(client.status());
  expect([error.kind, error.mayHaveRun]).toEqual(["disconnected", false]);
  await told.recovered;
  await client.close();
});

it("tries again while the session is attached elsewhere", async () => {
  const fake = new FakeExecutor();
  const { client, told } = await watched(fake);
  let attempts = 0;
  const initialize = fake.handlers["initialize"]!;
  fake.handlers["initialize"] = (params, context) => {
    if (++attempts < 3)
      throw new RpcError(-32010, "session session-1 is already attached to another connection");
    return initialize(params, context);
  };
  fake.connection.cut();
  await told.recovered;
  expect(attempts).toBe(3);
  await client.close();
});

it("tries again where a connection fails, is lost or does not shake hands in time", async () => {
  const fake = new FakeExecutor();
  const recovered = Promise.withResolvers<void>();
  let dialled = 0;
  const dial: typeof fake.dial = () => {
    if (++dialled === 2) throw new TransportError("connect", "nobody listens");
    return fake.dial();
  };
  const client = await connect(dial, {
    recovery: { delay: 1 },
    limits: { handshake: 50 },
    onRecovered: recovered.resolve,
  });
  const initialize = fake.handlers["initialize"]!;
  fake.handlers["initialize"] = (params, context) => {
    if (dialled === 3) return fake.connection.cut();
    if (dialled === 4) return new Promise(() => {});
    return initialize(params, context);
  };
  fake.connection.cut();
  await recovered.promise;
  expect([dialled, client.state]).toEqual([5, "connected"]);
  await client.close();
});

it("recovers a second time, from the same session", async () => {
  const fake = new FakeExecutor();
  let recovered = Promise.withResolvers<void>();
  const client = await connectTo(fake, { onRecovered: () => recovered.resolve() });
  for (let round = 0; round < 3; round++) {
    recovered = Promise.withResolvers<void>();
    fake.connection.cut();
    await recovered.promise;
  }
  expect(fake.of("initialize").map(({ params }) => params.resumeSessionId)).toEqual([
    undefined,
    "session-1",
    "session-1",
    "session-1",
  ]);
  await client.close();
});

it("tells that it has recovered only when it has, wherever the next connection is cut", async () => {
  for (let wait = 0; wait < 50; wait++) {
    const fake = new FakeExecutor();
    const told: string[] = [];
    const settled = Promise.withResolvers<void>();
    const client = await connectTo(fake, {
      onRecovering: () => void told.push(client.state),
      onRecovered: () => {
        told.push(client.state);
        if (fake.connections > 2) settled.resolve();
      },
    });
    const initialize = fake.handlers["initialize"]!;
    const cut = async (): Promise<void> => {
      for (let n = 0; n < wait; n++) await Promise.resolve();
      fake.connection.cut();
    };
    fake.handlers["initialize"] = (params, context) => {
      if (fake.connections === 2) void cut();
      return initialize(params, context);
    };
    fake.connection.cut();
    await settled.promise;
    const turns = Array.from({ length: told.length / 2 }, () => ["recovering", "connected"]).flat();
    expect([wait, told]).toEqual([wait, turns]);
    await client.close();
  }
});

it("fails for good where the session is unknown, and keeps why the connection went", async () => {
  const fake = new FakeExecutor();
  const { client, told } = await watched(fake);
  const process = await client.processes.start(START);
  fake.handlers["initialize"] = () => {
    throw new RpcError(-32600, "unknown session id session-1");
  };
  const waiting = told.recovering.then(() => rejection<ExecError>(client.files.readFile("/a")));
  fake.connection.cut();
  const reason = await client.closed;
  expect(reason.message).toMatch(
    /^exec-server transport disconnected: .*; failed to resume exec-server session: initialize: unknown session id session-1$/,
  );
  expect([reason.kind, client.state]).toEqual(["failed", "failed"]);
  expect(await waiting).toBe(reason);
  expect(await rejection(process.exited)).toBe(reason);
  expect(await rejection(text(process.stdout))).toBe(reason);
  expect(fake.connections).toBe(2);
  expect(client.stats()).toEqual({ calls: 0, bodies: 0, processes: 0, files: 0 });
});

it("fails for good where another session answers", async () => {
  const fake = new FakeExecutor();
  const { client } = await watched(fake);
  fake.handlers["initialize"] = () => ({ sessionId: "another" });
  fake.connection.cut();
  expect((await client.closed).message).toContain("exec-server initialized an unexpected session");
});

it("fails at its deadline", async () => {
  const fake = new FakeExecutor();
  const { client } = await watched(fake, { recovery: { delay: 1, deadline: 30 } });
  fake.handlers["initialize"] = () => {
    throw new RpcError(-32010, "session session-1 is already attached to another connection");
  };
  fake.connection.cut();
  const reason = await client.closed;
  expect(reason.message).toMatch(/recovery timed out after 30 ms \(recovery.deadline\)$/);
  expect(reason.kind).toBe("failed");
});

it("lets go of a connection on which it runs out of time", async () => {
  const fake = new FakeExecutor();
  const { client } = await watched(fake, { recovery: { delay: 1, deadline: 30 } });
  await client.processes.start(START);
  fake.handlers["process/read"] = () => new Promise(() => {});
  fake.connection.cut();
  expect((await client.closed).message).toContain("recovery timed out");
  expect(fake.connections).toBe(2);
  await fake.connection.session.closed;
});

it("can be closed while it recovers, and dials no more", async () => {
  const fake = new FakeExecutor();
  const { client, told } = await watched(fake);
  const resuming = fake.expect("initialize", () => new Promise(() => {}));
  fake.connection.cut();
  await told.recovering;
  await resuming;
  const { session } = fake.connection;
  const waiting = rejection<ExecError>(client.files.readFile("/a"));
  await client.close();
  expect([(await waiting).kind, client.state]).toEqual(["closed", "closed"]);
  await session.closed;
  expect(fake.connections).toBe(2);
});

it("gives up what outlives no connection: a body ends with the reason, however much of it has come", async () => {
  const fake = new FakeExecutor();
  const { client, told } = await watched(fake);
  fake.handlers["http/request"] = () => ({ status: 200, headers: [], bodyBase64: "" });
  const response = await client.http.requestStream({ url: "http://localhost/" });
  await fake.connection.session.notify("http/request/bodyDelta", {
    requestId: "http-1",
    seq: 1,
    deltaBase64: "YWJj",
    done: false,
  });
  const reader = response.body.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe("abc");
  fake.connection.cut();
  const reason = await told.recovering;
  const error = await rejection<HttpError>(reader.read());
  expect([error.kind, error.message]).toEqual([
    "disconnected",
    `http response stream \`http-1\` failed: ${reason.message}`,
  ]);
  await told.recovered;
  const next = await client.http.requestStream({ url: "http://localhost/" });
  expect(fake.of("http/request").map(({ params }) => params.requestId)).toEqual(["http-1", "http-2"]);
  await next.body.cancel();
  expect(client.stats().bodies).toBe(0);
  await client.close();
});

it("drains notifications before the answer to initialize, and loses none", async () => {
  const fake = new FakeExecutor();
  const { client } = await watched(fake);
  const process = await client.processes.start(START);
  const output = text(process.stdout);
  const initialize = fake.handlers["initialize"]!;
  const many = 2000;
  fake.handlers["initialize"] = async (params, context) => {
    for (let seq = 1; seq <= many; seq++) await fake.output(process.id, seq, `${seq} `);
    return initialize(params, context);
  };
  fake.handlers["process/read"] = () => read([], { nextSeq: 1 });
  fake.connection.cut();
  const [{ session }] = [await fake.next()];
  await session.notify("process/exited", { processId: process.id, seq: many + 1, exitCode: 0 });
  await session.notify("process/closed", { processId: process.id, seq: many + 2 });
  const expected = Array.from({ length: many }, (_, n) => `${n + 1} `).join("");
  expect(await output).toBe(expected);
  await client.close();
});

it("tells a listener's mistakes to onHandlerError, and recovers all the same", async () => {
  const fake = new FakeExecutor();
  const told: string[] = [];
  const recovered = Promise.withResolvers<void>();
  const client = await connectTo(fake, {
    onRecovering: () => {
      throw new Error("mine");
    },
    onRecovered: () => {
      recovered.resolve();
      throw new Error("mine, too");
    },
    onHandlerError: (error, name) => told.push(`${name}: ${(error as Error).message}`),
  });
  fake.connection.cut();
  await recovered.promise;
  expect(told).toEqual(["onRecovering: mine", "onRecovered: mine, too"]);
  await client.close();
});
