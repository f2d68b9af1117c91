// The client of the Agent Client Protocol's own SDK, as the cases drive it: 2.4, and 1.9 which has the same `client()`.
// Known methods go by the SDK's typed handlers, so that its schemas validate what comes.
import * as sdk2 from "@agentclientprotocol/sdk";
import * as sdk1 from "acp-sdk-1";
import { AgentProcess } from "./agent-process.ts";
import type { AcpClientUnderTest, AcpConnection, AcpHost } from "./case.ts";
import { MethodNotFound } from "./method-not-found.ts";
import { oneByOne } from "./one-by-one.ts";

/** What is used of it. Its classes have private members, so those of 1.9 are no types of 2.4's to the compiler. */
type Sdk = Pick<typeof sdk2, "client" | "methods" | "ndJsonStream" | "RequestError">;

export const sdk24Client: AcpClientUnderTest = clientOf("SDK 2.4", sdk2);
export const sdk19Client: AcpClientUnderTest = clientOf("SDK 1.9", sdk1 as unknown as Sdk);

function clientOf(name: string, sdk: Sdk): AcpClientUnderTest {
  return {
    name,
    async connect(command, host) {
      const agent = await AgentProcess.start(command);
      const stream = oneByOne(sdk.ndJsonStream(agent.input, agent.output));
      const connection = app(sdk, host).connect(stream);
      return new SdkConnection(agent, connection);
    },
  };
}

function app({ client, methods, RequestError }: Sdk, host: AcpHost): sdk2.ClientApp {
  const { fs, session, terminal } = methods.client;
  const answer = async <T>(method: string, params: unknown): Promise<T> => {
    try {
      return (await host.request(method, params)) as T;
    } catch (error) {
      throw error instanceof MethodNotFound ? RequestError.methodNotFound(method) : error;
    }
  };
  return client({ name: "cases" })
    .onRequest(session.requestPermission, ({ params }) => answer(session.requestPermission, params))
    .onRequest(fs.readTextFile, ({ params }) => answer(fs.readTextFile, params))
    .onRequest(fs.writeTextFile, ({ params }) => answer(fs.writeTextFile, params))
    .onRequest(terminal.create, ({ params }) => answer(terminal.create, params))
    .onRequest(terminal.output, ({ params }) => answer(terminal.output, params))
    .onRequest(terminal.waitForExit, ({ params }) => answer(terminal.waitForExit, params))
    .onRequest(terminal.kill, ({ params }) => answer(terminal.kill, params))
    .onRequest(terminal.release, ({ params }) => answer(terminal.release, params))
    .onNotification(session.update, ({ params }) => host.notification(session.update, params))
    .onRequest("_test/echo", untouched, ({ params }) => answer("_test/echo", params))
    .onNotification("_test/note", untouched, ({ params }) => host.notification("_test/note", params));
}

function untouched(params: unknown): unknown {
  return params;
}

class SdkConnection implements AcpConnection {
  readonly #agent: AgentProcess;
  readonly #connection: sdk2.ClientConnection;

  constructor(agent: AgentProcess, connection: sdk2.ClientConnection) {
    this.#agent = agent;
    this.#connection = connection;
  }

  request(method: string, params: unknown, signal?: AbortSignal): Promise<unknown> {
    return this.#connection.agent.request(method, params, signal && { cancellationSignal: signal });
  }

  notify(method: string, params: unknown): Promise<void> {
    return this.#connection.agent.notify(method, params);
  }

  async close(): Promise<void> {
    const how = await this.#agent.stop();
    this.#connection.close();
    await this.#connection.closed;
    if (how === "killed") throw new Error(`the agent did not end with its input: ${this.#agent.errors}`);
  }
}
