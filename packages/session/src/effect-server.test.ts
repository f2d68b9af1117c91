import { memoryPair, TransportError, type Transport } from "@sluice/transport";
import * as Deferred from "effect/Deferred";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Fiber from "effect/Fiber";
import * as Layer from "effect/Layer";
import { describe, expect, it } from "vitest";
import * as plain from "./index.ts";
import { connect, dial, layer, layerServer, listen, Server, Session, type Listen } from "./effect.ts";

/** A server in memory, and how to reach it. */
function memoryServer(): { start: Listen; dial: () => Transport; log: string[] } {
  const log: string[] = [];
  let accept: (transport: Transport) => void = () => {
    throw new Error("nobody listens");
  };
  const start: Listen = async (onSession) => {
    accept = onSession;
    log.push("listens");
    return { url: "memory:", port: 1, sessions: 0, close: async () => void log.push("closed") };
  };
  const dialled = (): Transport => {
    const [left, right] = memoryPair();
    accept(right);
    return left;
  };
  return { start, dial: dialled, log };
}

const handlers = { twice: ([n]: number[]) => Effect.succeed(2 * n!) };

describe("a server in the Effect door", () => {
  it("serves whoever connects; closing its scope closes every session before the server", async () => {
    const { start, dial: to, log } = memoryServer();
    const program = Effect.gen(function* () {
      const reasons = yield* Effect.scoped(
        Effect.gen(function* () {
          const server = yield* listen(start, { handlers });
          expect(server.url).toBe("memory:");
          const [a, b] = [to(), to()];
          const sessions = yield* Effect.promise(() =>
            Promise.all([a, b].map((transport) => plain.connect(transport))),
          );
          expect(
            yield* Effect.promise(() => Promise.all(sessions.map((one) => one.call("twice", [4])))),
          ).toEqual([8, 8]);
          for (const one of sessions) void one.closed.then(() => log.push("session over"));
          return sessions.map((one) => one.closed);
        }),
      );
      return yield* Effect.promise(() => Promise.all(reasons));
    });
    for (const reason of await Effect.runPromise(program))
      expect(reason).toMatchObject({
        by: "peer",
        message: "the peer closed the session: the server's scope closed",
      });
    expect(log).toEqual(["listens", "session over", "session over", "closed"]);
  });

  it("runs onSession for each session, and interrupts it when the session is over", async () => {
    const { start, dial: to } = memoryServer();
    const program = Effect.scoped(
      Effect.gen(function* () {
        const released = yield* Deferred.make<string>();
        yield* listen(start, {
          handlers,
          onSession: (session) =>
            Effect.gen(function* () {
              yield* Effect.addFinalizer(() => Deferred.succeed(released, session.peer?.name ?? ""));
              yield* session.notify("hello").pipe(Effect.orDie);
              yield* Effect.never;
            }),
        });
        const heard = yield* Deferred.make<void>();
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* connect(to(), {
              name: "client",
              notifications: { hello: () => Deferred.succeed(heard, undefined) },
            });
            yield* Deferred.await(heard);
          }),
        );
        return yield* Deferred.await(released);
      }),
    );
    expect(await Effect.runPromise(program)).toBe("client");
  });

  it("is a layer, and so is the dialling of it", async () => {
    const { start, dial: to, log } = memoryServer();
    const program = Effect.gen(function* () {
      const session = yield* Session;
      return yield* session.call("twice", [21]);
    });
    const client = Layer.provide(
      Layer.unwrap(Effect.map(Server, () => layer(() => Promise.resolve(to())))),
      layerServer(start, { handlers }),
    );
    expect(await Effect.runPromise(Effect.scoped(Effect.provide(program, client)))).toBe(42);
    expect(log).toEqual(["listens", "closed"]);
  });

  it("that cannot listen fails with a typed error", async () => {
    const error = await Effect.runPromise(
      Effect.scoped(Effect.flip(listen(() => Promise.reject(new Error("address in use"))))),
    );
    expect(error).toBeInstanceOf(TransportError);
    expect(error).toMatchObject({ code: "connect", message: "address in use" });
  });
});

describe("dialling in the Effect door", () => {
  it("fails with what dialling failed with", async () => {
    const why = new TransportError("connect", "nobody there");
    expect(await Effect.runPromise(Effect.scoped(Effect.flip(dial(() => Promise.reject(why)))))).toBe(why);
  });

  it("that is interrupted aborts its signal, and lets go of a transport that comes too late", async () => {
    const [left, right] = memoryPair();
    const begun = Promise.withResolvers<AbortSignal>();
    const late = Promise.withResolvers<Transport>();
    const closed = new Promise<unknown>((resolve) =>
      right.start({ onData() {}, onDrain() {}, onEnd() {}, onClose: resolve }),
    );
    const fiber = Effect.runFork(
      Effect.scoped(
        dial((signal) => {
          begun.resolve(signal);
          return late.promise;
        }),
      ),
    );
    const signal = await begun.promise;
    const exit = await Effect.runPromise(Effect.andThen(Fiber.interrupt(fiber), Fiber.await(fiber)));
    expect(Exit.isFailure(exit)).toBe(true);
    expect(signal.aborted).toBe(true);
    late.resolve(left);
    expect(await closed).toMatchObject({ code: "aborted" });
  });
});
