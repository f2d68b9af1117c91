// A service as published peers define one: methods by name, arguments and results in postcard. From one description come
// a typed client and what answers its calls.
import { ErrorCode, RapaceError } from "./error.ts";
import { Mapped } from "./mapped.ts";
import { methodId } from "./method-id.ts";
import { PostcardError } from "./postcard-bytes.ts";
import { PostcardType, type AnyType, type ValueOf } from "./postcard-type.ts";
import { tuple } from "./postcard-composites.ts";
import type { Answer, Dispatcher, IncomingRequest } from "./runner.ts";
import type { CallOptions, RpcSession, StreamingCallOptions } from "./rpc-session.ts";

type Values<P extends readonly AnyType[]> = { [I in keyof P]: ValueOf<P[I]> };

/** What one method takes and gives: one result, or a stream of items. */
export interface Method<P extends readonly AnyType[] = readonly AnyType[], R extends AnyType = AnyType> {
  readonly kind: "call";
  readonly args: P;
  readonly result: R;
}
export interface StreamingMethod<
  P extends readonly AnyType[] = readonly AnyType[],
  R extends AnyType = AnyType,
> {
  readonly kind: "stream";
  readonly args: P;
  readonly item: R;
}

export function method<const P extends readonly AnyType[], R extends AnyType>(
  args: P,
  result: R,
): Method<P, R> {
  return { kind: "call", args, result };
}
export function streamingMethod<const P extends readonly AnyType[], R extends AnyType>(
  args: P,
  item: R,
): StreamingMethod<P, R> {
  return { kind: "stream", args, item };
}

export type Methods = Readonly<Record<string, Method | StreamingMethod>>;

export type Client<M extends Methods> = {
  readonly [K in keyof M]: M[K] extends Method<infer P, infer R>
    ? (...args: [...Values<P>, options?: CallOptions]) => Promise<ValueOf<R>>
    : M[K] extends StreamingMethod<infer P, infer R>
      ? (...args: [...Values<P>, options?: StreamingCallOptions]) => Mapped<Uint8Array, ValueOf<R>>
      : never;
};

export type Implementation<M extends Methods> = {
  readonly [K in keyof M]: M[K] extends Method<infer P, infer R>
    ? (...args: [...Values<P>, request: IncomingRequest]) => ValueOf<R> | PromiseLike<ValueOf<R>>
    : M[K] extends StreamingMethod<infer P, infer R>
      ? (...args: [...Values<P>, request: IncomingRequest]) => AsyncIterable<ValueOf<R>>
      : never;
};

/** What answers the calls of one service, by the numbers of its methods. */
export type Served = ReadonlyMap<number, Dispatcher>;

export interface Service<M extends Methods> {
  readonly name: string;
  readonly methods: M;
  /**
   * Typed calls over a session. Rejects as `RpcSession.call` does; arguments that are not what the service says are a
   * `PostcardError`, and so is a result.
   */
  client(session: Pick<RpcSession, "call" | "startStreamingCall">): Client<M>;
  /**
   * For `dispatch`. Arguments that cannot be read are answered InvalidArgument; a result that is not what the service
   * says is a mistake of the implementation's, and answered Internal.
   */
  serve(implementation: Implementation<M>): Served;
}

/** @param name of the trait in Rust, without its path */
export function service<const M extends Methods>(name: string, methods: M): Service<M> {
  const described = Object.entries(methods).map(([key, of]) => new Described(`${name}.${key}`, key, of));
  return {
    name,
    methods,
    client: (session) =>
      Object.fromEntries(described.map((each) => [each.key, each.caller(session)])) as unknown as Client<M>,
    serve: (implementation) =>
      new Map(described.map((each) => [each.id, each.dispatcher(implementation[each.key] as Run)])),
  };
}

/**
 * A dispatcher of several services. What none of them has is Unimplemented.
 * @throws Error where two methods have one number
 */
export function dispatch(...services: readonly Served[]): Dispatcher {
  const all = new Map<number, Dispatcher>();
  for (const served of services)
    for (const [id, run] of served) {
      if (all.has(id)) throw new Error(`two methods have the number ${id}: rename one (R6)`);
      all.set(id, run);
    }
  return (request) => {
    const run = all.get(request.method);
    if (run !== undefined) return run(request);
    throw new RapaceError(ErrorCode.unimplemented, `unknown method_id: ${request.method}`);
  };
}

type Run = (...args: unknown[]) => unknown;

class Described {
  readonly key: string;
  readonly id: number;
  readonly #method: Method | StreamingMethod;
  // One argument is itself, several are a tuple, none is nothing.
  readonly #args: PostcardType<readonly unknown[]>;

  constructor(name: string, key: string, of: Method | StreamingMethod) {
    this.key = key;
    this.id = methodId(name);
    this.#method = of;
    this.#args = tuple(...of.args) as PostcardType<readonly unknown[]>;
  }

  caller(session: Pick<RpcSession, "call" | "startStreamingCall">): Run {
    const { id } = this;
    const of = this.#method;
    if (of.kind === "call")
      return async (...given) => {
        const { payload, options } = this.#split(given);
        return of.result.decode(await session.call(id, payload, options)) as unknown;
      };
    return (...given) => {
      const { payload, options } = this.#split(given);
      const items = session.startStreamingCall(id, payload, options);
      return new Mapped(items, (item): unknown => of.item.decode(item));
    };
  }

  dispatcher(run: Run): Dispatcher {
    const of = this.#method;
    if (of.kind === "call")
      return async (request): Promise<Answer> => of.result.encode(await run(...this.#read(request), request));
    return (request) =>
      new Mapped(run(...this.#read(request), request) as AsyncIterable<unknown>, (value) =>
        of.item.encode(value),
      );
  }

  #split(given: readonly unknown[]): { payload: Uint8Array; options: CallOptions | undefined } {
    const { length } = this.#method.args;
    return {
      payload: this.#args.encode(given.slice(0, length)),
      options: given[length] as CallOptions | undefined,
    };
  }

  #read(request: IncomingRequest): readonly unknown[] {
    try {
      return this.#args.decode(request.payload);
    } catch (cause) {
      if (!(cause instanceof PostcardError)) throw cause;
      throw new RapaceError(ErrorCode.invalidArgument, `decode error: ${cause.message}`, { cause });
    }
  }
}
