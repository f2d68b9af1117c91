import { RpcError } from "@sluice/session";
import { diagram } from "@sluice/streams";
import { expect, it } from "vitest";
import { base64, connectTo, FakeExecutor, read, rejection, text } from "./client-fake.testing.ts";
import type { ExecError } from "./client-error.ts";
import type { ConnectOptions, ExecClient } from "./client.ts";
import { connect } from "./client.ts";
import { PROCESS } from "./remote-process.ts";

const START = { argv: ["sh"] };

async function recovering(
  fake: FakeExecutor,
  options: ConnectOptions = {},
): Promise<{ readonly client: ExecClient; readonly recovered: Promise<void> }> {
  const recovered = Promise.withResolvers<void>();
  const client = await connectTo(fake, { ...options, onRecovered: recovered.resolve });
  return { client, recovered: recovered.promise };
}

it("moves by its table", () => {
  expect(diagram(PROCESS)).toContain("exited --> closed: close");
});

it("starts a process with all the wire knows", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  const process = await client.processes.start({
    argv: ["a", "b"],
    cwd: "/some folder",
    env: { A: "1" },
    tty: true,
    pipeStdin: true,
    arg0: "z",
    id: "mine",
  });
  expect(process.id).toBe("mine");
  await client.processes.start({ argv: ["c"] });
  expect(fake.of("process/start").map(({ params }) => params)).toEqual([
    {
      processId: "mine",
      argv: ["a", "b"],
      cwd: "file:///some%20folder",
      env: { A: "1" },
      tty: true,
      pipeStdin: true,
      arg0: "z",
    },
    {
      processId: "process-1",
      argv: ["c"],
      cwd: "file:///work",
      env: {},
      tty: false,
      pipeStdin: false,
      arg0: null,
    },
  ]);
});

it("gives output, exit and close of a process, each output by itself", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  const process = await client.processes.start(START);
  const [stdout, stderr, output] = [text(process.stdout), text(process.stderr), text(process.output)];
  await fake.output(process.id, 1, "one ");
  await fake.output(process.id, 2, "wrong", "stderr");
  await fake.output(process.id, 3, "two");
  await fake.exited(process.id, 4, 7);
  expect(await process.exited).toEqual({ exitCode: 7, sandboxDenied: false });
  await fake.output(process.id, 5, "!");
  await fake.closed(process.id, 6);
  await process.closed;
  expect(await Promise.all([stdout, stderr, output])).toEqual(["one two!", "wrong", ""]);
  expect(client.stats().processes).toBe(0);
});

it("delivers process events in order that were reordered on the way", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  const process = await client.processes.start(START);
  const output = text(process.stdout);
  fake.handlers["process/read"] = () => read([], { nextSeq: 1 });
  await fake.exited(process.id, 4, 3);
  await fake.output(process.id, 3, "c");
  await fake.output(process.id, 1, "a");
  await fake.output(process.id, 1, "again");
  await fake.output(process.id, 2, "b");
  await fake.closed(process.id, 5);
  expect(await output).toBe("abc");
  expect((await process.exited).exitCode).toBe(3);
});

it("takes events that come before the answer to the start", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  fake.handlers["process/start"] = async ({ processId }: { processId: string }) => {
    await fake.output(processId, 1, "early");
    await fake.exited(processId, 2);
    await fake.closed(processId, 3);
    return { processId };
  };
  const process = await client.processes.start(START);
  expect(await text(process.stdout)).toBe("early");
  await process.closed;
});

it.each([
  ["an empty argv", { argv: [] }, "invalid"],
  ["a relative folder", { argv: ["a"], cwd: "here" }, "invalid"],
])("refuses %s before anything is sent", async (_name, options, kind) => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  const error = await rejection<ExecError>(client.processes.start(options));
  expect([error.kind, error.mayHaveRun]).toEqual([kind, false]);
  expect(fake.of("process/start")).toEqual([]);
});

it("refuses a second process of the same id while the first runs", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  await client.processes.start({ argv: ["a"], id: "p" });
  expect((await rejection<ExecError>(client.processes.start({ argv: ["a"], id: "p" }))).kind).toBe("invalid");
  await fake.exited("p", 1);
  await fake.closed("p", 2);
  await fake.settled();
  await client.processes.start({ argv: ["a"], id: "p" });
});

it("rejects with the executor's words where a process cannot be started", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  fake.handlers["process/start"] = () => {
    throw new RpcError(-32603, "No such file or directory (os error 2)");
  };
  const error = await rejection<ExecError>(client.processes.start(START));
  expect([error.message, error.code]).toEqual([
    "process/start: No such file or directory (os error 2)",
    -32603,
  ]);
  expect(client.stats().processes).toBe(0);
});

