import { describe, expect, it } from "vitest";
import { failure, Gate, pair, text } from "./features.testing.ts";
import { assertNoLeaks, tunnel, type Duplex } from "./index.ts";
import { macrotask } from "./macrotask.ts";

type Bytes = Duplex<Uint8Array<ArrayBuffer>>;
const all = (readable: Bytes["readable"]): Promise<string> => new Response(readable).text();

async function say(writable: WritableStream, ...words: string[]): Promise<void> {
  const writer = writable.getWriter();
  for (const word of words) await writer.write(text(word));
  await writer.close();
}

describe.each(["params", "a result"])("a tunnel in %s", (where) => {
  /** The ends of one tunnel: here and there. */
  async function dig(): Promise<{ near: Bytes; far: Bytes; finish(): Promise<void> }> {
    const taken = new Gate<Bytes>();
    const done = new Gate();
    const ends = await pair(
      {},
      {
        handlers: {
          take: (params: { port: Bytes }) => {
            taken.open(params.port);
            return done.opened;
          },
          give: () => {
            const { near, far } = tunnel<Uint8Array<ArrayBuffer>>();
            taken.open(near);
            return { port: far };
          },
          sync: () => null,
        },
      },
    );
    const finish = async (): Promise<void> => {
      done.open();
      await ends.a.call("sync");
      for (let n = 0; n < 5; n++) await new Promise<void>(macrotask);
      assertNoLeaks(ends.a);
      assertNoLeaks(ends.b);
      await ends.a.close();
    };
    if (where === "params") {
      const { near, far } = tunnel<Uint8Array<ArrayBuffer>>();
      void ends.a.call("take", { port: far });
      return { near, far: await taken.opened, finish };
    }
    const { port } = await ends.a.call<{ port: Bytes }>("give");
    return { near: port, far: await taken.opened, finish };
  }

  it("carries bytes both ways, and each direction ends by itself", async () => {
    const { near, far, finish } = await dig();
    await Promise.all([say(near.writable, "there "), expect(all(far.readable)).resolves.toBe("there ")]);
    // One direction has ended: the other goes on.
    await Promise.all([
      say(far.writable, "and ", "back"),
      expect(all(near.readable)).resolves.toBe("and back"),
    ]);
    await finish();
  });

  it("half-closed from the far end goes on from the near one", async () => {
    const { near, far, finish } = await dig();
    await Promise.all([say(far.writable, "bye"), expect(all(near.readable)).resolves.toBe("bye")]);
    await Promise.all([
      say(near.writable, "still here"),
      expect(all(far.readable)).resolves.toBe("still here"),
    ]);
    await finish();
  });

  it("that is given up on one end fails on the other", async () => {
    const { near, far, finish } = await dig();
    await near.writable.abort(new Error("cut"));
    expect(await failure(all(far.readable))).toBeInstanceOf(Error);
    await near.readable.cancel();
    expect(await failure(far.writable.getWriter().closed)).toBeInstanceOf(Error);
    await finish();
  });
});
