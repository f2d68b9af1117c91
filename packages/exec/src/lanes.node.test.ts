import { afterEach, describe, expect, it } from "vitest";
import { createExecutor, type Executor } from "./executor.ts";
import { ready, shell, TestClock } from "./executor.testing.ts";
import { Lanes, type LaneLimits } from "./lanes.ts";

/** A task that runs until it is let go. */
class Job {
  state: "waiting" | "running" | "done" = "waiting";
  release: () => void = () => {};
  readonly run = (): Promise<void> => {
    this.state = "running";
    return new Promise((resolve) => {
      this.release = () => {
        this.state = "done";
        resolve();
      };
    });
  };
}

const LIMITS: LaneLimits = { calls: 2, waiting: 2, callSize: 1000 };
const never = (): AbortSignal => new AbortController().signal;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the lanes of a connection", () => {
  it("run as many as there is room for; the others wait in order", async () => {
    const lanes = new Lanes(LIMITS);
    const jobs = Array.from({ length: 4 }, () => new Job());
    const all = jobs.map((job) => lanes.run({}, never, job.run));
    expect(jobs.map(({ state }) => state)).toEqual(["running", "running", "waiting", "waiting"]);
    jobs[1]!.release();
    await turn();
    expect(jobs.map(({ state }) => state)).toEqual(["running", "done", "running", "waiting"]);
    for (const job of [jobs[0]!, jobs[2]!]) job.release();
    await turn();
    jobs[3]!.release();
    await Promise.all(all);
    expect([lanes.running, lanes.waiting]).toEqual([0, 0]);
  });

  it("refuse what is too many to wait, and name the limit", async () => {
    const lanes = new Lanes(LIMITS);
    const jobs = Array.from({ length: 4 }, () => new Job());
    const all = jobs.map((job) => lanes.run({}, never, job.run));
    await expect(lanes.run({}, never, () => 1)).rejects.toMatchObject({
      code: -32012,
      message: "too many calls wait here: the limit is 2 (limits.waiting)",
    });
    for (const job of jobs) {
      job.release();
      await turn();
    }
    await Promise.all(all);
  });

  it("refuse what is too large beside others, but not by itself", async () => {
    const lanes = new Lanes(LIMITS);
    const job = new Job();
    const first = lanes.run({ data: "x".repeat(5000) }, never, job.run);
    await expect(lanes.run({ list: ["x"] }, never, () => 1)).rejects.toMatchObject({ code: -32012 });
    job.release();
    await first;
    expect(await lanes.run({ list: ["x"] }, never, () => 1)).toBe(1);
  });

  it("let go of one that waits when it is given up, and never run it", async () => {
    const lanes = new Lanes({ ...LIMITS, calls: 1 });
    const [job, other] = [new Job(), new Job()];
    const first = lanes.run({}, never, job.run);
    const abort = new AbortController();
    const second = lanes.run({}, () => abort.signal, other.run);
    abort.abort(new Error("not wanted any more"));
    await expect(second).rejects.toThrow("not wanted any more");
    expect(lanes.waiting).toBe(0);
    await expect(lanes.run({}, () => abort.signal, other.run)).rejects.toThrow("not wanted any more");
    job.release();
    await first;
    expect([other.state, lanes.running]).toEqual(["waiting", 0]);
  });

  it("give the place of one that failed to the next", async () => {
    const lanes = new Lanes({ ...LIMITS, calls: 1 });
    const failing = lanes.run({}, never, async () => {
      await turn();
      throw new Error("broken");
    });
    const next = lanes.run({}, never, () => "ran");
    await expect(failing).rejects.toThrow("broken");
    expect(await next).toBe("ran");
    expect(lanes.running).toBe(0);
  });
});

describe("with every place taken by long polls", () => {
  const executors: Executor[] = [];
  afterEach(async () => {
    for (const executor of executors.splice(0)) await executor.close();
  });

  it("control calls answer, an ordinary call waits, and terminate ends the polls", async () => {
    const clock = new TestClock();
    const executor = createExecutor({ clock, limits: { calls: 4, waiting: 1 } });
    executors.push(executor);
    const peer = await ready(executor);
    await peer.call("process/start", shell("p", "cat; exec sleep 1000", { pipeStdin: true }));
    const read = { processId: "p", waitMs: 100_000 };
    const polls = Array.from({ length: 4 }, () => peer.call("process/read", read));
    let answered = 0;
    const waiting = peer.call("fs/canonicalize", { path: "file:///" }).then(() => answered++);
    expect(await peer.call("environment/status")).toEqual({ status: "ready" });
    expect(await peer.call("environment/info")).toMatchObject({ cwd: expect.any(String) });
    expect(await peer.call("fs/close", { handleId: "none" })).toEqual({});
    expect(await peer.call("process/signal", { processId: "other", signal: "interrupt" })).toEqual({});
    expect(await peer.call("process/write", { processId: "p", chunk: "", writeId: "1" })).toEqual({
      status: "accepted",
    });
    expect(await peer.refusal("process/read", read)).toEqual([
      -32012,
      "too many calls wait here: the limit is 1 (limits.waiting)",
    ]);
    expect(answered).toBe(0);
    expect(await peer.call("process/terminate", { processId: "p" })).toEqual({ running: true });
    for (const { exited } of await Promise.all(polls)) expect(exited).toBe(true);
    await waiting;
  });
});
