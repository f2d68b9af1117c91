import { memoryPair } from "@sluice/transport";
import * as Effect from "effect/Effect";
import * as Stream from "effect/Stream";
import { expect, it } from "vitest";
import { assertNoLeaks, connect, serve } from "./effect.ts";

it("calls with a stream there and one back, in a scope", async () => {
  const [left, right] = memoryPair();
  const program = Effect.gen(function* () {
    const server = serve(right, {
      handlers: {
        twice: ({ numbers }: { numbers: Stream.Stream<number> }) =>
          Effect.succeed({ doubled: Stream.map(numbers, (n) => 2 * n) }),
      },
    });
    const [a, b] = yield* Effect.all([connect(left), server], { concurrency: 2 });
    const { doubled } = yield* a.call<{ doubled: Stream.Stream<number> }>("twice", {
      numbers: Stream.make(1, 2, 3),
    });
    const got = yield* Stream.runCollect(doubled);
    yield* Effect.exit(a.call("nothing"));
    assertNoLeaks(a);
    assertNoLeaks(b);
    return got;
  });
  expect(await Effect.runPromise(Effect.scoped(program))).toEqual([2, 4, 6]);
});
