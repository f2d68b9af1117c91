import { describe, expect, it } from "vitest";
import { failure, pair } from "./features.testing.ts";
import { RpcError, type Interceptor, type SessionOptions } from "./index.ts";

const noting =
  (seen: string[], name: string): Interceptor =>
  async ({ method }, next) => {
    seen.push(`${name} before ${method}`);
    try {
      return await next();
    } finally {
      seen.push(`${name} after ${method}`);
    }
  };

describe.each(["interceptIncoming", "interceptOutgoing"] as const)("%s", (which) => {
  const ends = (
    intercept: Interceptor[],
    handlers: SessionOptions["handlers"] & object,
  ): ReturnType<typeof pair> =>
    which === "interceptIncoming"
      ? pair({}, { handlers, interceptIncoming: intercept })
      : pair({ interceptOutgoing: intercept }, { handlers });

  it("runs around each call, the first outermost, whether it succeeds or fails", async () => {
    const seen: string[] = [];
    const { a } = await ends([noting(seen, "outer"), noting(seen, "inner")], {
      good: () => (seen.push("handler"), 1),
      bad: () => {
        throw new RpcError(5, "bad");
      },
    });
    expect(await a.call("good")).toBe(1);
    expect(await failure(a.call("bad"))).toMatchObject({ code: 5 });
    const around = (method: string, ...middle: string[]): string[] => [
      `outer before ${method}`,
      `inner before ${method}`,
      ...middle,
      `inner after ${method}`,
      `outer after ${method}`,
    ];
    expect(seen).toEqual([...around("good", "handler"), ...around("bad")]);
    await a.close();
  });

  it("changes params on the way in and the result on the way out", async () => {
    const double: Interceptor = async ({ params }, next) => {
      const { n } = params as { n: number };
      return { doubled: await next({ n: 2 * n }) };
    };
    const { a } = await ends([double], { add: ({ n }: { n: number }) => n + 1 });
    expect(await a.call("add", { n: 4 })).toEqual({ doubled: 9 });
    await a.close();
  });

  it("answers instead of the handler, or refuses", async () => {
    let ran = 0;
    const gate: Interceptor = ({ method }, next) => {
      if (method === "cached") return Promise.resolve("from the cache");
      if (method === "secret") return Promise.reject(new RpcError(403, "not for you"));
      return next();
    };
    const handler = (): number => ++ran;
    const { a } = await ends([gate], { cached: handler, secret: handler, open: handler });
    expect(await a.call("cached")).toBe("from the cache");
    expect(await failure(a.call("secret"))).toMatchObject({
      _tag: "RpcError",
      code: 403,
      message: "not for you",
    });
    expect(await a.call("open")).toBe(1);
    expect(ran).toBe(1);
    await a.close();
  });

  it("may call the handler again", async () => {
    let tries = 0;
    const retry: Interceptor = async (_, next) => {
      try {
        return await next();
      } catch {
        return next();
      }
    };
    const { a } = await ends([retry], {
      flaky: () => {
        if (++tries < 2) throw new RpcError(503, "again");
        return tries;
      },
    });
    expect(await a.call("flaky")).toBe(2);
    await a.close();
  });
});

it("interceptors see the handler's context, and stand before chain and fallback, too", async () => {
  const methods: unknown[] = [];
  const { a } = await pair(
    {},
    {
      handlers: { named: () => 1 },
      fallback: () => 2,
      interceptIncoming: [({ method, context }, next) => (methods.push([method, context?.method]), next())],
    },
  );
  expect([await a.call("named"), await a.call("other")]).toEqual([1, 2]);
  expect(methods).toEqual([
    ["named", "named"],
    ["other", "other"],
  ]);
  await a.close();
});

it("interceptors stand before a chain", async () => {
  const seen: string[] = [];
  const { a } = await pair(
    {},
    {
      chain: [{ request: (_, responder) => (responder.respond("chain"), { handled: true }) }],
      interceptIncoming: [noting(seen, "one")],
    },
  );
  expect(await a.call("m")).toBe("chain");
  expect(seen).toEqual(["one before m", "one after m"]);
  await a.close();
});
