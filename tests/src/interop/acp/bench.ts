// What a case is given: one client connected to one agent, and all the agent tells and asks it.
import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionNotification } from "@agentclientprotocol/sdk";
import type { AcpClientUnderTest, AcpConnection, AcpHost, Command } from "./case.ts";
import { MethodNotFound } from "./method-not-found.ts";

export interface AcpBenchOptions {
  readonly client: AcpClientUnderTest;
  readonly agent: Command;
  /** How many proxies between them put a `>` before each text. */
  readonly arrows: number;
}

/** What came of a prompt. */
export interface Turn {
  readonly stopReason: string;
  readonly meta: unknown;
  /** The texts of the agent's message chunks, in their order. */
  readonly texts: readonly string[];
}

/** What answers a method of the agent's. */
type Answer = (params: Readonly<Record<string, unknown>>) => unknown;

/** ms, for each case. */
const LIMIT = 60_000;

export class AcpBench implements AcpHost {
  /** A folder of its own, by its real path. */
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), "sluice-acp-")));
  /** Every update, in the order it came. */
  readonly updates: SessionNotification[] = [];
  /** The method of every request of the agent's, in the order they came. */
  readonly asked: string[] = [];
  /** The params of every `_test/note`. */
  readonly notes: unknown[] = [];
  /** By method, what answers the agent's requests. */
  readonly answers: Map<string, Answer> = new Map();
  readonly #options: AcpBenchOptions;
  #connection: AcpConnection | undefined;
  #watchers: (() => void)[] = [];

  constructor(options: AcpBenchOptions) {
    this.#options = options;
  }

  get connection(): AcpConnection {
    assert(this.#connection !== undefined, "the case has not connected");
    return this.#connection;
  }

  /** Connects and initializes. */
  async initialize(): Promise<Readonly<Record<string, unknown>>> {
    const { client, agent } = this.#options;
    this.#connection = await client.connect(agent, this);
    const result = await this.#connection.request("initialize", {
      protocolVersion: 1,
      clientInfo: { name: "cases", version: "0" },
      clientCapabilities: { fs: { readTextFile: true, writeTextFile: true }, terminal: true },
    });
    return result as Readonly<Record<string, unknown>>;
  }

  /** Connects, initializes and opens a session. */
  async session(): Promise<string> {
    await this.initialize();
    return this.newSession();
  }

  async newSession(): Promise<string> {
    const params = { cwd: this.folder, mcpServers: [] };
    const { sessionId } = (await this.connection.request("session/new", params)) as { sessionId: string };
    return sessionId;
  }

  /** Prompts, and gathers what the session is told until the answer. */
  prompt(sessionId: string, text: string, options: PromptOptions = {}): Promise<Turn> {
    return heeded(this.#prompt(sessionId, text, options));
  }

  async #prompt(sessionId: string, text: string, options: PromptOptions): Promise<Turn> {
    const from = this.updates.length;
    const params = {
      sessionId,
      prompt: [{ type: "text", text }],
      ...(options.meta !== undefined && { _meta: options.meta }),
    };
    const answer = await this.connection.request("session/prompt", params, options.signal);
    const { stopReason, _meta: meta } = answer as { stopReason: string; _meta?: unknown };
    return { stopReason, meta, texts: this.texts(sessionId, from) };
  }

  /** The texts of a session's agent message chunks, from the update at `from` on. */
  texts(sessionId: string, from: number = 0): string[] {
    return this.updates.slice(from).flatMap(({ sessionId: of, update }) => {
      if (of !== sessionId || update.sessionUpdate !== "agent_message_chunk") return [];
      return update.content.type === "text" ? [update.content.text] : [];
    });
  }

  /** A text of the agent's, as it arrives here. */
  said(text: string): string {
    return ">".repeat(this.#options.arrows) + text;
  }

  /** Settles once the agent has said the text, or asked for the method. */
  async saw(what: { readonly text: string } | { readonly method: string }): Promise<void> {
    const seen = (): boolean =>
      "method" in what
        ? this.asked.includes(what.method)
        : this.updates.some(({ sessionId }) => this.texts(sessionId).includes(this.said(what.text)));
    while (!seen()) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  /** The error that a request is answered with. */
  refusal(request: Promise<unknown>): Promise<Refusal> {
    return heeded(this.#refusal(request));
  }

  async #refusal(request: Promise<unknown>): Promise<Refusal> {
    const result = await request.then(
      () => undefined,
      (error: unknown) => error,
    );
    assert(result !== undefined, "the agent has answered with a result, not with an error");
    assert(result instanceof Error, "the agent has answered with no error");
    assert("code" in result, `an error with a code, not: ${result.message}`);
    const { code, message } = result;
    return { code: Number(code), message, data: "data" in result ? result.data : undefined };
  }

  async request(method: string, params: unknown): Promise<unknown> {
    this.asked.push(method);
    this.#tell();
    const answer = this.answers.get(method);
    if (answer === undefined) throw new MethodNotFound(method);
    return answer(params as Readonly<Record<string, unknown>>);
  }

  notification(method: string, params: unknown): void {
    if (method === "session/update") this.updates.push(params as SessionNotification);
    else this.notes.push(params);
    this.#tell();
  }

  /** Runs a case, and holds the agent to ending with its input. */
  async run(act: (bench: AcpBench) => Promise<void>): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not over within ${LIMIT} ms`)), LIMIT);
    });
    try {
      await Promise.race([act(this), late]);
    } catch (error) {
      await this.#connection?.close().catch(() => {}); // the case has failed already
      throw error;
    } finally {
      clearTimeout(timer);
      rmSync(this.folder, { recursive: true, force: true });
    }
    await this.#connection?.close();
  }

  #tell(): void {
    for (const resolve of this.#watchers.splice(0)) resolve();
  }
}

interface Refusal {
  readonly code: number;
  readonly message: string;
  readonly data: unknown;
}

/** A promise that a case which has failed by then need not wait for. */
function heeded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

interface PromptOptions {
  readonly meta?: unknown;
  /** Sends `$/cancel_request` when it aborts. */
  readonly signal?: AbortSignal;
}
