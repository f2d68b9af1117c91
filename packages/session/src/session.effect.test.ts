// What the Effect door adds: services, typed errors, interruption, scopes, layers.
import { memoryPair } from "@sluice/transport";
import * as Context from "effect/Context";
import * as Deferred from "effect/Deferred";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Fiber from "effect/Fiber";
import * as Layer from "effect/Layer";
import type * as Scope from "effect/Scope";
import * as Stream from "effect/Stream";
import { describe, expect, expectTypeOf, it } from "vitest";
import { pair, run, settle } from "./features.effect-testing.ts";
import { RpcError, type HandlerContext } from "./index.ts";
import { connect, layer, serve, Session, type CallError } from "./effect.ts";

describe("a call", () => {
  it("fails with typed errors", () =>
    run(
      Effect.gen(function* () {
        const [a] = yield* pair({
          handlers: {
            mine: () => Effect.fail(new RpcError(1234, "mine", { x: 1 })),
            defect: () => Effect.die(new Error("secret")),
            hang: () => Effect.never,
          },
        });
        const call = a.call("mine");
        expectTypeOf(call).toEqualTypeOf<Effect.Effect<unknown, CallError, Scope.Scope>>();
        const caught = yield* call.pipe(
          Effect.catchTag("RpcError", ({ code, data }) => Effect.succeed([code, data])),
        );
        expect(caught).toEqual([1234, { x: 1 }]);
        expect(yield* Effect.flip(a.call("defect"))).toMatchObject({
          code: -32603,
          message: "Internal error",
        });
        expect(yield* Effect.flip(a.call("hang", {}, { timeout: 3 }))).toMatchObject({
          _tag: "TimeoutError",
          ms: 3,
        });
        expect(yield* Effect.flip(a.call("none", { n: 1n }))).toMatchObject({
          _tag: "RefusedError",
          mayHaveRun: false,
        });
        expect(yield* Effect.flip(a.notify("none", { s: Stream.empty }))).toMatchObject({
          _tag: "RefusedError",
        });
      }),
    ));

  it("that is interrupted interrupts its handler, whose finalizers run", () =>
    run(
      Effect.gen(function* () {
        const started = yield* Deferred.make<void>();
        const released = yield* Deferred.make<string>();
        const ends = yield* pair({
          handlers: {
            hang: () =>
              Effect.gen(function* () {
                yield* Effect.addFinalizer((exit) =>
                  Deferred.succeed(released, Exit.isFailure(exit) ? "cut" : "done"),
                );
                yield* Deferred.succeed(started, undefined);
                return yield* Effect.never;
              }),
          },
        });
        const fiber = yield* Effect.forkChild(ends[0].call("hang"));
        yield* Deferred.await(started);
        yield* Fiber.interrupt(fiber);
        expect(["cut", "done"]).toContain(yield* Deferred.await(released));
        yield* settle(ends);
      }),
    ));

  it("keeps its handler's scope open until the streams of its result are over", () =>
    run(
      Effect.gen(function* () {
        const released = yield* Deferred.make<void>();
        let open = true;
        const ends = yield* pair({
          handlers: {
            rows: () =>
              Effect.gen(function* () {
                yield* Effect.addFinalizer(() =>
                  Effect.andThen(
                    Effect.sync(() => (open = false)),
                    Deferred.succeed(released, undefined),
                  ),
                );
                return { rows: Stream.map(Stream.range(1, 3), (n) => ({ n, open })) };
              }),
          },
        });
        const { rows } = yield* ends[0].call<{ rows: Stream.Stream<{ n: number; open: boolean }> }>("rows");
        expect(yield* Stream.runCollect(rows)).toEqual([1, 2, 3].map((n) => ({ n, open: true })));
        yield* Deferred.await(released);
        expect(open).toBe(false);
        yield* settle(ends);
      }),
    ));

  it("tells a stream's failure to its reader, and the reader's leaving to its producer", () =>
    run(
      Effect.gen(function* () {
        const left = yield* Deferred.make<void>();
        const ends = yield* pair({
          handlers: {
            fails: () => Effect.succeed(Stream.concat(Stream.make(1), Stream.fail(new Error("secret")))),
            endless: () =>
              Effect.succeed(
                Stream.ensuring(
                  Stream.iterate(0, (n) => n + 1),
                  Deferred.succeed(left, undefined),
                ),
              ),
          },
        });
        const failing = yield* ends[0].call<Stream.Stream<number>>("fails");
        const error = yield* Effect.flip(Stream.runDrain(failing));
        expect(error).toMatchObject({ _tag: "StreamError", code: 4, by: "peer" });
        expect(String(error)).not.toContain("secret");
        const endless = yield* ends[0].call<Stream.Stream<number>>("endless");
        expect(yield* Stream.runCollect(Stream.take(endless, 3))).toEqual([0, 1, 2]);
        yield* Deferred.await(left);
        yield* settle(ends);
      }),
    ));
});

