// A record of methods with a Standard Schema for params and result, of any vendor: types for the caller, checked values
// for the handler.
import { ErrorCode } from "@sluice/codec";
import { RpcError } from "@sluice/core";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { HandlerContext } from "./context.ts";
import type { Handler } from "./handlers.ts";
import type { CallOptions, Session } from "./session.ts";
import { pathOf, validate, ValidationError } from "./validate.ts";

/** What one method takes and gives. Without a schema it takes nothing, or gives anything. */
export interface Method {
  readonly params?: StandardSchemaV1;
  readonly result?: StandardSchemaV1;
}

export type Methods = Readonly<Record<string, Method>>;

type Input<S> = S extends StandardSchemaV1 ? StandardSchemaV1.InferInput<S> : undefined;
type Output<S, Else> = S extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<S> : Else;
type ResultInput<S> = S extends StandardSchemaV1 ? StandardSchemaV1.InferInput<S> : unknown;

export interface ContractClient<M extends Methods> {
  /** As `Session.call`; also rejects with `ValidationError` where the peer's result is not what the contract says. */
  call<K extends keyof M & string>(
    method: K,
    ...rest: M[K]["params"] extends StandardSchemaV1
      ? [params: Input<M[K]["params"]>, options?: CallOptions]
      : [params?: undefined, options?: CallOptions]
  ): Promise<Output<M[K]["result"], unknown>>;
}

export type ContractHandlers<M extends Methods> = {
  readonly [K in keyof M]: (
    params: Output<M[K]["params"], undefined>,
    context: HandlerContext,
  ) => ResultInput<M[K]["result"]> | PromiseLike<ResultInput<M[K]["result"]>>;
};

export interface Contract<M extends Methods> {
  readonly methods: M;
  /** Typed calls over a session. */
  client(session: Pick<Session, "call">): ContractClient<M>;
  /**
   * Handlers for `SessionOptions.handlers`. Params that are not what the contract says are answered -32602 with the
   * places and reasons; a result that is not is a mistake of the handler's, and answered -32603.
   */
  handlers(implementation: ContractHandlers<M>): Record<string, Handler>;
}

export function contract<const M extends Methods>(methods: M): Contract<M> {
  return {
    methods,
    client: (session) => ({
      call: async (method, ...[params, options]) => {
        const result = await session.call(method, params, options);
        const schema = methods[method]?.result;
        return (
          schema === undefined ? result : await validate(schema, result, `result of ${method}`)
        ) as never;
      },
    }),
    handlers: (implementation) =>
      Object.fromEntries(
        Object.entries(methods).map(([name, method]) => [
          name,
          checked(name, method, implementation[name] as Handler),
        ]),
      ),
  };
}

function checked(name: string, method: Method, handler: Handler): Handler {
  return async (params: unknown, context) => {
    const checkedParams =
      method.params === undefined ? undefined : await checkParams(method.params, params, name);
    const result: unknown = await handler(checkedParams, context);
    return method.result === undefined ? result : validate(method.result, result, `result of ${name}`);
  };
}

async function checkParams(schema: StandardSchemaV1, params: unknown, name: string): Promise<unknown> {
  try {
    return await validate(schema, params, `params of ${name}`);
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    const issues = error.issues.map((issue) => ({ path: pathOf(issue), message: issue.message }));
    throw new RpcError(ErrorCode.invalidParams, "invalid params", { issues });
  }
}
