// When one side does not read: what waits, what is refused, and that nothing else is held up by it.
import { describe, expect, it } from "vitest";
import { collect, failure, Gate, pair, text } from "./features.testing.ts";
import { assertNoLeaks, type SessionReadable } from "./index.ts";
import { macrotask } from "./macrotask.ts";

const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  let is = false;
  void promise.finally(() => (is = true));
  for (let n = 0; n < 5; n++) await new Promise<void>(macrotask);
  return is;
};

describe("a peer that does not read", () => {
  it("makes notify wait while limits.highWater bytes wait to be sent", async () => {
    const got: number[] = [];
    const { a, wire } = await pair(
      { limits: { highWater: 3000 } },
      { notifications: { note: ({ n }: { n: number }) => void got.push(n) } },
      { highWater: 1000 },
    );
    await a.notify("note", { n: 0 });
    wire[1].pause();
    const pad = "x".repeat(2000);
    await a.notify("note", { n: 1, pad }); // taken: the transport is full from now on
    await a.notify("note", { n: 2, pad });
    const waits = a.notify("note", { n: 3, pad });
    expect(await settled(waits)).toBe(false);
    expect(a.stats().outbox).toBeGreaterThan(3000);
    wire[1].resume();
    await waits;
    await failure(a.call("none"));
    expect(got).toEqual([0, 1, 2, 3]);
    await a.close();
  });

  it("awaited one after the other, notifications go out together", async () => {
    const { a, b, wire } = await pair({}, { notifications: { note: () => {} } });
    const chunks: number[] = [];
    const write = wire[0].write.bind(wire[0]);
    wire[0].write = (given) => {
      chunks.push(given.length);
      return write(given);
    };
    for (let n = 0; n < 1000; n++) await a.notify("note", { n });
    await failure(a.call("none"));
    expect(chunks.length).toBeLessThan(100);
    await a.close();
    await b.closed;
  });

  it("has calls and notifications refused once half of limits.outbox waits", async () => {
    const { a, wire } = await pair({ limits: { outbox: 10_000 } }, {}, { highWater: 1000 });
    wire[1].pause();
    const calls = Array.from({ length: 4 }, () => failure(a.call("m", ["x".repeat(2500)])));
    for (let n = 0; n < 3; n++) calls.push(failure(a.call("m", ["x".repeat(2500)])));
    const refused = await failure(a.call("m"));
    expect(refused).toMatchObject({ _tag: "RefusedError", rule: "limits.outbox", mayHaveRun: false });
    expect(await failure(a.notify("m"))).toMatchObject({ _tag: "RefusedError", rule: "limits.outbox" });
    expect(a.error).toBe(undefined);
    wire[1].resume();
    for (const error of await Promise.all(calls))
      expect(error.code === -32601 || error.rule === "limits.outbox").toBe(true);
    await a.close();
  });

  it("lets a notify that waits go when the session ends", async () => {
    const { a, wire } = await pair({ limits: { close: 5 } }, {}, { highWater: 1000 });
    wire[1].pause();
    await a.notify("m", { pad: "x".repeat(2000) });
    const waits = a.notify("m");
    void a.close();
    expect(await settled(waits)).toBe(true);
    await a.closed;
  });
});

describe("a reader that does not read", () => {
  it("holds up no call and no other stream: not even at the 65th chunk", async () => {
    const sent: number[] = [0, 0];
    const source = (of: number): ReadableStream =>
      new ReadableStream({
        pull(controller) {
          if (++sent[of]! > 1000 && of === 1) controller.close();
          else controller.enqueue(text("x".repeat(1000)));
        },
      });
    const { a, b } = await pair(
      {},
      { handlers: { open: ([of]: [number]) => source(of), add: ([x, y]: number[]) => x! + y! } },
    );
    const unread = await a.call<SessionReadable>("open", [0]);
    for (let n = 0; n < 100; n++) expect(await a.call("add", [n, 1])).toBe(n + 1);
    let total = 0;
    for await (const chunk of await a.call<SessionReadable>("open", [1])) total += chunk.length;
    expect(total).toBe(1_000_000);
    expect(sent[0]).toBeGreaterThan(65);
    // The window, what waits here and a chunk on its way: no more than that was ever asked of the source.
    expect(sent[0]! * 1000).toBeLessThan(600_000);
    expect(a.stats().unread).toBeLessThanOrEqual(256 * 1024);
    await unread.cancel();
    await a.call("add", [1, 1]);
    assertNoLeaks(a);
    assertNoLeaks(b);
    await a.close();
  });

  it("makes its writer wait, and cancelling frees it", async () => {
    const wrote = new Gate<unknown>();
    const { a, b } = await pair(
      {},
      {
        handlers: {
          write: ({ out }: { out: WritableStream }) => {
            const writer = out.getWriter();
            wrote.open(
              (async () => {
                for (;;) await writer.write(new Uint8Array(100_000));
              })().catch((error: unknown) => error),
            );
            return writer.closed.catch(() => {});
          },
        },
      },
    );
    const stuck = new Gate();
    const out = new WritableStream({ write: () => stuck.opened }, { highWaterMark: 1 });
    const call = failure(a.call("write", { out: out }));
    const error = await (async () => {
      while (b.stats().queued === 0) await new Promise<void>(macrotask);
      stuck.open();
      await a.close();
      return wrote.opened;
    })();
    expect(error).toMatchObject({ _tag: "StreamError", code: 7 });
    await call;
    assertNoLeaks(b);
  });
});

it("a thousand calls with a stream each, at once, all come through", async () => {
  const { a, b } = await pair(
    {},
    {
      limits: { calls: 64 },
      handlers: { len: async ({ s }: { s: SessionReadable }) => (await collect(s)).length },
    },
  );
  const calls = Array.from({ length: 1000 }, (_, n) =>
    a.call("len", {
      s: (async function* source() {
        for (let i = 0; i < n % 7; i++) yield i;
      })(),
    }),
  );
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 1000 }, (_, n) => n % 7));
  assertNoLeaks(a);
  assertNoLeaks(b);
  await a.close();
});
