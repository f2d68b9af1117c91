// Runs the cases in a cell: one client, one agent, and so many proxies between them.
import { AcpBench } from "./bench.ts";
import type { AcpAgentUnderTest, AcpCase, AcpClientUnderTest, Command } from "./case.ts";
import { casesOf } from "./cases.ts";

/** What came of a case. */
export interface AcpResult {
  readonly name: string;
  readonly status: "passed" | "failed" | "skipped";
  /** Why it failed or was skipped. */
  readonly reason?: string;
  readonly ms: number;
  /** What the client saw: how many updates, and which methods the agent asked it for, in their order. */
  readonly saw?: { readonly updates: number; readonly asked: readonly string[] };
}

export interface AcpRun {
  readonly client: AcpClientUnderTest;
  readonly agent: AcpAgentUnderTest;
  /** How many proxies put a `>` before each of the agent's texts. Default 0. */
  readonly arrows?: number;
  /** Default: all for the agent's script. */
  readonly cases?: readonly AcpCase[];
  /** Told of each result as it comes. */
  readonly onResult?: (result: AcpResult) => void;
}

/** Runs cases, one after the other. Never rejects: what did not run has failed, with the reason. */
export async function runCases(run: AcpRun): Promise<readonly AcpResult[]> {
  const { client, agent, arrows = 0, cases = casesOf(agent.script), onResult } = run;
  const results: AcpResult[] = [];
  for (const one of cases) {
    const result = await runCase(one, client, agent.command, arrows);
    results.push(result);
    onResult?.(result);
  }
  return results;
}

async function runCase(
  { name, run }: AcpCase,
  client: AcpClientUnderTest,
  agent: Command,
  arrows: number,
): Promise<AcpResult> {
  const bench = new AcpBench({ client, agent, arrows });
  const started = performance.now();
  const seen = (): Pick<AcpResult, "ms" | "saw"> => ({
    ms: Math.round(performance.now() - started),
    saw: { updates: bench.updates.length, asked: bench.asked },
  });
  try {
    await bench.run(run);
    return { name, status: "passed", ...seen() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { name, status: "failed", reason, ...seen() };
  }
}
