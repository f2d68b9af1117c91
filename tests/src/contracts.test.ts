// One contract, whoever's schemas it is written with: Zod, Valibot and Effect Schema say the same through Standard
// Schema. What TypeScript knows of it is checked when this file is.
import { contract, connect, serve, type ContractClient, type Session } from "@sluice/session";
import { memoryPair } from "@sluice/transport";
import * as Schema from "effect/Schema";
import * as v from "valibot";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";

const vendors = {
  zod: contract({
    "math/add": { params: z.object({ a: z.number(), b: z.number() }), result: z.number() },
    "text/trim": { params: z.tuple([z.string().trim()]), result: z.string() },
    lies: { result: z.object({ nested: z.array(z.number()) }) },
    anything: {},
  }),
  valibot: contract({
    "math/add": { params: v.object({ a: v.number(), b: v.number() }), result: v.number() },
    "text/trim": { params: v.tuple([v.pipe(v.string(), v.trim())]), result: v.string() },
    lies: { result: v.object({ nested: v.array(v.number()) }) },
    anything: {},
  }),
  effect: contract({
    "math/add": {
      params: Schema.toStandardSchemaV1(Schema.Struct({ a: Schema.Number, b: Schema.Number })),
      result: Schema.toStandardSchemaV1(Schema.Number),
    },
    "text/trim": {
      params: Schema.toStandardSchemaV1(Schema.Tuple([Schema.Trim])),
      result: Schema.toStandardSchemaV1(Schema.String),
    },
    lies: {
      result: Schema.toStandardSchemaV1(Schema.Struct({ nested: Schema.Array(Schema.Number) })),
    },
    anything: {},
  }),
};

type Zod = typeof vendors.zod.methods;

async function pair(handlers: Parameters<typeof serve>[1] & object): Promise<[Session, Session]> {
  const [left, right] = memoryPair();
  return Promise.all([connect(left), serve(right, { onHandlerError: () => {}, ...handlers })]);
}

const implementation = {
  "math/add": ({ a, b }: { a: number; b: number }) => a + b,
  "text/trim": ([text]: readonly [string]) => `<${text}>`,
  lies: () => ({ nested: ["one"] }) as never,
  anything: () => [1, "two"],
};

describe.each(Object.keys(vendors) as (keyof typeof vendors)[])("a contract written with %s", (vendor) => {
  // The three have the same types; each by itself is checked below.
  const shop = vendors[vendor] as unknown as typeof vendors.zod;

  it("gives handlers checked params and callers checked results", async () => {
    const [a, b] = await pair({ handlers: shop.handlers(implementation) });
    const client = shop.client(a);
    expect(await client.call("math/add", { a: 1, b: 2 })).toBe(3);
    expect(await client.call("text/trim", ["  what the schema made of it "])).toBe(
      "<what the schema made of it>",
    );
    expect(await client.call("anything")).toEqual([1, "two"]);
    await Promise.all([a.close(), b.close()]);
  });

  it("answers params that do not fit -32602, with the place and the reason", async () => {
    const [a] = await pair({ handlers: shop.handlers(implementation) });
    const wrong = shop.client(a).call("math/add", { a: 1, b: "2" } as never);
    await expect(wrong).rejects.toMatchObject({
      _tag: "RpcError",
      code: -32602,
      data: { issues: [{ path: "b", message: expect.any(String) as string }] },
    });
    await a.close();
  });

  it("takes a result that does not fit for a mistake of the handler's", async () => {
    const told: unknown[] = [];
    const [a] = await pair({
      handlers: shop.handlers(implementation),
      onHandlerError: (error) => told.push(error),
    });
    await expect(shop.client(a).call("lies")).rejects.toMatchObject({
      code: -32603,
      message: "Internal error",
    });
    expect(told).toMatchObject([{ _tag: "ValidationError" }]);
    expect(String(told[0])).toContain("result of lies: nested.0: ");
    await a.close();
  });

  it("rejects a result of the peer's that does not fit", async () => {
    const [a] = await pair({ handlers: { lies: () => ({ nested: ["one"] }) } });
    const lied = shop.client(a).call("lies");
    await expect(lied).rejects.toMatchObject({ _tag: "ValidationError", name: "ValidationError" });
    await expect(lied).rejects.toThrow(/result of lies: nested\.0: /);
    await a.close();
  });
});

it("carries streams through a schema that lets them pass", async () => {
  const files = contract({
    upload: {
      params: z.object({ body: z.instanceof(ReadableStream) }),
      result: z.object({ lines: z.custom<AsyncIterable<string>>() }),
    },
  });
  const [a] = await pair({
    handlers: files.handlers({
      upload: async ({ body }) => {
        const text = await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
        return {
          lines: (async function* lines() {
            yield* text.split("\n");
          })(),
        };
      },
    }),
  });
  const { lines } = await files.client(a).call("upload", { body: new Blob(["a\nb"]).stream() });
  const got: string[] = [];
  for await (const line of lines) got.push(line);
  expect(got).toEqual(["a", "b"]);
  await a.close();
});

it("is known to TypeScript: methods, params, results, handlers", () => {
  type Call = ContractClient<Zod>["call"];
  const call: Call = () => Promise.resolve() as never;
  expectTypeOf(call("math/add", { a: 1, b: 2 })).toEqualTypeOf<Promise<number>>();
  expectTypeOf(call("text/trim", ["x"], { timeout: 1 })).toEqualTypeOf<Promise<string>>();
  expectTypeOf(call("lies")).toEqualTypeOf<Promise<{ nested: number[] }>>();
  expectTypeOf(call("anything")).toEqualTypeOf<Promise<unknown>>();
  // @ts-expect-error -- no such method
  void call("math/sub", {});
  // @ts-expect-error -- b is missing
  void call("math/add", { a: 1 });
  // @ts-expect-error -- takes params
  void call("math/add");
  // @ts-expect-error -- takes none
  void call("anything", { a: 1 });

  expectTypeOf(vendors.zod.handlers).parameter(0).toHaveProperty("math/add");
  type Handlers<M extends keyof typeof vendors> = Parameters<(typeof vendors)[M]["handlers"]>[0];
  expectTypeOf<Parameters<Handlers<"zod">["math/add"]>[0]>().toEqualTypeOf<{ a: number; b: number }>();
  expectTypeOf<Parameters<Handlers<"valibot">["math/add"]>[0]>().toEqualTypeOf<{ a: number; b: number }>();
  expectTypeOf<Parameters<Handlers<"effect">["math/add"]>[0]>().toEqualTypeOf<{
    readonly a: number;
    readonly b: number;
  }>();
  expectTypeOf<Parameters<Handlers<"zod">["anything"]>[0]>().toEqualTypeOf<undefined>();
  const wrong = (): unknown =>
    // @ts-expect-error -- a handler is missing
    vendors.zod.handlers({ "math/add": ({ a }) => a });
  expect(wrong).not.toThrow();
});
