// In which order handlers start, how many run, and that a continuation runs before what came behind its answer.
import { memoryPair } from "@sluice/transport";
import { describe, expect, it } from "vitest";
import { Gate, pair } from "./features.testing.ts";
import { connect, jsonrpc, type SessionOptions } from "./index.ts";
import { macrotask } from "./macrotask.ts";

/** Calls that start, and stay open until they are let go, by name. */
class Runs {
  readonly started: string[] = [];
  running = 0;
  most = 0;
  readonly #gates: Map<string, Gate> = new Map();

  readonly handler = async ({ name }: { name: string }): Promise<string> => {
    this.started.push(name);
    this.most = Math.max(this.most, ++this.running);
    await this.#gate(name).opened;
    this.running--;
    return name;
  };

  finish(name: string): void {
    this.#gate(name).open();
  }

  #gate(name: string): Gate {
    const gate = this.#gates.get(name) ?? new Gate();
    this.#gates.set(name, gate);
    return gate;
  }
}

async function runs(options: SessionOptions): Promise<{
  runs: Runs;
  call(name: string): Promise<unknown>;
  /** What has started once all that was sent has been dealt with. */
  started(): Promise<string[]>;
  close(): Promise<void>;
}> {
  const all = new Runs();
  const { a, b } = await pair({}, { ...options, handlers: { run: all.handler, ...options.handlers } });
  return {
    runs: all,
    call: (name) => a.call("run", { name }),
    started: async () => {
      while (b.stats().handlers + b.stats().waiting < a.stats().calls) await new Promise<void>(macrotask);
      return all.started;
    },
    close: () => a.close(),
  };
}

describe("handlers", () => {
  it("start in the order of their messages, calls and notifications alike, without waiting for each other", async () => {
    const seen: string[] = [];
    const gate = new Gate();
    const { a } = await pair(
      {},
      {
        handlers: { call: ({ n }: { n: number }) => (seen.push(`call ${n}`), gate.opened) },
        notifications: { note: ({ n }: { n: number }) => (seen.push(`note ${n}`), gate.opened) },
      },
    );
    const calls: Promise<unknown>[] = [];
    for (let n = 0; n < 50; n++) {
      calls.push(a.call("call", { n }));
      await a.notify("note", { n });
    }
    gate.open();
    await Promise.all(calls);
    expect(seen).toEqual(Array.from({ length: 50 }, (_, n) => [`call ${n}`, `note ${n}`]).flat());
    await a.close();
  });

  it("run up to limits.calls at once; the others wait, in order", async () => {
    const { runs: all, call, started, close } = await runs({ limits: { calls: 2 } });
    const calls = ["a", "b", "c", "d"].map(call);
    expect(await started()).toEqual(["a", "b"]);
    all.finish("b");
    await calls[1];
    expect(await started()).toEqual(["a", "b", "c"]);
    for (const name of ["a", "c", "d"]) all.finish(name);
    expect(await Promise.all(calls)).toEqual(["a", "b", "c", "d"]);
    expect(all.most).toBe(2);
    await close();
  });

  it("run one at a time where the order is serial", async () => {
    const { runs: all, call, started, close } = await runs({ order: "serial" });
    const calls = ["a", "b", "c"].map(call);
    expect(await started()).toEqual(["a"]);
    for (const name of ["c", "b", "a"]) all.finish(name);
    await Promise.all(calls);
    expect([all.started, all.most]).toEqual([["a", "b", "c"], 1]);
    await close();
  });

  it("run one at a time in each lane, and beside those of other lanes", async () => {
    const lane = ({ params }: { params: unknown }): string | undefined => {
      const { name } = params as { name: string };
      return name.includes(":") ? name.split(":")[0] : undefined;
    };
    const { runs: all, call, started, close } = await runs({ order: lane });
    const calls = ["x:1", "x:2", "y:1", "free", "x:3", "also free"].map(call);
    expect(await started()).toEqual(["x:1", "y:1", "free", "also free"]);
    all.finish("x:2");
    all.finish("x:1");
    await Promise.all([calls[0], calls[1]]);
    expect(await started()).toEqual(["x:1", "y:1", "free", "also free", "x:2", "x:3"]);
    for (const name of ["y:1", "free", "x:3", "also free"]) all.finish(name);
    await Promise.all(calls);
    await close();
  });

  it("of a serial session may call back, and the peer's answer reaches them", async () => {
    const { a, b } = await pair(
      { handlers: { name: () => "a" }, order: "serial" },
      {
        handlers: {
          greet: async (_: unknown, { session }) => `hello ${await session.call<string>("name")}`,
        },
        order: "serial",
      },
    );
    expect(await Promise.all([a.call("greet"), a.call("greet")])).toEqual(["hello a", "hello a"]);
    await Promise.all([a.close(), b.close()]);
  });
});

describe("a continuation", () => {
  it.each(["notification", "request"] as const)(
    "runs before the %s that came behind its answer in one chunk, 1,000 times",
    async (what) => {
      const [near, far] = memoryPair();
      const seen: string[] = [];
      const next = (): void => void seen.push("next");
      const opened = connect(near, {
        dialect: { ...jsonrpc, greets: false },
        handlers: { next },
        notifications: { next },
      });
      const asked: number[] = [];
      let tell = new Gate();
      far.start({
        onData: (chunk) => {
          for (const line of new TextDecoder()
            .decode(chunk as Uint8Array)
            .trim()
            .split("\n")) {
            const { id, method } = JSON.parse(line) as { id: number; method?: string };
            if (method === "ask") asked.push(id);
          }
          tell.open();
        },
        onDrain() {},
        onEnd: () => far.close(),
        onClose() {},
      });
      const session = await opened;
      const deep = async (n: number): Promise<void> => (n === 0 ? undefined : deep(n - 1));
      for (let n = 1; n <= 1000; n++) {
        tell = new Gate();
        const call = (async () => {
          await session.call("ask");
          await deep(5);
          await Promise.resolve().then(() => {});
          seen.push("continued");
        })();
        await tell.opened;
        const answer = { jsonrpc: "2.0", id: asked.pop(), result: null };
        const behind = { jsonrpc: "2.0", method: "next", ...(what === "request" && { id: n }) };
        far.write([new TextEncoder().encode(`${JSON.stringify(answer)}\n${JSON.stringify(behind)}\n`)]);
        await call;
        while (seen.length < 2 * n) await new Promise<void>(macrotask);
      }
      expect(seen).toEqual(Array.from({ length: 1000 }, () => ["continued", "next"]).flat());
      await session.close();
    },
  );
});
