// What an executor says of its own accord is bounded (X7); codex's own cases of its client's limits among these.
import { toBase64 } from "@sluice/codec";
import { codex, serve, type Session } from "@sluice/session";
import { memoryPair } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import { connectTo, FakeExecutor, rejection, text } from "./client-fake.testing.ts";
import type { ExecError } from "./client-error.ts";
import { EXEC_LIMITS } from "./client-limits.ts";
import { connect, type ConnectOptions, type ExecClient } from "./client.ts";
import { HttpError } from "./http-error.ts";

const MiB = 1024 * 1024;
const { event, notification } = EXEC_LIMITS;

/** Params with which a message is `length` characters long. */
function filled(rest: object, length: number): { readonly text: string } {
  const empty = JSON.stringify({ ...rest, params: { text: "" } }).length;
  return { text: "s".repeat(length - empty) };
}

interface Pair extends AsyncDisposable {
  readonly client: ExecClient;
  /** The executor's end. */
  readonly session: Session;
}

/** `codex` never greets; `auto` does, and the executor, too. */
async function pair(wire: "codex" | "auto", options: ConnectOptions = {}): Promise<Pair> {
  const [near, far] = memoryPair();
  const opening = serve(far, {
    dialect: { ...codex, greets: wire === "auto" },
    limits: { message: 64 * MiB, grace: 10 },
    onHandlerError: () => {},
    handlers: {
      initialize: () => ({ sessionId: "s", environmentInfo: { shell: { name: "sh", path: "/bin/sh" } } }),
      "fs/readFile": () => ({ dataBase64: toBase64(new Uint8Array(6 * MiB)) }),
      "environment/status": () => ({ status: "ready" }),
    },
  });
  const client = await connect(near, { wire, ...options });
  return { client, session: await opening, [Symbol.asyncDispose]: () => client.close() };
}

/** Why the client has ended: the kind, the limit it names, and whether it quotes the executor. */
async function endOf({
  client,
}: Pair): Promise<readonly [kind: string, limit: string | undefined, quotes: boolean]> {
  const { kind, message } = await client.closed;
  return [kind, /\(limits\.(\w+), X7\)/.exec(message)?.[1], message.includes("sss")];
}

describe.each(["codex", "auto"] as const)("an executor's own words, on the wire %s", (wire) => {
  it("X7: a notification that nobody here knows may have 8 KiB, and one character more ends the connection", async () => {
    await using at = await pair(wire);
    const method = "executor/said";
    await at.session.notify(method, filled({ method }, notification));
    expect(await at.client.status()).toBe("ready");
    await at.session.notify(method, filled({ method }, notification + 1));
    expect(await endOf(at)).toEqual(["disconnected", "notification", false]);
  });

  it("X7: so may a call, whether somebody here answers it or not", async () => {
    const asked: string[] = [];
    const decide: ConnectOptions["onPolicyRequest"] = ({ host }) => {
      asked.push(host.slice(0, 1));
      return { type: "allow" };
    };
    for (const method of ["executor/asks", "network/policyRequest"]) {
      await using at = await pair(wire, { onPolicyRequest: decide });
      const request = (host: string): object => ({
        processId: "p",
        request: { protocol: "http", host, port: 80 },
      });
      const length = JSON.stringify({ id: 1, method, params: request("") }).length;
      const fits = at.session.call(method, request("a".repeat(notification - length)));
      if (method === "executor/asks") await expect(fits).rejects.toMatchObject({ code: -32601 });
      else expect(await fits).toEqual({ decision: { type: "allow" } });
      const late = at.session.call(method, request("s".repeat(notification - length + 1)));
      await rejection(late);
      expect(await endOf(at)).toEqual(["disconnected", "notification", false]);
    }
    expect(asked).toEqual(["a"]);
  });

  it("X7: what stands beside the params counts, too", async () => {
    await using at = await pair(wire);
    const params = { processId: "p", request: { protocol: "http", host: "x", port: 80 } };
    const asked = at.session.call("network/policyRequest", params, { tracestate: "s".repeat(notification) });
    await rejection(asked);
    expect(await endOf(at)).toEqual(["disconnected", "notification", false]);
  });

  it.each(["process/output", "process/exited", "process/closed", "http/request/bodyDelta"])(
    "X7: %s may have 2 MiB, whoever it is for",
    async (method) => {
      await using at = await pair(wire);
      await at.session.notify(method, filled({ method }, event));
      expect(await at.client.status()).toBe("ready");
      await at.session.notify(method, filled({ method }, event + 1));
      expect(await endOf(at)).toEqual(["disconnected", "event", false]);
    },
  );

  it("X7: an answer has no bound but a message's", async () => {
    await using at = await pair(wire);
    expect((await at.client.files.readFile("/x")).length).toBe(6 * MiB);
  });
});

