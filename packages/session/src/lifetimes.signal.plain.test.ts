// ARCHITECTURE §4: in the plain door the call's signal goes on to govern the streams of its result; and whoever listened
// to a signal stops listening.
import { describe, expect, it } from "vitest";
import {
  CountedSignal,
  Endless,
  expectEmpty,
  expectEmptyAndClose,
  open,
  turn,
  until,
} from "./lifetimes.testing.ts";
import { RpcError, type SessionReadable } from "./index.ts";

describe("the call's signal", () => {
  it("governs the streams of the result, as a fetch's does its body", async () => {
    const source = new Endless();
    const ends = await open({}, { handlers: { count: () => ({ numbers: source }) } });
    const abort = new AbortController();
    const { numbers } = await ends.a.call<{ numbers: SessionReadable<number> }>(
      "count",
      {},
      { signal: abort.signal },
    );
    const read = async (): Promise<void> => {
      for await (const n of numbers) if (n === 5) abort.abort(new Error("enough"));
    };
    await expect(read()).rejects.toMatchObject({
      message: "the call's signal aborted",
      cause: { message: "enough" },
    });
    await until(() => source.left === 1);
    await expectEmptyAndClose(ends);
  });

  it("is forgotten with the last of them", async () => {
    const ends = await open(
      {},
      {
        handlers: {
          give: () => ({ one: new Blob(["1"]), none: new Blob([]), endless: new Endless() }),
          none: () => 1,
          fail: () => Promise.reject(new RpcError(1, "x")),
        },
      },
    );
    const signal = new CountedSignal();
    const { a } = ends;
    await a.call("none", {}, { signal: signal.signal });
    await a.call("fail", {}, { signal: signal.signal }).catch(() => {});
    await a.call("none", {}, { signal: signal.signal, timeout: 1000 });
    expect(signal.listeners).toBe(0);
    interface Given {
      readonly one: SessionReadable;
      readonly none: SessionReadable;
      readonly endless: SessionReadable;
    }
    const { one, none, endless } = await a.call<Given>("give", {}, { signal: signal.signal });
    expect(signal.listeners).toBe(1);
    await new Response(one).text();
    await new Response(none).text();
    expect(signal.listeners).toBe(1);
    await endless.cancel();
    expect(signal.listeners).toBe(0);

    const pending = a.call("give", {}, { signal: signal.signal });
    expect(signal.listeners).toBe(1);
    void pending.catch(() => {});
    await pending;
    await a.close();
    expect(signal.listeners).toBe(0);
    await ends.b.closed;
    await expectEmpty(ends);
  });

  it("is forgotten where the session ends with the call, or has ended before", async () => {
    const ends = await open({}, { handlers: { wait: () => new Promise(() => {}) } });
    const signal = new CountedSignal();
    const session = new CountedSignal();
    const call = ends.a.call("wait", {}, { signal: signal.signal });
    await until(() => ends.b.stats().handlers === 1);
    void ends.a.close();
    await expect(call).rejects.toMatchObject({ code: "closed" });
    await expect(ends.a.call("wait", {}, { signal: signal.signal })).rejects.toMatchObject({
      code: "closed",
    });
    expect(signal.listeners).toBe(0);
    await ends.b.closed;
    await expectEmpty(ends);

    const other = await open({ signal: session.signal });
    expect(session.listeners).toBe(1);
    await other.a.close();
    await turn();
    expect(session.listeners).toBe(0);
    await other.b.closed;
    await expectEmpty(other);
  });
});