class Greeter extends Context.Service<Greeter, { readonly greet: (name: string) => string }>()(
  "test/Greeter",
) {}

describe("a session", () => {
  it("runs handlers, notifications and the fallback with its services", () => {
    const noted: string[] = [];
    const program = Effect.gen(function* () {
      const [a] = yield* pair({
        handlers: {
          greet: ([name]: [string]) => Effect.map(Effect.service(Greeter), ({ greet }) => greet(name)),
        },
        notifications: {
          note: ([name]: [string]) =>
            Effect.map(Effect.service(Greeter), ({ greet }) => void noted.push(greet(name))),
        },
        fallback: (_: unknown, { method }: HandlerContext) => Effect.succeed(`no ${method}`),
      });
      yield* a.notify("note", ["you"]);
      return [yield* a.call("greet", ["me"]), yield* a.call("other")];
    });
    const provided = Effect.provideService(program, Greeter, { greet: (name) => `hello ${name}` });
    return run(provided).then((results) => {
      expect(results).toEqual(["hello me", "no other"]);
      expect(noted).toEqual(["hello you"]);
    });
  });

  it("is a layer: opened where it is built, closed with its scope", async () => {
    const [left, right] = memoryPair();
    let closed: unknown;
    const program = Effect.gen(function* () {
      const session = yield* Session;
      expect(session.peer?.name).toBe("served");
      return yield* session.call("twice", [4]);
    });
    const served = Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const session = yield* serve(right, {
            name: "served",
            handlers: { twice: ([n]: [number]) => Effect.succeed(2 * n) },
          });
          closed = yield* session.closed;
        }),
      ),
    );
    const result = await Effect.runPromise(
      Effect.scoped(Effect.provide(program, layer(() => left).pipe(Layer.orDie))),
    );
    expect(result).toBe(8);
    await served;
    expect(closed).toMatchObject({
      code: "closed",
      by: "peer",
      message: "the peer closed the session: its scope closed",
    });
  });

  it("that cannot greet fails the opening with its error, and waiting for it can be interrupted", async () => {
    const [left, right] = memoryPair();
    right.start({ onData() {}, onDrain() {}, onEnd: () => right.close(), onClose() {} });
    const late = await Effect.runPromise(
      Effect.flip(Effect.scoped(connect(left, { limits: { greeting: 3 } }))),
    );
    expect(late).toMatchObject({ _tag: "SessionError", code: "timeout", rule: "H" });
    const [near, far] = memoryPair();
    far.start({ onData() {}, onDrain() {}, onEnd: () => far.close(), onClose() {} });
    const exit = await Effect.runPromiseExit(Effect.scoped(Effect.timeout(connect(near), 3)));
    expect(Exit.isFailure(exit)).toBe(true);
  });

  it("drains", () =>
    run(
      Effect.gen(function* () {
        const started = yield* Deferred.make<void>();
        const gate = yield* Deferred.make<void>();
        const slow = (): Effect.Effect<string> =>
          Effect.andThen(Deferred.succeed(started, undefined), Effect.as(Deferred.await(gate), "done"));
        const [a, b] = yield* pair({ handlers: { slow } });
        const fiber = yield* Effect.forkChild(a.call("slow"));
        yield* Deferred.await(started);
        const drained = yield* Effect.forkChild(b.drain("down"));
        yield* Deferred.succeed(gate, undefined);
        expect(yield* Fiber.join(fiber)).toBe("done");
        yield* Fiber.join(drained);
        expect(yield* a.closed).toMatchObject({ code: "closed", by: "peer" });
      }),
    ));
});
