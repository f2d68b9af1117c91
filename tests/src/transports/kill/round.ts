// One server, and what is done to it and its clients: each round kills a client, then the server under the next client.
// Some rounds first have a client leave in order and the server close, to see that it ends by itself.
import type { KindName } from "../kinds.ts";
import { Program, type Exit } from "../program.ts";
import type { Runtime } from "../runtimes.ts";
import type { Doom } from "./doom.ts";
import type { Order, Settled } from "./server.ts";
import type { Report } from "./traffic.ts";

/** What came of one kill. */
export interface Kill {
  readonly victim: "client" | "server";
  readonly doom: Doom;
  /** ms from the victim's end until the survivor held nothing any more. */
  readonly ms: number;
  /** How the session ended at the survivor; none where it never had one. */
  readonly ends: readonly string[];
  /** Each is a rule that was broken. */
  readonly wrong: readonly string[];
}

/** ms within which the survivor has to be done, and any process: `limits.close`, and as much again for a busy machine. */
export const BOUND = 15_000;

export class Round {
  readonly #kind: KindName;
  readonly #runtime: Runtime;
  #server: Program;
  #url = "";

  constructor(kind: KindName, runtime: Runtime) {
    this.#kind = kind;
    this.#runtime = runtime;
    this.#server = this.#serve();
  }

  async killClient(doom: Doom): Promise<Kill> {
    const client = await this.#dial("--doom", JSON.stringify(doom));
    const wrong = [...(await this.#killed(client))];
    const { reports } = await this.#settled();
    return this.#kill("client", doom, client, reports, wrong);
  }

  async killServer(doom: Doom): Promise<Kill> {
    await this.#started();
    const server = this.#server;
    this.#tell({ doom });
    await within(server.next(), "the server was not doomed", server);
    const client = await this.#dial();
    const wrong = [...(await this.#killed(server))];
    const report = await within(client.next<Report>(), "the client did not see the end", client);
    const kill = this.#kill("server", doom, server, [report], wrong);
    const exit = await within(client.exited, "the client did not end by itself", client);
    return { ...kill, wrong: [...kill.wrong, ...unclean(exit, client)] };
  }

  /** A client leaves, and the server closes: what was broken by that. A new server takes its place. */
  async closeServer(): Promise<readonly string[]> {
    const client = await this.#dial("--leave");
    const own = await within(client.next<Report>(), "a client that left did not see the end", client);
    const left = await within(client.exited, "a client that left did not end by itself", client);
    const { reports } = await this.#settled();
    this.#tell({ close: true });
    await within(this.#server.next(), "the server did not close", this.#server);
    this.#server.hush();
    const exit = await within(
      this.#server.exited,
      "a server that closed did not end by itself",
      this.#server,
    );
    const ends = [own, ...reports].map(({ end }) => end).join(", ");
    const wrong = [...own.wrong, ...reports.flatMap((report) => report.wrong)];
    if (ends !== "closed by us, closed by peer") wrong.push(`a client that left: ${ends}`);
    wrong.push(...unclean(left, client), ...unclean(exit, this.#server));
    this.#server = this.#serve();
    this.#url = "";
    return wrong;
  }

  /** Kills what is left. */
  async stop(): Promise<void> {
    this.#server.kill();
    await this.#server.exited;
  }

  #serve(): Program {
    return new Program(this.#runtime, "kill/server.ts", ["--kind", this.#kind]);
  }

  async #started(): Promise<string> {
    if (this.#url === "") {
      const said = await within(
        this.#server.next<{ url: string }>(),
        "the server did not start",
        this.#server,
      );
      this.#url = said.url;
    }
    return this.#url;
  }

  async #dial(...args: readonly string[]): Promise<Program> {
    const url = await this.#started();
    return new Program(this.#runtime, "kill/client.ts", ["--kind", this.#kind, "--url", url, ...args]);
  }

  #tell(order: Order): void {
    this.#server.tell(order);
  }

  async #settled(): Promise<Settled> {
    this.#tell({ settle: true });
    return within(this.#server.next<Settled>(), "the server still held a session", this.#server);
  }

  /** Waits for a victim's end; it comes by its own hand, in the middle of things. */
  async #killed(victim: Program): Promise<readonly string[]> {
    const { code, signal } = await within(victim.exited, "it did not come to its moment", victim);
    if (signal === "SIGKILL" || code === 137) return [];
    return [`${victim.name} ended with ${signal ?? code} before its moment: ${victim.errors}`];
  }

  #kill(
    victim: Kill["victim"],
    doom: Doom,
    { gone = 0 }: Program,
    reports: readonly Report[],
    already: readonly string[],
  ): Kill {
    const ms = performance.now() - gone;
    const ends = reports.map(({ end }) => end);
    const wrong = [...already, ...reports.flatMap((report) => report.wrong)];
    for (const { end, message } of reports)
      if (end !== "lost by transport" && end !== "not opened")
        wrong.push(`the session did not end as lost, but ${end}: ${message}`);
    return { victim, doom, ms, ends, wrong };
  }
}

async function within<T>(what: Promise<T>, otherwise: string, culprit: Program): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      culprit.kill();
      reject(new Error(`${otherwise} within ${BOUND} ms: ${culprit.name} ${culprit.errors}`));
    }, BOUND);
  });
  try {
    return await Promise.race([what, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a runtime prints of its own, once: it says the same of every server that looks at `request.signal`. */
const KNOWN = /^Deno\.serve: request\.signal aborts on successful responses .*$/;

/** An unhandled rejection ends a process with another code than 0. */
function unclean({ code, signal }: Exit, { name, errors }: Program): readonly string[] {
  const printed = errors === "" || KNOWN.test(errors) ? [] : [`${name} printed: ${errors}`];
  return code === 0 ? printed : [`${name} ended with ${signal ?? code}`, ...printed];
}
