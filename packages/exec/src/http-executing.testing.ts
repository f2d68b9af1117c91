// Two real ends over a link in memory: a RemoteHttp, and an executor's HttpRunner.
import type { HttpClient } from "./http-client.ts";
import { scripted, type Pair, type PairOptions, type Wire } from "./http-pair.testing.ts";
import { HttpRunner, type RunnerLimits } from "./http-runner.ts";
import { Lanes } from "./lanes.ts";

export interface ExecutorPair extends Pair {
  readonly runner: HttpRunner;
}

/** A RemoteHttp whose requests `client` makes at the far end. */
export async function executing(
  wire: Wire,
  client: HttpClient,
  options: PairOptions & {
    readonly runner?: Partial<RunnerLimits>;
    readonly variables?: Readonly<Record<string, string>>;
  } = {},
): Promise<ExecutorPair> {
  const runner = new HttpRunner({
    client,
    limits: { requests: 1024, buffered: 32 * 1024 * 1024, ...options.runner },
    lanes: new Lanes({ calls: 64, waiting: 1024, callSize: 128 * 1024 * 1024 }),
    variables: options.variables ?? {},
  });
  const pair = await scripted(wire, runner.handlers, options);
  void pair.far.closed.then(() => runner.close());
  return { ...pair, runner };
}
