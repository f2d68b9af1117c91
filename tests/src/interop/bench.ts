// What a case is given: a client of the executor, a web server, a folder.
import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { connect, EXEC_LIMITS, type ConnectOptions, type ExecClient } from "@sluice/exec";
import type { Transport } from "@sluice/transport";
import * as ws from "@sluice/ws";
import { Proxy } from "./proxy.ts";
import type { Served, Target } from "./target.ts";
import type { Upstream } from "./upstream.ts";

export const LISTENS = ["stdio", "ws"] as const;
type Listen = (typeof LISTENS)[number];
export const WIRES = ["auto", "codex"] as const;
export type Wire = (typeof WIRES)[number];

/** How an executor is spoken with. */
export interface Cell {
  readonly listen: Listen;
  readonly wire: Wire;
}

export interface BenchOptions {
  readonly target: Target;
  readonly cell: Cell;
  /** Where the target serves WebSockets; undefined on stdio. */
  readonly served: Served | undefined;
  readonly upstream: Upstream;
}

/** ms, for each case. */
const LIMIT = 60_000;

export class Bench {
  readonly cell: Cell;
  readonly upstream: Upstream;
  /** A folder of its own, by its real path. */
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), "sluice-interop-")));
  readonly #options: BenchOptions;
  readonly #clients: ExecClient[] = [];
  readonly #proxies: Proxy[] = [];
  #transport: Transport | undefined;

  constructor(options: BenchOptions) {
    this.#options = options;
    this.cell = options.cell;
    this.upstream = options.upstream;
  }

  /** A client with a connection of its own. */
  async connect(options: ConnectOptions = {}): Promise<ExecClient> {
    const { target, cell, served } = this.#options;
    const to = served === undefined ? target.stdio() : await this.#dial(served.url);
    this.#transport = to;
    const client = await connect(to, { wire: cell.wire, ...options });
    this.#clients.push(client);
    return client;
  }

  /** A client that dials again, through what can be cut. */
  async resumable(options: ConnectOptions = {}): Promise<{ client: ExecClient; proxy: Proxy }> {
    const { cell, served } = this.#options;
    if (served === undefined) throw new Error("only over a WebSocket a session can be resumed");
    const proxy = await Proxy.start(served.url);
    this.#proxies.push(proxy);
    const client = await connect((signal) => this.#dial(proxy.url, signal), { wire: cell.wire, ...options });
    this.#clients.push(client);
    return { client, proxy };
  }

  /** Breaks off the last connection. */
  abort(): void {
    this.#transport?.abort();
  }

  /** Runs a case, and holds it to leaving nothing behind. */
  async run(act: (bench: Bench) => Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = globalThis.setTimeout(() => reject(new Error(`not over within ${LIMIT} ms`)), LIMIT);
    });
    try {
      await Promise.race([act(this).then(() => this.#isIdle()), late]);
    } finally {
      clearTimeout(timer);
      this.upstream.release();
      await Promise.all(this.#clients.map((client) => client.close()));
      await Promise.all(this.#proxies.map((proxy) => proxy.close()));
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  /** Nothing is left, but what lets go of something, whose answer nobody waits for. */
  async #isIdle(): Promise<void> {
    for (const client of this.#clients) {
      while (client.stats().calls > 0) await setTimeout(5);
      assert.deepEqual(client.stats(), { calls: 0, bodies: 0, processes: 0, files: 0 });
    }
  }

  #dial(url: string, signal?: AbortSignal): Promise<Transport> {
    const { message } = EXEC_LIMITS;
    return ws.dial(url, { protocols: [], limits: { message }, ...(signal && { signal }) });
  }
}