it("gives a start up by its signal, and terminates what is started nevertheless", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  const { promise, resolve } = Promise.withResolvers<void>();
  const begun = fake.expect("process/start", async () => {
    await promise;
    return {};
  });
  const terminated = fake.expect("process/terminate", () => ({ running: true }));
  const abort = new AbortController();
  const starting = client.processes.start({ ...START, signal: abort.signal });
  await begun;
  abort.abort(new Error("not any more"));
  await expect(starting).rejects.toThrow("not any more");
  expect(client.stats().processes).toBe(0);
  resolve();
  expect(await terminated).toEqual({ processId: "process-1" });
  await expect(client.processes.start({ ...START, signal: abort.signal })).rejects.toThrow("not any more");
});

it("writes in the order of the calls, each piece with an id of its own", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  const process = await client.processes.start({ ...START, pipeStdin: true });
  await Promise.all([
    process.write("one"),
    process.write(new Uint8Array(1024 * 1024 + 1)),
    process.write("two"),
  ]);
  const writes = fake.of("process/write").map(({ params }) => params);
  expect(writes.map(({ chunk }) => chunk.length)).toEqual([4, 1398104, 4, 4]);
  expect(writes.map(({ writeId }) => writeId)).toEqual(["write-1", "write-2", "write-3", "write-4"]);
});

it.each([
  ["unknownProcess", "not found", "unknown process"],
  ["stdinClosed", "refused", "pipeStdin"],
  ["starting", "refused", "still being started"],
])("says what is wrong where a write is answered %s", async (status, kind, words) => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  const process = await client.processes.start(START);
  fake.handlers["process/write"] = () => ({ status });
  const error = await rejection<ExecError>(process.write("x"));
  expect(error.kind).toBe(kind);
  expect(error.message).toContain(words);
});

it("goes on writing after a write that failed", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  const process = await client.processes.start(START);
  fake.handlers["process/write"] = () => {
    throw new RpcError(-32603, "broken pipe");
  };
  await expect(process.write("x")).rejects.toThrow("broken pipe");
  fake.handlers["process/write"] = () => ({ status: "accepted" });
  await process.write("y");
});

it("bounds what waits to be written", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake, { limits: { unwritten: 10 } });
  const process = await client.processes.start(START);
  const first = process.write("12345678");
  const error = await rejection<ExecError>(process.write("123"));
  expect([error.kind, error.mayHaveRun]).toEqual(["refused", false]);
  expect(error.message).toContain("limits.unwritten");
  await first;
  await process.write("1234567890");
});

it("signals and terminates", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  fake.handlers["process/signal"] = () => ({});
  const process = await client.processes.start(START);
  await process.signal("interrupt");
  expect(fake.of("process/signal")[0]!.params).toEqual({ processId: process.id, signal: "interrupt" });
  fake.handlers["process/terminate"] = () => ({ running: false });
  expect(await process.terminate()).toBe(false);
});

it("terminates a process that is disposed of, and lets go of its output", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  {
    await using process = await client.processes.start(START);
    await fake.output(process.id, 1, "nobody reads this");
    await fake.settled();
  }
  expect(fake.of("process/terminate")[0]!.params).toEqual({ processId: "process-1" });
  await fake.exited("process-1", 2, 137);
  await fake.closed("process-1", 3);
  await fake.settled();
  expect(client.stats().processes).toBe(0);
});

it("asks nothing more of a process that is over when it is disposed of", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  {
    await using process = await client.processes.start(START);
    await fake.exited(process.id, 1);
    await fake.closed(process.id, 2);
    await process.closed;
  }
  expect(fake.of("process/terminate")).toEqual([]);
});

it.each([
  ["no number", { stream: "stdout", chunk: "" }],
  ["no base64", { seq: 1, stream: "stdout", chunk: "?" }],
  ["an unknown output", { seq: 1, stream: "stdin", chunk: "" }],
])("gives up a process whose event has %s, and no other", async (_name, event) => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  const process = await client.processes.start(START);
  const other = await client.processes.start(START);
  await fake.connection.session.notify("process/output", { processId: process.id, ...event });
  const error = await rejection<ExecError>(process.exited);
  expect([error.kind, client.state]).toEqual(["protocol", "connected"]);
  expect(await rejection(text(process.stdout))).toBe(error);
  await fake.exited(other.id, 1);
  await other.exited;
  expect(fake.of("process/terminate").map(({ params }) => params.processId)).toEqual([process.id]);
});

