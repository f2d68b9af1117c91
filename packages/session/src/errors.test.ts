// What a call fails with, and whether it may have run.
import { expect, it } from "vitest";
import { failure, Gate, pair } from "./features.testing.ts";
import {
  assertNoLeaks,
  CancelledError,
  RefusedError,
  RpcError,
  SessionError,
  TimeoutError,
  type SessionOptions,
} from "./index.ts";

const hang: SessionOptions = { handlers: { hang: () => new Promise(() => {}) } };

it.each([
  [-32601, "method not found", false],
  [-32011, "draining", false],
  [-32012, "overloaded", false],
  [-32013, "limit", false],
  [-32602, "invalid params", true],
  [-32603, "internal", true],
  [-32800, "cancelled", true],
  [1234, "an application's own", true],
])("an answer of %i (%s) says by mayHaveRun: %s", async (code, message, mayHaveRun) => {
  const { a } = await pair(
    {},
    {
      handlers: {
        m: () => {
          throw new RpcError(code, message, { more: [1] });
        },
      },
    },
  );
  const error = await failure(a.call("m"));
  expect(error).toBeInstanceOf(RpcError);
  expect(error).toMatchObject({
    _tag: "RpcError",
    name: "RpcError",
    code,
    message,
    data: { more: [1] },
    mayHaveRun,
  });
  await a.close();
});

it("a handler that throws anything else says only that, and tells its own side", async () => {
  const told: unknown[] = [];
  const secret = new Error("password=1234");
  const { a } = await pair(
    {},
    { handlers: { m: () => Promise.reject(secret) }, onHandlerError: (...all) => told.push(all) },
  );
  expect(await failure(a.call("m"))).toMatchObject({
    code: -32603,
    message: "Internal error",
    data: undefined,
  });
  expect(told).toEqual([[secret, "m"]]);
  await a.close();
});

it("a call that is aborted fails at once with the signal's reason as cause, and the peer's handler is told", async () => {
  const aborted = new Gate<unknown>();
  const { a, b } = await pair(
    {},
    {
      handlers: {
        hang: (_: unknown, { signal }) =>
          new Promise(() => signal.addEventListener("abort", () => aborted.open(signal.reason))),
      },
    },
  );
  const abort = new AbortController();
  const call = failure(a.call("hang", {}, { signal: abort.signal }));
  await failure(a.call("none"));
  abort.abort("my reason");
  const error = await call;
  expect(error).toBeInstanceOf(CancelledError);
  expect(error).toMatchObject({ _tag: "CancelledError", cause: "my reason", mayHaveRun: true });
  expect(await aborted.opened).toBeInstanceOf(CancelledError);
  expect(a.stats().calls).toBe(0);
  await Promise.all([a.close(), b.closed]);
});

it("a call out of time fails with how long it had", async () => {
  const { a } = await pair({}, hang);
  const error = await failure(a.call("hang", {}, { timeout: 3 }));
  expect(error).toBeInstanceOf(TimeoutError);
  expect(error).toMatchObject({
    _tag: "TimeoutError",
    ms: 3,
    message: "no answer to hang within 3 ms",
    mayHaveRun: true,
  });
  await a.close();
});

it.each<[string, unknown, string]>([
  ["a BigInt", { n: 1n }, "JSON"],
  [
    "a getter that throws",
    {
      get x(): never {
        throw new Error("no");
      },
    },
    "JSON",
  ],
  ["a stream twice", ((s) => [s, s])(new ReadableStream()), "S2"],
])("%s in params is refused, and nothing has been sent", async (_, params, rule) => {
  const { a, b } = await pair();
  const error = await failure(a.call("m", params));
  expect(error).toBeInstanceOf(RefusedError);
  expect(error).toMatchObject({ _tag: "RefusedError", rule, mayHaveRun: false });
  expect(error.message).toContain(`(${rule})`);
  expect(a.stats().calls).toBe(0);
  await a.close();
  expect(b.stats().faults).toBe(0);
});

it("a call beyond limits.pending is refused", async () => {
  const { a } = await pair({ limits: { pending: 2 } }, hang);
  const calls = [failure(a.call("hang")), failure(a.call("hang"))];
  expect(await failure(a.call("hang"))).toMatchObject({
    _tag: "RefusedError",
    rule: "limits.pending",
    mayHaveRun: false,
  });
  await a.close();
  expect(await Promise.all(calls)).toEqual([a.error, a.error]);
});

it("a message above what the peer takes is refused, and says what to do", async () => {
  const { a } = await pair({}, { limits: { message: 4096 } });
  const error = await failure(a.call("m", ["x".repeat(5000)]));
  expect(error).toMatchObject({ _tag: "RefusedError", rule: "limits.message" });
  expect(error.message).toContain("use a stream");
  await a.close();
});

it("a session that closes fails what is open with one error on each side, and later calls, too", async () => {
  const { a, b } = await pair(hang, hang);
  const calls = [failure(a.call("hang")), failure(b.call("hang"))];
  await failure(a.call("none"));
  await a.close("time to go");
  const [here, there] = [await a.closed, await b.closed];
  expect(here).toBeInstanceOf(SessionError);
  expect(here).toMatchObject({
    _tag: "SessionError",
    code: "closed",
    by: "us",
    message: "time to go",
    mayHaveRun: true,
  });
  expect(there).toMatchObject({
    code: "closed",
    by: "peer",
    message: "the peer closed the session: time to go",
  });
  expect(await Promise.all(calls)).toEqual([here, there]);
  expect([await failure(a.call("m")), await failure(a.notify("m")), a.error]).toEqual([here, here, here]);
  assertNoLeaks(a);
  assertNoLeaks(b);
});

it("assertNoLeaks names what is still held", async () => {
  const { a, b } = await pair({}, { handlers: { hang: () => new Promise(() => {}) } });
  void failure(a.call("hang", { s: new ReadableStream() }));
  await failure(a.call("none"));
  const all = (session: typeof a): string => {
    try {
      assertNoLeaks(session);
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  expect(all(a)).toBe("the session still holds 1 calls, 1 streams, 262144 credit");
  expect(all(b)).toBe("the session still holds 1 handlers, 1 streams, 262144 granted");
  await a.close();
  expect([all(a), all(b)]).toEqual(["", ""]);
});
