// Processes that misbehave (reliability.md 2.5), each with a session of its own on the other end.
import { assertNoLeaks, connect, type Session } from "@sluice/session";
import { spawn, type ChildTransport, type SpawnOptions } from "@sluice/stdio";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { spawnFixture } from "./fixtures/runtime.ts";

interface Worker {
  readonly child: ChildTransport;
  readonly session: Session;
  /** What the child's session said of its end. */
  readonly over: Promise<{ code: string; rule?: string; message: string }>;
}

async function worker(limits: object = {}, options: SpawnOptions = {}): Promise<Worker> {
  let tell: (over: never) => void = () => {};
  const over = new Promise<never>((resolve) => (tell = resolve));
  const child = spawnFixture("worker", [JSON.stringify(limits)], {
    ...options,
    onStderrLine: (line) => {
      if (line.startsWith('{"over"')) tell((JSON.parse(line) as { over: never }).over);
    },
  });
  const session = await connect(child);
  expect(await session.call("hello")).toBe("here");
  return { child, session, over };
}

const failed = (promise: Promise<unknown>): Promise<any> =>
  promise.then(
    (value) => ({ unexpected: value }),
    (error: unknown) => error,
  );

describe("a child that ends", () => {
  it.each([0, 1, 70])(
    "row 95: with code %i while it runs calls fails them with how it ended",
    async (code) => {
      const { session } = await worker();
      const calls = [failed(session.call("never")), failed(session.call("exit", { code }))];
      const error = await session.closed;
      expect(error).toMatchObject({ _tag: "SessionError", by: "transport", mayHaveRun: true });
      expect(error.message).toContain(`exited with code ${code}`);
      expect(error.message).toContain(`about to exit ${code}`);
      expect(await Promise.all(calls)).toEqual([error, error]);
      assertNoLeaks(session);
    },
  );

  it.each(["SIGKILL", "SIGABRT"])(
    "row 95: by %s in the middle of a stream fails its reader with that",
    async (signal) => {
      const { session } = await worker();
      const endless = await session.call<AsyncIterable<unknown>>("endless");
      let items = 0;
      const reading = failed(
        (async () => {
          for await (const _ of endless) if (items++ === 10) void failed(session.call("kill", { signal }));
        })(),
      );
      const error = await session.closed;
      expect(error.message).toContain(`ended by ${signal}`);
      expect(await reading).toMatchObject({ _tag: "StreamError", code: 7, cause: error });
      expect(items).toBeGreaterThan(10);
      assertNoLeaks(session);
    },
  );

  it("row 95: before it greets fails the connecting with how it ended", async () => {
    const child = spawnFixture("nothing-of-this-name");
    await expect(connect(child)).rejects.toMatchObject({ _tag: "SessionError", by: "transport" });
  });
});

describe("a program that cannot be started", () => {
  it.each([
    ["that does not exist", "sluice-no-such-program", [], /no such program/],
    ["that is not executable", "/etc/passwd", [], /not allowed to run|cannot start/],
    ["with arguments too large", "true", ["x".repeat(4 << 20)], /too large|cannot start/],
  ])("row 96: %s is a typed failure", async (_, command, args, why) => {
    const error = await failed(connect(spawn(command, args)));
    expect(error).toMatchObject({ _tag: "SessionError", code: "lost", by: "transport" });
    expect(error.message).toMatch(why);
    expect(error.cause).toMatchObject({ _tag: "TransportError", code: "spawn" });
  });
});

describe("a child and its pipes", () => {
  it("row 97: one that dies under a writer breaks its pipe, and the writer is told", async () => {
    const { session } = await worker();
    const body = new ReadableStream<Uint8Array>({ pull: (c) => c.enqueue(new Uint8Array(65_536)) });
    const call = failed(session.call("reads", { body }));
    void failed(session.call("kill", { signal: "SIGKILL" }));
    const error = await session.closed;
    expect(error).toMatchObject({ code: "lost", by: "transport" });
    expect(await call).toBe(error);
    assertNoLeaks(session);
  });

  it("row 98: one whose input ends finishes, and exits by itself with 0", async () => {
    const { child, session, over } = await worker();
    await session.close();
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(await over).toMatchObject({ code: "closed" });
  });

  it("row 99: one that ignores the end of its input and SIGTERM is killed", async () => {
    const { child, session } = await worker({ stubborn: true }, { grace: { stdin: 10, term: 10 } });
    await session.close();
    expect(await child.exited).toMatchObject({ signal: "SIGKILL" });
  });

  it("row 100: what it answers before it goes arrives whole", async () => {
    const { child, session } = await worker();
    const { last } = await session.call<{ last: string }>("last");
    expect(last.length).toBe(1_000_000);
    await session.drain();
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  it("row 101: one that prints 8 MiB of errors is not held up by it", async () => {
    const { child, session } = await worker();
    expect(await session.call("rant", { bytes: 8 << 20 })).toBe(8 << 20);
    await session.close();
    await child.exited;
    expect(child.stderr().length).toBeLessThanOrEqual(4096);
  });

  it("row 102: one whose output nobody reads ends its session, once its limit is full of answers (PROTOCOL L4)", async () => {
    const { child, session, over } = await worker({ outbox: 1 << 20 });
    child.pause();
    for (let i = 0; i < 64; i++) void failed(session.call("big", { bytes: 100_000 }));
    expect(await over).toMatchObject({ code: "limit", rule: "L4" });
    child.resume();
    expect(await session.closed).toMatchObject({ code: "closed", by: "peer" });
    assertNoLeaks(session);
  });
});

describe("a print in a child", () => {
  it("row 20: goes to its standard error, by console and by process.stdout", async () => {
    const { session } = await worker();
    expect(await session.call("print", { text: "stray" })).toBe("printed");
    expect(await session.call("hello")).toBe("here");
    await session.close();
  });

  it("row 21: that gets between frames ends the session with an error that quotes its start", async () => {
    const { session } = await worker();
    const call = failed(session.call("pollute", { text: "Segmentation fault (core dumped)\n" }));
    const error = await session.closed;
    expect(error).toMatchObject({ code: "protocol", by: "peer" });
    expect(error.message).toContain('it begins "Segmentation fault (core dumped)');
    expect(await call).toBe(error);
  });

  it.skipIf(!existsSync("/bin/sh"))(
    "row 20: in place of a greeting is quoted where the greeting fails",
    async () => {
      const child = spawn("/bin/sh", [
        "-c",
        "echo 'command not found: worker'; exec >&-; while read line; do :; done",
      ]);
      const faults: unknown[] = [];
      const session = failed(connect(child, { onFault: (fault) => faults.push(fault) }));
      expect(await session).toMatchObject({ _tag: "SessionError", rule: "H" });
      expect(faults).toMatchObject([{ excerpt: "command not found: worker" }]);
      expect((await session).message).toContain("command not found: worker");
    },
  );
});