it("lets events pass of processes it does not know", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  await fake.connection.session.notify("process/output", { processId: "other" });
  await fake.connection.session.notify("process/output", null);
  await fake.settled();
  expect(client.state).toBe("connected");
});

it("gives up a process that is closed and never exited", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  const process = await client.processes.start(START);
  await fake.closed(process.id, 1);
  expect((await rejection<ExecError>(process.exited)).kind).toBe("protocol");
});

it("reads what is missing where too many events are early", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake, { limits: { early: 2 } });
  const process = await client.processes.start(START);
  const output = text(process.stdout);
  fake.handlers["process/read"] = ({ afterSeq }: { afterSeq: number }) =>
    read(
      (["a", "b", "c", "d"] as const)
        .map((letter, n) => [n + 1, letter] as const)
        .filter(([seq]) => seq > afterSeq),
    );
  for (const [seq, letter] of [
    [2, "b"],
    [3, "c"],
    [4, "d"],
  ] as const)
    await fake.output(process.id, seq, letter);
  await fake.exited(process.id, 5);
  await fake.closed(process.id, 6);
  expect(await output).toBe("abcd");
  expect(fake.of("process/read")[0]!.params).toEqual({ processId: process.id, afterSeq: 0, waitMs: 0 });
});

it("reads what is missing where the close has come", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  const process = await client.processes.start(START);
  fake.handlers["process/read"] = () =>
    read([[1, "lost on the way"]], { nextSeq: 4, exited: true, exitCode: 2, closed: true });
  await fake.closed(process.id, 3);
  expect(await text(process.stdout)).toBe("lost on the way");
  expect((await process.exited).exitCode).toBe(2);
});

it("terminates a process, and just that, whose output is lost for good", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake, { limits: { early: 1 } });
  const process = await client.processes.start(START);
  const other = await client.processes.start(START);
  const terminated = fake.expect("process/terminate", () => ({ running: true }));
  fake.handlers["process/read"] = () => read([[3, "c"]]);
  await fake.output(process.id, 2, "b");
  await fake.output(process.id, 3, "c");
  const error = await rejection<ExecError>(process.closed);
  expect(error.kind).toBe("output lost");
  expect(await rejection(text(process.stdout))).toBe(error);
  expect(await terminated).toEqual({ processId: process.id });
  await fake.exited(other.id, 1, 5);
  expect((await other.exited).exitCode).toBe(5);
});

it("gives up a process where a read brings nothing new", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake, { limits: { early: 1 } });
  const process = await client.processes.start(START);
  fake.handlers["process/read"] = () => read([], { nextSeq: 1 });
  await fake.output(process.id, 2, "b");
  await fake.output(process.id, 3, "c");
  expect((await rejection<ExecError>(process.exited)).kind).toBe("output lost");
});

it("passes on what went wrong with a process at the executor", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake);
  const process = await client.processes.start(START);
  fake.handlers["process/read"] = () => read([], { failure: "the pty is gone" });
  await fake.closed(process.id, 2);
  expect((await rejection<ExecError>(process.exited)).message).toContain("the pty is gone");
});

it("does not disturb a reader that is slow: what was not kept is fetched", async () => {
  const fake = new FakeExecutor();
  await using client = await connectTo(fake, { limits: { unread: 500 } });
  const process = await client.processes.start(START);
  const letters = "abcdefghij".split("");
  fake.handlers["process/read"] = ({ afterSeq }: { afterSeq: number }) =>
    read(letters.map((letter, n) => [n + 1, letter.repeat(10)] as const).slice(afterSeq), {
      nextSeq: 13,
      exited: true,
      closed: true,
    });
  for (const [n, letter] of letters.entries()) await fake.output(process.id, n + 1, letter.repeat(10));
  await fake.exited(process.id, 11);
  await fake.closed(process.id, 12);
  await process.closed;
  expect(fake.of("process/read")).toEqual([]);
  expect(await text(process.stdout)).toBe(letters.map((letter) => letter.repeat(10)).join(""));
  expect(fake.of("process/read").map(({ params }) => params.afterSeq)).toEqual([3]);
});

it("goes on after a recovery without loss: by a read, merged with what comes meanwhile", async () => {
  const fake = new FakeExecutor();
  const { client, recovered } = await recovering(fake);
  const process = await client.processes.start(START);
  const output = text(process.stdout);
  await fake.output(process.id, 1, "a");
  await fake.settled();
  fake.handlers["process/read"] = async ({ processId }: { processId: string }) => {
    await fake.output(processId, 4, "d");
    return read([
      [2, "b"],
      [3, "c"],
      [4, "d"],
    ]);
  };
  fake.connection.cut();
  await recovered;
  expect(fake.of("process/read")[0]!.params).toEqual({ processId: process.id, afterSeq: 1, waitMs: 0 });
  await fake.output(process.id, 5, "e");
  await fake.exited(process.id, 6);
  await fake.closed(process.id, 7);
  expect(await output).toBe("abcde");
  await client.close();
});

