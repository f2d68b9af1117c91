import { memoryPair } from "@sluice/transport";
import { expect, it } from "vitest";
import { assertNoLeaks, connect, serve, type Session, type SessionOptions } from "./index.ts";

async function pair(here: SessionOptions, there: SessionOptions): Promise<[Session, Session]> {
  const [left, right] = memoryPair();
  return Promise.all([connect(left, here), serve(right, there)]);
}

it("calls both ways", async () => {
  const [a, b] = await pair(
    { handlers: { twice: ({ n }: { n: number }) => 2 * n } },
    { handlers: { add: ({ a, b }: { a: number; b: number }) => a + b } },
  );
  expect(await a.call("add", { a: 1, b: 2 })).toBe(3);
  expect(await b.call("twice", { n: 4 })).toBe(8);
  await expect(a.call("nothing")).rejects.toMatchObject({ _tag: "RpcError", code: -32601 });
  await a.close();
  expect((await b.closed).code).toBe("closed");
  assertNoLeaks(a);
  assertNoLeaks(b);
});

it("carries streams in params and results", async () => {
  const [a, b] = await pair(
    {},
    {
      handlers: {
        grep: async ({ body, match }: { body: ReadableStream<Uint8Array>; match: string }) => {
          const text = await new Response(body).text();
          return {
            lines: (async function* () {
              for (const line of text.split("\n")) if (line.includes(match)) yield line;
            })(),
          };
        },
      },
    },
  );
  const body = new Blob(["one\ntwo\nthree two\n"]).stream();
  const { lines } = await a.call<{ lines: AsyncIterable<string> }>("grep", { body, match: "two" });
  const got: string[] = [];
  for await (const line of lines) got.push(line);
  expect(got).toEqual(["two", "three two"]);
  await a.call("nothing").catch(() => {});
  assertNoLeaks(a);
  assertNoLeaks(b);
});
