// The peers of our own: the client in this process, the agent, the proxy and the conductor programs run by Node.
import { fileURLToPath } from "node:url";
import { agentMethods, Client, clientMethods, methodNotFound, type ConnectionToAgent } from "@sluice/acp";
import { RpcError } from "@sluice/session";
import {
  notification,
  request,
  type Builder,
  type NotificationType,
  type RequestType,
} from "@sluice/session/builder";
import { spawn, type ChildTransport } from "@sluice/stdio";
import type { AcpAgentUnderTest, AcpClientUnderTest, AcpConnection, AcpHost, Command } from "./case.ts";
import { conductorChain, type AcpChainUnderTest } from "./chain.ts";
import { MethodNotFound } from "./method-not-found.ts";

const NAME = "Sluice";

export const sluiceClient: AcpClientUnderTest = {
  name: NAME,
  async connect([command, ...args], host) {
    const child = spawn(command, args);
    const ready = Promise.withResolvers<ConnectionToAgent>();
    const done = Promise.withResolvers<void>();
    const over = app(host).connectWith(child, async (cx) => {
      ready.resolve(cx);
      await done.promise;
    });
    over.catch(ready.reject);
    return new SluiceConnection(await ready.promise, child, () => {
      done.resolve();
      return over;
    });
  },
};

type AnyType = RequestType | NotificationType;

const EXTENSIONS: readonly AnyType[] = [request("_test/echo"), notification("_test/note")];

function app(host: AcpHost): Builder<ConnectionToAgent> {
  const builder = Client.builder().name("cases");
  for (const type of [...(Object.values(clientMethods) as AnyType[]), ...EXTENSIONS]) {
    const { method } = type;
    if (type.kind === "notification")
      builder.onReceiveNotification(type, (params) => host.notification(method, params));
    else
      builder.onReceiveRequest(type, (params, responder, cx) => {
        // Beside the connection: what the host waits for may only come later.
        cx.spawn(async () => {
          try {
            responder.respond(await host.request(method, params));
          } catch (error) {
            responder.respondWithError(answerTo(method, error));
          }
        });
      });
  }
  return builder;
}

/** What the agent is told of an error of the host's. */
function answerTo(method: string, error: unknown): unknown {
  if (error instanceof MethodNotFound) return methodNotFound(method);
  if (error instanceof Error && "code" in error) return new RpcError(Number(error.code), error.message);
  return error;
}

class SluiceConnection implements AcpConnection {
  readonly #cx: ConnectionToAgent;
  readonly #child: ChildTransport;
  readonly #end: () => Promise<void>;

  constructor(cx: ConnectionToAgent, child: ChildTransport, end: () => Promise<void>) {
    this.#cx = cx;
    this.#child = child;
    this.#end = end;
  }

  request(method: string, params: unknown, signal?: AbortSignal): Promise<unknown> {
    const known = agentMethods as Readonly<Record<string, AnyType | undefined>>;
    const type = known[method] ?? request(method);
    if (type.kind === "notification") throw new TypeError(`${method} is a notification`);
    const sent = this.#cx.sendRequest(type, params);
    if (signal !== undefined) sent.cancelWith(signal);
    return sent.result();
  }

  notify(method: string, params: unknown): Promise<void> {
    return this.#cx.sendNotification(notification(method), params);
  }

  async close(): Promise<void> {
    await this.#end();
    const { signal } = await this.#child.exited;
    if (signal !== null) throw new Error(`the agent did not end with its input: ${this.#child.stderr()}`);
  }
}

function program(file: string): Command {
  return ["node", fileURLToPath(new URL(file, import.meta.url))];
}

export const sluiceAgent: AcpAgentUnderTest = {
  name: NAME,
  script: "words",
  command: program("./peers/sluice-agent.ts"),
};

export const sluiceProxy: Command = program("./peers/sluice-proxy.ts");
export const sluiceConductor: Command = program("./peers/sluice-conductor.ts");

export const sluiceChain: AcpChainUnderTest = conductorChain(NAME, sluiceConductor, sluiceProxy);
