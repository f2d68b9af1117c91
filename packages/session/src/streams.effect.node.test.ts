// `Stream` and `Sink` in params and results, in both encodings.
import * as Deferred from "effect/Deferred";
import * as Effect from "effect/Effect";
import * as Sink from "effect/Sink";
import * as Stream from "effect/Stream";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { pair, run, settle, type Encoding } from "./features.effect-testing.ts";
import { text } from "./features.testing.ts";
import { bytes, items } from "./effect.ts";

describe.each<Encoding>(["frames", "json"])("in %s", (encoding) => {
  it("a Stream goes as items, bytes() of one as bytes, in params and in a result", () =>
    run(
      Effect.gen(function* () {
        const ends = yield* pair(
          {
            handlers: {
              echo: ({ list, body }: { list: Stream.Stream<number>; body: Stream.Stream<Uint8Array> }) =>
                Effect.succeed({ list: Stream.map(list, (n) => n * 10), body: bytes(body) }),
            },
          },
          encoding,
        );
        const { list, body } = yield* ends[0].call<{
          list: Stream.Stream<number>;
          body: Stream.Stream<Uint8Array>;
        }>("echo", {
          list: Stream.range(1, 1000),
          body: bytes(Stream.make(text("one "), text("two"))),
        });
        expect(yield* Stream.runCollect(list)).toEqual(Array.from({ length: 1000 }, (_, n) => (n + 1) * 10));
        expect(yield* Stream.mkString(Stream.decodeText(body))).toBe("one two");
        yield* settle(ends);
      }),
    ));

  it("a Sink is written by the peer, in params and in a result", () =>
    run(
      Effect.gen(function* () {
        const sum = yield* Deferred.make<number>();
        const ends = yield* pair(
          {
            handlers: {
              fill: ({ sink }: { sink: Sink.Sink<void, number> }) => Stream.run(Stream.make(1, 2, 3), sink),
              drain: () =>
                Effect.succeed({
                  sink: items(Sink.mapEffect(Sink.sum, (total) => Deferred.succeed(sum, total))),
                }),
            },
          },
          encoding,
        );
        const got: number[] = [];
        yield* ends[0].call("fill", { sink: Sink.forEach((n: number) => Effect.sync(() => got.push(n))) });
        const { sink } = yield* ends[0].call<{ sink: Sink.Sink<void, number> }>("drain");
        yield* Stream.run(Stream.range(1, 100), sink);
        expect(yield* Deferred.await(sum)).toBe(5050);
        expect(got).toEqual([1, 2, 3]);
        yield* settle(ends);
      }),
    ));

  it("20 MiB come through whole, both ways at once", { timeout: 120_000 }, () =>
    run(
      Effect.gen(function* () {
        const block = new Uint8Array(1 << 20).map((_, i) => (i * 31 + (i >> 8)) & 0xff);
        const source = (): Stream.Stream<Uint8Array> =>
          Stream.map(Stream.range(1, 20), (n) => block.slice().fill(n, 0, 9));
        const hash = (stream: Stream.Stream<Uint8Array>): Effect.Effect<string> =>
          Effect.map(
            Stream.runFold(
              stream,
              () => createHash("sha256"),
              (sum, chunk) => sum.update(chunk),
            ),
            (sum) => sum.digest("hex"),
          );
        const ends = yield* pair(
          {
            handlers: {
              there: ({ body }: { body: Stream.Stream<Uint8Array> }) =>
                Effect.map(hash(body), (sum) => ({ sum, body: bytes(source()) })),
            },
          },
          encoding,
        );
        const expected = yield* hash(source());
        const call = Effect.gen(function* () {
          const { sum, body } = yield* ends[0].call<{ sum: string; body: Stream.Stream<Uint8Array> }>(
            "there",
            {
              body: bytes(source()),
            },
          );
          return [sum, yield* hash(body)];
        });
        expect(yield* Effect.all([call, call], { concurrency: 2 })).toEqual([
          [expected, expected],
          [expected, expected],
        ]);
        yield* settle(ends);
      }),
    ),
  );
});
