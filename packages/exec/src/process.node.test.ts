// One process without a process: its child is a script, so that the order of things is the test's.
import { describe, expect, it } from "vitest";
import { TestClock } from "./executor.testing.ts";
import { EXECUTOR_LIMITS, type ExecutorLimits } from "./executor-limits.ts";
import { ExecProcess } from "./process.ts";
import type { Child, ChildEvents, WriteStatus } from "./process-child.ts";

class FakeChild implements Child {
  readonly whenPaused: "stops" | "held";
  readonly done: string[] = [];
  /** Answers the writes. */
  readonly reads: ((status: WriteStatus) => void)[] = [];
  events!: ChildEvents;

  constructor(whenPaused: "stops" | "held" = "stops") {
    this.whenPaused = whenPaused;
  }

  readonly start = async (events: ChildEvents): Promise<Child> => {
    this.events = events;
    return this;
  };

  write(bytes: Uint8Array): Promise<WriteStatus> {
    this.done.push(`write ${new TextDecoder().decode(bytes)}`);
    return new Promise((resolve) => this.reads.push(resolve));
  }
  pause(): void {
    this.done.push("pause");
  }
  resume(): void {
    this.done.push("resume");
  }
  signal(signal: string): void {
    this.done.push(signal);
  }
  release(): void {
    this.done.push("release");
  }
}

/** A peer that takes what it is told when the test says so. */
class SlowPeer {
  readonly told: string[] = [];
  #taken: (() => void)[] = [];

