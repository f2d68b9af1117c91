// A client, proxies and an agent on stage; and a gate between what happens and who waits for it.
import {
  Agent,
  Client,
  Conductor,
  InitializeRequest,
  mcpDeclarations,
  NewSessionRequest,
  type ConnectionToAgent,
  type Part,
} from "@sluice/acp";
import { request, type ConnectionTo } from "@sluice/session/builder";

export interface Stage {
  readonly client: ConnectionToAgent;
  /** The agent's own connection. */
  readonly agent: ConnectionTo;
  /** The servers that the agent's last session was given. */
  readonly servers: readonly Record<string, unknown>[];
  /** The id of the first of them that is spoken to over ACP. */
  readonly serverId: string;
}

/** Runs `use` once a session has been set up. `mcp`: what the agent says of servers that it takes. */
export async function onStage<T>(
  proxies: readonly Part[],
  mcp: object,
  use: (stage: Stage) => Promise<T>,
): Promise<T> {
  let stage: Omit<Stage, "client"> | undefined;
  const agent = Agent.builder()
    .onReceiveRequest(InitializeRequest, (_, responder) =>
      responder.respond({ protocolVersion: 1, agentCapabilities: { mcpCapabilities: mcp } }),
    )
    .onReceiveRequest(
      request<{ mcpServers: Record<string, unknown>[] }>("session/new"),
      ({ mcpServers }, responder, cx) => {
        const [declaration] = mcpDeclarations(mcpServers);
        stage = { agent: cx, servers: mcpServers, serverId: declaration?.serverId ?? "" };
        responder.respond({ sessionId: "s" });
      },
    );
  return Client.builder().connectWith(Conductor.agent({ proxies, agent }), async (client) => {
    await client.sendRequest(InitializeRequest, { protocolVersion: 1 }).result();
    await client.sendRequest(NewSessionRequest, { cwd: "/", mcpServers: [] }).result();
    return use({ ...stage!, client });
  });
}

/** What is heard, and a wait for it. */
export class Heard<T> {
  readonly all: T[] = [];
  #waiting: { readonly until: () => boolean; readonly resolve: () => void }[] = [];

  push(what: T): void {
    this.all.push(what);
    this.#waiting = this.#waiting.filter(({ until, resolve }) => (until() ? resolve() : true));
  }

  until(until: () => boolean): Promise<void> {
    if (until()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ until, resolve }));
  }
}
