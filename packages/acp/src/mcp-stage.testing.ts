// An agent that speaks with the MCP servers it is given, for tests: what it is asked in a prompt it asks them.
import { mcpServer, tool, type McpServer } from "@sluice/mcp";
import { connect, mcp, type Session, type SessionOptions } from "@sluice/session";
import { anyRequest, Handled, type Builder, type ConnectionTo } from "@sluice/session/builder";
import { onTestFinished } from "vitest";
import {
  Agent,
  Client,
  Conductor,
  InitializeRequest,
  mcpOverAcp,
  NewSessionRequest,
  type ConnectionToAgent,
  type McpDeclaration,
  type McpRevision,
  type Part,
} from "./index.ts";

/** What an agent has seen, and its connection. */
export interface SeenAgent {
  readonly builder: Builder;
  /** The params of what set up sessions, by method. */
  readonly setups: { readonly method: string; readonly params: Record<string, unknown> }[];
  /** Its own connection, from the first setup on. */
  readonly cx: ConnectionTo;
  /** The servers that the last session was given. */
  readonly servers: McpDeclaration[];
}

/** An agent that says of itself `initialized`, and answers every setup of a session. */
export function seeingAgent(initialized: object = { protocolVersion: 1 }): SeenAgent {
  const setups: SeenAgent["setups"] = [];
  let known: ConnectionTo | undefined;
  const builder = Agent.builder()
    .onReceiveRequest(InitializeRequest, (_, responder) => responder.respond(initialized as never))
    .onReceiveRequest(anyRequest, ({ method, params }, responder, cx) => {
      if (!method.startsWith("session/")) return Handled.no();
      known ??= cx;
      setups.push({ method, params: params as Record<string, unknown> });
      return responder.respond({ sessionId: `s${setups.length}` });
    });
  return {
    builder,
    setups,
    get cx() {
      return known!;
    },
    get servers() {
      return setups.at(-1)!.params["mcpServers"] as McpDeclaration[];
    },
  };
}

export interface Stage {
  readonly client: ConnectionToAgent;
  readonly agent: SeenAgent;
  /** What handlers threw in the chain that their peers are not told. */
  readonly errors: unknown[];
}

/** Runs `use` with a client, before a chain of these proxies with an agent at its end, and one session. */
export async function onStage<T>(
  proxies: readonly Part[],
  use: (stage: Stage) => Promise<T>,
  agent: SeenAgent = seeingAgent(),
): Promise<T> {
  const errors: unknown[] = [];
  const onHandlerError = (error: unknown): void => void errors.push(error);
  const quiet = (part: Part): Part =>
    "connectTo" in part ? { connectTo: (transport) => part.connectTo(transport, { onHandlerError }) } : part;
  const conductor = quiet(Conductor.agent({ proxies: proxies.map(quiet), agent: quiet(agent.builder) }));
  return Client.builder().connectWith(conductor, async (client) => {
    await client.sendRequest(InitializeRequest, { protocolVersion: 1 }).result();
    await client.sendRequest(NewSessionRequest, { cwd: "/", mcpServers: [] }).result();
    return use({ client, agent, errors });
  });
}

export const INITIALIZE = {
  protocolVersion: "2025-11-25",
  capabilities: { sampling: {} },
  clientInfo: { name: "tests", version: "7" },
};

/** An MCP session of the agent's with a declared server. */
export async function mcpSession(
  cx: ConnectionTo,
  declaration: Pick<McpDeclaration, "serverId">,
  revision?: McpRevision,
  options: SessionOptions = {},
): Promise<Session> {
  const transport = mcpOverAcp(cx, declaration, revision === undefined ? {} : { revision });
  const session = await connect(transport, { dialect: mcp, ...options });
  onTestFinished(() => session.close());
  await session.call("initialize", INITIALIZE);
  await session.notify("notifications/initialized");
  return session;
}

export interface Result {
  readonly content: readonly { readonly text: string }[];
  readonly structuredContent?: unknown;
}

export async function textOfTool(session: Session, name: string, args: object = {}): Promise<string> {
  const { content } = await session.call<Result>("tools/call", { name, arguments: args });
  return content[0]!.text;
}

/** A server with one tool, which gives back what it is given. */
export function echoServer(name: string = "echo"): McpServer {
  return mcpServer({
    name,
    version: "1",
    tools: { echo: tool({ run: ({ text }) => `${name}: ${String(text)}` }) },
  });
}

/** A promise, and what settles it. */
export function gate<T = void>(): { readonly passed: Promise<T>; open(value: T): void } {
  let open!: (value: T) => void;
  const passed = new Promise<T>((resolve) => (open = resolve));
  return { passed, open };
}
