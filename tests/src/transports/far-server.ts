import { remoteCases, type RemoteCase } from "@sluice/transport/compliance";
import type { Kind } from "./kinds.ts";
import { Program } from "./program.ts";
import type { Runtime } from "./runtimes.ts";

/** The case in which the far process leaves. */
export const LEAVING: RemoteCase = findLeaving();

function findLeaving(): RemoteCase {
  const [one, ...others] = remoteCases.filter(({ name }) => name.includes("leaves"));
  if (one === undefined || others.length > 0)
    throw new Error("which case has the far process leave? Its name said so");
  return one;
}

/** A server in another process for all cases: what one of them leaves behind there is the next one's trouble. */
export class FarServer {
  readonly #kind: Kind;
  readonly #runtime: Runtime;
  readonly #args: readonly string[];
  #program: Program | undefined;
  #url: Promise<string> | undefined;

  constructor(kind: Kind, runtime: Runtime, args: readonly string[] = []) {
    this.#kind = kind;
    this.#runtime = runtime;
    this.#args = args;
  }

  /** Where it listens; it is started if it does not run. Rejects where it does not start. */
  url(): Promise<string> {
    if (this.#program?.gone !== undefined) this.#url = undefined;
    this.#url ??= this.#start();
    return this.#url;
  }

  /** Resolves when it has left, as it was told to. */
  async left(): Promise<void> {
    await this.#program?.exited;
  }

  async stop(): Promise<void> {
    this.#program?.kill();
    await this.#program?.exited;
  }

  async #start(): Promise<string> {
    const { fixtures, args } = this.#kind;
    this.#program = new Program(this.#runtime, `${fixtures}/serve-compliance.ts`, [...args, ...this.#args]);
    return (await this.#program.next<{ url: string }>()).url;
  }
}