  readonly notify = (method: string, params: unknown): Promise<void> => {
    const { seq, chunk } = params as { seq: number; chunk?: string };
    this.told.push(
      `${method} ${seq} ${chunk === undefined ? "" : Buffer.from(chunk, "base64").length}`.trim(),
    );
    return new Promise((resolve) => this.#taken.push(resolve));
  };

  async take(): Promise<void> {
    for (const taken of this.#taken.splice(0)) taken();
    await turn();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const bytes = (length: number): Uint8Array => new Uint8Array(length);

async function started(
  child: FakeChild,
  limits: Partial<ExecutorLimits> = {},
  clock = new TestClock(),
): Promise<ExecProcess> {
  const process = new ExecProcess("p", { ...EXECUTOR_LIMITS, ...limits }, clock, () => {});
  await process.start(child.start);
  return process;
}
const never = (): AbortSignal => new AbortController().signal;

describe("a process whose peer takes its time", () => {
  it("is not read while anything it wrote has not been handed over", async () => {
    const [child, peer] = [new FakeChild(), new SlowPeer()];
    (await started(child)).attach(peer.notify);
    child.events.output("stdout", bytes(10));
    child.events.output("stderr", bytes(10));
    expect(child.done).toEqual(["pause", "pause"]);
    await turn();
    expect(child.done).toEqual(["pause", "pause"]);
    await peer.take();
    expect(child.done).toEqual(["pause", "pause", "resume"]);
    expect(peer.told).toEqual(["process/output 1 10", "process/output 2 10"]);
  });

  it("is read again once nobody is attached", async () => {
    const [child, peer] = [new FakeChild(), new SlowPeer()];
    const process = await started(child);
    process.attach(peer.notify);
    child.events.output("stdout", bytes(10));
    process.detach();
    child.events.output("stdout", bytes(10));
    expect(child.done).toEqual(["pause", "resume"]);
    await peer.take();
    expect(child.done).toEqual(["pause", "resume"]);
    expect(peer.told).toEqual(["process/output 1 10"]);
  });

  it("does not hear from a peer that has left", async () => {
    const [child, first, second] = [new FakeChild(), new SlowPeer(), new SlowPeer()];
    const process = await started(child);
    process.attach(first.notify);
    child.events.output("stdout", bytes(1));
    process.detach();
    process.attach(second.notify);
    child.events.output("stdout", bytes(1));
    child.done.length = 0;
    await first.take();
    expect(child.done).toEqual([]);
    await second.take();
    expect(child.done).toEqual(["resume"]);
  });

  it("is killed with a reason where its terminal cannot be held back and too much is held", async () => {
    const [child, peer] = [new FakeChild("held"), new SlowPeer()];
    const process = await started(child, { terminalHeld: 100 });
    process.attach(peer.notify);
    child.events.output("pty", bytes(100));
    expect(child.done).toEqual(["pause"]);
    child.events.output("pty", bytes(1));
    expect(child.done).toEqual(["pause", "pause", "SIGKILL"]);
    const { failure } = await process.read({}, never);
    expect(failure).toContain("limits.terminalHeld (100 bytes)");
  });
});

describe("what a process writes", () => {
  it("is told in pieces of at most 64 KiB", async () => {
    const [child, peer] = [new FakeChild(), new SlowPeer()];
    (await started(child)).attach(peer.notify);
    child.events.output("stdout", bytes(200_000));
    child.events.exited(0);
    child.events.closed();
    expect(peer.told).toEqual([
      "process/output 1 65536",
      "process/output 2 65536",
      "process/output 3 65536",
      "process/output 4 3392",
      "process/exited 5",
      "process/closed 6",
    ]);
  });

  it("is waited for as long as a reader says, and no longer than the limit", async () => {
    const [child, clock] = [new FakeChild(), new TestClock()];
    const process = await started(child, { wait: 500 }, clock);
    const [short, long] = [process.read({ waitMs: 100 }, never), process.read({ waitMs: 10_000 }, never)];
    clock.pass(100);
    expect((await short).nextSeq).toBe(1);
    clock.pass(400);
    expect((await long).nextSeq).toBe(1);
    const waiting = process.read({ waitMs: 100 }, never);
    child.events.output("stdout", bytes(3));
    expect((await waiting).chunks).toHaveLength(1);
    expect(clock.waiting).toBe(0);
    expect((await process.read({ afterSeq: 1 }, never)).chunks).toEqual([]);
  });

  it("is not waited for any more once the reader has given up", async () => {
    const clock = new TestClock();
    const process = await started(new FakeChild(), {}, clock);
    const abort = new AbortController();
    const waiting = process.read({ waitMs: 100 }, () => abort.signal);
    abort.abort();
    await waiting;
    expect(clock.waiting).toBe(0);
  });
});

describe("what is written to a process", () => {
  it("is written once for each writeId, and the answer is the same each time", async () => {
    const child = new FakeChild();
    const process = await started(child);
    const [first, again] = [process.write(bytes(1), "a"), process.write(bytes(1), "a")];
    expect(child.done).toHaveLength(1);
    child.reads[0]!("accepted");
    expect([await first, await again, await process.write(bytes(1), "a")]).toEqual([
      "accepted",
      "accepted",
      "accepted",
    ]);
    expect(child.done).toHaveLength(1);
  });

  it("is remembered for as many writeIds as the limit says", async () => {
    const child = new FakeChild();
    const process = await started(child, { writeIds: 2 });
    for (const id of ["a", "b", "c", "b", "a"]) void process.write(bytes(1), id);
    expect(child.done).toHaveLength(4);
  });

  it("is refused where too much waits for the process to read", async () => {
    const child = new FakeChild();
    const process = await started(child, { writes: 2 });
    void process.write(bytes(1), "a");
    void process.write(bytes(1), "b");
    expect(() => process.write(bytes(1), "c")).toThrow("limits.writes");
    child.reads[0]!("accepted");
    await turn();
    void process.write(bytes(1), "c");
    expect(child.done).toHaveLength(3);
  });
});

it("a process that is ended while it starts is killed when it has", async () => {
  const child = new FakeChild();
  const process = new ExecProcess("p", EXECUTOR_LIMITS, new TestClock(), () => {});
  const starting = process.start(child.start);
  expect(process.isStarting).toBe(true);
  expect(process.terminate()).toBe(true);
  await starting;
  expect(child.done).toEqual(["SIGKILL"]);
});

describe("the output of a process that was terminated", () => {
  it("is closed after a while where something holds it open", async () => {
    const [child, clock] = [new FakeChild(), new TestClock()];
    const process = await started(child, { lingering: 100 }, clock);
    expect(process.terminate()).toBe(true);
    clock.pass(1000);
    expect(child.done).toEqual(["SIGKILL"]);
    child.events.exited(137);
    expect(process.terminate()).toBe(false);
    clock.pass(99);
    expect(child.done).toEqual(["SIGKILL", "SIGKILL"]);
    clock.pass(1);
    expect(child.done).toEqual(["SIGKILL", "SIGKILL", "release"]);
    child.events.closed();
    expect(process.terminate()).toBe(false);
    expect(child.done).toHaveLength(3);
  });

  it("is not waited for once it has ended", async () => {
    const [child, clock] = [new FakeChild(), new TestClock()];
    const process = await started(child, {}, clock);
    process.terminate();
    child.events.exited(137);
    child.events.closed();
    expect(clock.waiting).toBe(0);
  });
});