describe("a client whose executor says too much", () => {
  it("X7: takes pieces of 1 MiB of bodies and of outputs", async () => {
    const fake = new FakeExecutor();
    fake.handlers["http/request"] = () => ({ status: 200, headers: [], bodyBase64: "" });
    const client = await connectTo(fake);
    const env = {};
    const job = await client.processes.start({ argv: ["x"], cwd: "/", env });
    const { body } = await client.http.requestStream({ url: "http://x.test/" });
    const { requestId } = fake.of("http/request")[0]!.params;
    const { processId } = fake.of("process/start")[0]!.params;
    const { session } = fake.connection;
    const piece = toBase64(new Uint8Array(MiB).fill(97));
    const delta = { requestId, deltaBase64: piece, done: false, error: null };
    await session.notify("http/request/bodyDelta", { ...delta, seq: 1 });
    await session.notify("http/request/bodyDelta", { ...delta, seq: 2, deltaBase64: "", done: true });
    await session.notify("process/output", { processId, seq: 1, stream: "stdout", chunk: piece });
    await fake.exited(processId, 2);
    await fake.closed(processId, 3);
    expect([(await text(body)).length, (await text(job.stdout)).length]).toEqual([MiB, MiB]);
    await client.close();
  });

  it("X7: and X5: a delta that is too large for its body, but not for a message, fails that alone", async () => {
    const fake = new FakeExecutor();
    fake.handlers["http/request"] = () => ({ status: 200, headers: [], bodyBase64: "" });
    const client = await connectTo(fake);
    const { body } = await client.http.requestStream({ url: "http://x.test/" });
    const { requestId } = fake.of("http/request")[0]!.params;
    const deltaBase64 = toBase64(new Uint8Array(MiB + 1));
    await fake.connection.session.notify("http/request/bodyDelta", {
      requestId,
      seq: 1,
      deltaBase64,
      done: false,
      error: null,
    });
    const error = await rejection(text(body));
    expect([(error as HttpError).kind, error.message]).toEqual([
      "protocol",
      "http response body delta exceeds 1048576 bytes",
    ]);
    expect([client.state, fake.connections]).toEqual(["connected", 1]);
    await client.close();
  });

  it("X7: loses the connection for it, and goes on with the next", async () => {
    const fake = new FakeExecutor();
    const reasons: ExecError[] = [];
    const recovered = Promise.withResolvers<void>();
    const client = await connectTo(fake, {
      onRecovering: (reason) => reasons.push(reason),
      onRecovered: () => recovered.resolve(),
    });
    await fake.connection.session.notify("executor/said", { text: "s".repeat(notification) });
    await recovered.promise;
    expect(reasons.map(({ kind, message }) => [kind, message.includes("limits.notification")])).toEqual([
      ["disconnected", true],
    ]);
    expect(fake.of("initialize").map(({ params }) => params.resumeSessionId)).toEqual([
      undefined,
      "session-1",
    ]);
    await fake.settled();
    await client.close();
  });

  it("X7: takes more where it is told to", async () => {
    const fake = new FakeExecutor();
    const client = await connectTo(fake, { limits: { notification: 64 * 1024 } });
    await fake.connection.session.notify("executor/said", { text: "s".repeat(60_000) });
    await fake.settled();
    expect(fake.connections).toBe(1);
    await client.close();
  });
});
