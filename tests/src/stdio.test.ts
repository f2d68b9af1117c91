// Sessions between this process and real children, on the runtime the tests run on.
import { assertNoLeaks, connect, type Session, type SessionReadable } from "@sluice/session";
import { fromWebStreams, type Chunk } from "@sluice/transport";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { spawnFixture } from "./hostile/fixtures/runtime.ts";

async function worker(encoding: "frames" | "json" = "frames"): Promise<Session> {
  return connect(spawnFixture("worker"), { encodings: [encoding], name: "tests" });
}

describe.each(["frames", "json"] as const)("a child spoken to in %s", (encoding) => {
  it("takes calls, and streams in params and in a result, left early or not", async () => {
    const session = await worker(encoding);
    expect(await session.call("hello")).toBe("here");
    const endless = await session.call<SessionReadable<{ n: number }>>("endless");
    const got: number[] = [];
    for await (const { n } of endless) if (got.push(n) === 500) break;
    expect(got).toEqual(Array.from({ length: 500 }, (_, n) => n));
    expect(await session.call("reads", { body: new Blob(["x".repeat(100_000)]) })).toBe(100_000);
    await session.close();
    assertNoLeaks(session);
  });

  it("gets and gives 20 MiB whole, both ways at once", { timeout: 120_000 }, async () => {
    const session = await worker(encoding);
    const block = new Uint8Array(1 << 20).map((_, i) => (i * 31 + (i >> 8)) & 0xff);
    let n = 0;
    const hash = createHash("sha256");
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (n++ === 20) return controller.close();
        const part = block.slice().fill(n, 0, 9);
        hash.update(part);
        controller.enqueue(part);
      },
    });
    const back = createHash("sha256");
    for await (const chunk of await session.call<SessionReadable>("mirror", { body })) back.update(chunk);
    expect(back.digest("hex")).toBe(hash.digest("hex"));
    await session.close();
  });
});

it("two sessions over two children at once keep apart", async () => {
  const sessions = await Promise.all([worker(), worker("json")]);
  const [one, two] = sessions;
  const calls = sessions.flatMap((session, n) =>
    Array.from({ length: 50 }, (_, i) => session.call<string>("big", { bytes: 1000 * n + i })),
  );
  const lengths = (await Promise.all(calls)).map((text) => text.length);
  expect(lengths).toEqual([0, 1].flatMap((n) => Array.from({ length: 50 }, (_, i) => 1000 * n + i)));
  const pending = two.call("never").catch((error: unknown) => error);
  await one.close();
  expect([one.error?.code, two.error]).toEqual(["closed", undefined]);
  expect(await two.call("hello")).toBe("here");
  await two.close();
  expect(await pending).toBe(two.error);
});

it("two sessions over one child at once: one through its pipes, one through a stream of the other", async () => {
  const outer = await worker();
  const { port } = await outer.call<{
    port: { readable: SessionReadable; writable: WritableStream<Chunk> };
  }>("dial");
  const inner = await connect(fromWebStreams({ readable: port.readable, writable: port.writable }));
  const [deep, flat] = await Promise.all([inner.call("deep", { n: 1 }), outer.call("hello")]);
  expect([deep, flat]).toEqual([{ deep: { n: 1 } }, "here"]);
  await inner.close();
  expect(await outer.call("hello")).toBe("here");
  await outer.close();
});
