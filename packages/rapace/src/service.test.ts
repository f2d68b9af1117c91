// Services: typed clients and what answers them, over two sessions.
import { memoryPair } from "@sluice/transport";
import { describe, expect, expectTypeOf, it } from "vitest";
import { ErrorCode, RapaceError } from "./error.ts";
import { hex, toHex } from "./frames.testing.ts";
import { methodId } from "./method-id.ts";
import { enumeration, option, result, sequence, struct } from "./postcard-composites.ts";
import { bytes, i32, string, u32, u64, unit } from "./postcard-scalars.ts";
import { RpcSession } from "./rpc-session.ts";
import { dispatch, method, service, streamingMethod, type Served } from "./service.ts";

const adder = service("Adder", { add: method([i32, i32], i32) });
const range = service("RangeService", {
  range: streamingMethod([u32], u32),
  broken: streamingMethod([], u32),
});
const mathError = enumeration({ DivisionByZero: unit, Overflow: unit });
const testbed = service("Testbed", {
  echo: method([string], string),
  divide: method([i32, i32], result(i32, mathError)),
  nothing: method([], unit),
  point: method([struct({ x: i32, label: option(string) })], sequence(u64)),
  wrong: method([], u32),
  blob: method([bytes], bytes),
});

const served = (): Served[] => [
  adder.serve({ add: (a, b) => a + b }),
  range.serve({
    async *range(count) {
      for (let n = 0; n < count; n++) yield n;
    },
    async *broken() {
      yield -1;
    },
  }),
  testbed.serve({
    echo: async (message) => message,
    divide: (a, b) =>
      b === 0 ? { type: "Err", value: { type: "DivisionByZero" } } : { type: "Ok", value: Math.trunc(a / b) },
    nothing: () => undefined,
    point: ({ x, label }, request) => [BigInt(x), BigInt(label?.length ?? 0), BigInt(request.method)],
    wrong: () => -1,
    blob: (blob) => blob,
  }),
];

function open(): { client: RpcSession; server: RpcSession; told: unknown[] } & AsyncDisposable {
  const [left, right] = memoryPair();
  const told: unknown[] = [];
  const server = new RpcSession(right, {
    role: "acceptor",
    dispatcher: dispatch(...served()),
    onHandlerError: (error) => void told.push(error),
  });
  const client = new RpcSession(left);
  return { client, server, told, [Symbol.asyncDispose]: () => client.close() };
}

describe("a service", () => {
  it("is called as it is described, and typed", async () => {
    await using pair = open();
    const sum = adder.client(pair.client).add(2, -3);
    expectTypeOf(sum).toEqualTypeOf<Promise<number>>();
    const { echo, divide, nothing, point, blob } = testbed.client(pair.client);
    expect([await sum, await echo("hé"), await nothing()]).toEqual([-1, "hé", undefined]);
    expect([await divide(7, 2), await divide(1, 0)]).toEqual([
      { type: "Ok", value: 3 },
      { type: "Err", value: { type: "DivisionByZero" } },
    ]);
    expect(await point({ x: 5, label: "abc" })).toEqual([5n, 3n, BigInt(methodId("Testbed.point"))]);
    expect((await blob(new Uint8Array(100_000))).length).toBe(100_000);
  });

  it("streams items, and stops when its caller does", async () => {
    await using pair = open();
    const client = range.client(pair.client);
    const got: number[] = [];
    for await (const n of client.range(1_000_000)) {
      got.push(n);
      if (n === 2) break;
    }
    expect([got, pair.client.stats().tunnels]).toEqual([[0, 1, 2], 0]);
    await using items = client.range(3);
    expectTypeOf(await items.next()).toEqualTypeOf<IteratorResult<number, undefined>>();
  });

  it("R12: puts one argument as itself, several as a tuple, none as nothing", async () => {
    const sent: string[] = [];
    const session = {
      call: (id: string | number, payload?: Uint8Array) => {
        sent.push(`${Number(id).toString(16)} ${toHex(payload ?? new Uint8Array(0))}`);
        return Promise.resolve(hex("0a"));
      },
      startStreamingCall: () => {
        throw new Error("not here");
      },
    };
    expect(await adder.client(session).add(2, 3)).toBe(5);
    await testbed
      .client(session)
      .echo("x")
      .catch(() => {});
    await testbed
      .client(session)
      .nothing()
      .catch(() => {});
    expect(sent[0]).toBe("afaf46b1 0406");
    expect(sent.slice(1).map((line) => line.split(" ")[1])).toEqual(["0178", ""]);
  });

  it("answers what it cannot read InvalidArgument, and what it does not have Unimplemented", async () => {
    await using pair = open();
    for (const payload of ["", "04", "040606", "ffffffffffff"])
      await expect(pair.client.call("Adder.add", hex(payload))).rejects.toMatchObject({
        code: ErrorCode.invalidArgument,
        message: expect.stringMatching(/^decode error: /),
      });
    await expect(pair.client.startStreamingCall("RangeService.range").next()).rejects.toMatchObject({
      code: 3,
    });
    await expect(pair.client.call(1)).rejects.toMatchObject({ code: 11, message: "unknown method_id: 1" });
    expect(pair.told).toEqual([]);
  });

  it("answers a result that is not what it says Internal, and its owner is told", async () => {
    await using pair = open();
    await expect(testbed.client(pair.client).wrong()).rejects.toMatchObject({ code: ErrorCode.internal });
    const items = range.client(pair.client).broken();
    await expect(items.next()).rejects.toMatchObject({ code: ErrorCode.internal });
    expect(pair.told).toMatchObject([{ _tag: "PostcardError" }, { _tag: "PostcardError" }]);
  });

  it("rejects arguments that are not what it says before anything is sent, and answers that are not after", async () => {
    await using pair = open();
    await expect(adder.client(pair.client).add(1, 2.5)).rejects.toThrow("1: expected a whole number");
    expect(() => range.client(pair.client).range(-1)).toThrow("0: expected a whole number");
    pair.server.setDispatcher(async function* () {
      for (;;) yield hex("ffffffffff");
    });
    const items = range.client(pair.client).range(1);
    await expect(items.next()).rejects.toMatchObject({ _tag: "PostcardError" });
    expect([await items.next(), pair.client.stats().tunnels]).toEqual([{ done: true, value: undefined }, 0]);
  });

  it("takes a call's options behind its arguments", async () => {
    await using pair = open();
    const signal = AbortSignal.abort();
    await expect(adder.client(pair.client).add(1, 2, { signal })).rejects.toMatchObject({
      _tag: "CancelledError",
    });
    expect(await adder.client(pair.client).add(1, 2, { timeout: 10_000 })).toBe(3);
  });

  it("R6: two methods with one number are told when they are put together", () => {
    const [one] = served();
    expect(() => dispatch(one!, one!)).toThrow("two methods have the number");
  });

  it("an error that an implementation throws is the caller's", async () => {
    await using pair = open();
    pair.server.setDispatcher(
      dispatch(
        adder.serve({
          add: () => {
            throw new RapaceError(ErrorCode.outOfRange, "too much");
          },
        }),
      ),
    );
    await expect(adder.client(pair.client).add(1, 2)).rejects.toMatchObject({
      code: 10,
      message: "too much",
    });
  });
});