it("learns after a recovery that a process has ended meanwhile", async () => {
  const fake = new FakeExecutor();
  const { client, recovered } = await recovering(fake);
  const process = await client.processes.start(START);
  fake.handlers["process/read"] = () =>
    read([[1, "last words"]], { nextSeq: 4, exited: true, exitCode: 9, closed: true });
  fake.connection.cut();
  await recovered;
  expect(await process.exited).toEqual({ exitCode: 9, sandboxDenied: false });
  expect(await text(process.stdout)).toBe("last words");
  expect(client.stats().processes).toBe(0);
  await client.close();
});

it("reads again where the connection is lost during the recovery, too", async () => {
  const fake = new FakeExecutor();
  const { client, recovered } = await recovering(fake);
  const process = await client.processes.start(START);
  let reads = 0;
  fake.handlers["process/read"] = () => {
    if (++reads < 3) return fake.connection.cut();
    return read([[1, "at last"]], { nextSeq: 4, exited: true, exitCode: 0, closed: true });
  };
  fake.connection.cut();
  await recovered;
  expect(await text(process.stdout)).toBe("at last");
  expect([reads, fake.connections]).toEqual([3, 4]);
  await client.close();
});

it("gives up just the process the executor knows no more after a recovery", async () => {
  const fake = new FakeExecutor();
  const { client, recovered } = await recovering(fake);
  const gone = await client.processes.start(START);
  const there = await client.processes.start(START);
  fake.handlers["process/read"] = ({ processId }: { processId: string }) => {
    if (processId === gone.id) throw new RpcError(-32600, `unknown process id ${processId}`);
    return read();
  };
  fake.connection.cut();
  await recovered;
  const error = await rejection<ExecError>(gone.exited);
  expect([error.code, error.message]).toEqual([-32600, `process/read: unknown process id ${gone.id}`]);
  await fake.exited(there.id, 1, 4);
  expect((await there.exited).exitCode).toBe(4);
  await client.close();
});

it("terminates just the process whose output is lost over a recovery", async () => {
  const fake = new FakeExecutor();
  const { client, recovered } = await recovering(fake);
  const process = await client.processes.start(START);
  const terminated = fake.expect("process/terminate", () => ({ running: true }));
  fake.handlers["process/read"] = () => read([[100, "much later"]]);
  fake.connection.cut();
  await recovered;
  expect((await rejection<ExecError>(process.exited)).kind).toBe("output lost");
  expect(await terminated).toEqual({ processId: process.id });
  expect(client.state).toBe("connected");
  await client.close();
});

it("makes a write again with the same writeId where its answer was lost", async () => {
  const fake = new FakeExecutor();
  const { client } = await recovering(fake);
  const process = await client.processes.start(START);
  let writes = 0;
  fake.handlers["process/write"] = () => {
    if (++writes === 1) return fake.connection.cut();
    return { status: "accepted" };
  };
  await Promise.all([process.write("one"), process.write("two")]);
  expect(fake.of("process/write").map(({ params }) => [params.writeId, params.chunk])).toEqual([
    ["write-1", base64("one")],
    ["write-1", base64("one")],
    ["write-2", base64("two")],
  ]);
  await client.close();
});

it("terminates after a recovery what was started without an answer", async () => {
  const fake = new FakeExecutor();
  const { client, recovered } = await recovering(fake);
  fake.handlers["process/start"] = () => fake.connection.cut();
  const error = await rejection<ExecError>(client.processes.start(START));
  expect([error.kind, error.mayHaveRun]).toEqual(["disconnected", true]);
  fake.handlers["process/terminate"] = () => {
    throw new RpcError(-32600, "unknown process id");
  };
  await recovered;
  expect(fake.of("process/terminate").map(({ params }) => params)).toEqual([{ processId: "process-1" }]);
  expect(client.state).toBe("connected");
  await client.close();
});

it("has its processes fail with the reason where there is no recovery", async () => {
  const fake = new FakeExecutor();
  const client = await connect(fake.dial());
  const process = await client.processes.start(START);
  await fake.output(process.id, 1, "heard");
  await fake.settled();
  fake.connection.cut();
  const reason = await client.closed;
  const reader = process.stdout.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe("heard");
  expect(await rejection(reader.read())).toBe(reason);
  expect(await rejection(process.write("x"))).toBe(reason);
  await process[Symbol.asyncDispose]();
});
