// An MCP server: handlers for any number of sessions, and what they have in common. A client says who it is by
// `initialize`; before that it is answered nothing but `ping`.
import { ErrorCode } from "@sluice/codec";
import {
  mcp,
  RpcError,
  type Handler,
  type HandlerContext,
  type NotificationHandler,
  type Session,
  type SessionOptions,
} from "@sluice/session";
import { Catalog, type Page } from "./catalog.ts";
import { Peer, type ClientInfo } from "./client-peer.ts";
import { isLogLevel, type LogLevel } from "./log-level.ts";
import { isObject } from "./message.ts";
import { getPrompt, promptListing, type Prompt } from "./prompt.ts";
import { PeerContext } from "./request-context.ts";
import { readResource, resourceListing, type Resource } from "./resource.ts";
import type { Tool } from "./tool.ts";
import { settledVersion } from "./versions.ts";

export interface McpServerOptions {
  readonly name: string;
  readonly version: string;
  readonly title?: string;
  /** How to use the server, for the client's model. */
  readonly instructions?: string;
  /** By name; see `tool`. */
  readonly tools?: Readonly<Record<string, Tool>>;
  /** By URI. */
  readonly resources?: Readonly<Record<string, Resource>>;
  /** By name. */
  readonly prompts?: Readonly<Record<string, Prompt>>;
  /** How many a page of a list has. Default 100. */
  readonly pageSize?: number;
}

/** @throws RangeError where `pageSize` is not above 0 */
export function mcpServer(options: McpServerOptions): McpServer {
  return new McpServer(options);
}

export class McpServer {
  /** For `serve` or `connect` of @sluice/session, once for each client. */
  readonly options: Pick<SessionOptions, "dialect" | "handlers" | "notifications">;
  /** What may be added to and removed from at any time: clients are told. */
  readonly tools: Catalog<Tool>;
  readonly resources: Catalog<Resource>;
  readonly prompts: Catalog<Prompt>;
  readonly #options: McpServerOptions;
  readonly #pageSize: number;
  readonly #peers = new Map<Session, Peer>();

  constructor(options: McpServerOptions) {
    const { tools = {}, resources = {}, prompts = {}, pageSize = 100 } = options;
    if (!(pageSize > 0)) throw new RangeError(`pageSize must be above 0, not ${pageSize}`);
    this.#options = options;
    this.#pageSize = pageSize;
    this.tools = new Catalog(tools, () => this.#tell("tools/list_changed"));
    this.resources = new Catalog(resources, () => this.#tell("resources/list_changed"));
    this.prompts = new Catalog(prompts, () => this.#tell("prompts/list_changed"));
    this.options = { dialect: mcp, handlers: this.#handlers(), notifications: NOTIFICATIONS };
  }

  get name(): string {
    return this.#options.name;
  }

  /** Clients there are. */
  get clients(): number {
    return this.#peers.size;
  }

  /** Tells those who have subscribed to a resource that it has changed. */
  updated(uri: string): void {
    for (const peer of this.#peers.values())
      if (peer.subscribed.has(uri)) unheard(peer.notify("resources/updated", { uri }));
  }

  /** Tells all clients that want to hear of that level. `data` is any JSON value. */
  log(level: LogLevel, data: unknown, logger?: string): void {
    for (const peer of this.#peers.values()) unheard(peer.log(level, data, logger));
  }

  #tell(method: string): void {
    for (const peer of this.#peers.values()) unheard(peer.notify(method));
  }

  #handlers(): Record<string, Handler> {
    const { tools, resources, prompts } = this;
    return {
      initialize: (params: unknown, context) => this.#initialize(params, context),
      ping: () => ({}),
      "logging/setLevel": this.#for((params, { client }) => {
        const level = params["level"];
        if (!isLogLevel(level)) throw invalid("level is none of RFC 5424's");
        client.level = level;
      }),
      "tools/list": this.#for(({ cursor }) => {
        const page = tools.page(cursor, this.#pageSize);
        return listing("tools", page, (name, { listing: rest }) => ({ name, ...rest }));
      }),
      "tools/call": this.#for((params, context) => {
        const { args, item } = named(tools, params, "name", "no such tool: ask tools/list");
        return item.call(args, context);
      }),
      "resources/list": this.#for(({ cursor }) =>
        listing("resources", resources.page(cursor, this.#pageSize), resourceListing),
      ),
      "resources/templates/list": this.#for(() => ({ resourceTemplates: [] })),
      "resources/read": this.#for((params, context) => {
        const { name, item } = named(
          resources,
          params,
          "uri",
          "no such resource: ask resources/list",
          -32002,
        );
        return readResource(name, item, context);
      }),
      "resources/subscribe": this.#for((params, { client }) => {
        const { name } = named(resources, params, "uri", "no such resource: ask resources/list", -32002);
        client.subscribed.add(name);
      }),
      "resources/unsubscribe": this.#for(({ uri }, { client }) => {
        if (typeof uri !== "string") throw invalid("uri is missing");
        client.subscribed.delete(uri);
      }),
      "prompts/list": this.#for(({ cursor }) =>
        listing("prompts", prompts.page(cursor, this.#pageSize), promptListing),
      ),
      "prompts/get": this.#for((params, context) => {
        const { args, item } = named(prompts, params, "name", "no such prompt: ask prompts/list");
        return getPrompt(item, args, context);
      }),
    };
  }

  #initialize(params: unknown, { session }: HandlerContext): object {
    if (this.#peers.has(session)) throw new RpcError(ErrorCode.invalidRequest, "this session is initialized");
    const { protocolVersion: asked, capabilities, clientInfo } = isObject(params) ? params : {};
    if (typeof asked !== "string") throw invalid("protocolVersion is missing");
    if (!isClientInfo(clientInfo)) throw invalid("clientInfo with name and version is missing");
    const protocolVersion = settledVersion(asked);
    const said = {
      info: clientInfo,
      capabilities: isObject(capabilities) ? capabilities : {},
      protocolVersion,
    };
    this.#peers.set(session, new Peer(session, said));
    session.defer(() => void this.#peers.delete(session));
    const { name, version, title, instructions } = this.#options;
    return {
      protocolVersion,
      capabilities: {
        tools: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        prompts: { listChanged: true },
        logging: {},
      },
      serverInfo: { name, version, ...(title !== undefined && { title }) },
      ...(instructions !== undefined && { instructions }),
    };
  }

  /** A handler for clients that have said who they are. Without a result it answers with an empty one. */
  #for(run: (params: Readonly<Record<string, unknown>>, context: PeerContext) => unknown): Handler {
    return async (params: unknown, handlerContext) => {
      const peer = this.#peers.get(handlerContext.session);
      if (peer === undefined)
        throw new RpcError(ErrorCode.invalidRequest, 'call initialize first (MCP "Lifecycle")');
      const context = new PeerContext(peer, params, handlerContext);
      try {
        return (await run(isObject(params) ? params : {}, context)) ?? {};
      } finally {
        context.end();
      }
    };
  }
}

const NOTIFICATIONS: Readonly<Record<string, NotificationHandler>> = {
  "notifications/initialized": () => {},
};

/** A client that does not read has this, too, to be without. */
function unheard(told: Promise<void>): void {
  told.catch(() => {});
}

function listing<T>(
  kind: string,
  { entries, nextCursor }: Page<T>,
  of: (name: string, item: T) => object,
): object {
  const all = entries.map(([name, item]) => of(name, item));
  return { [kind]: all, ...(nextCursor !== undefined && { nextCursor }) };
}

/** What the params name. */
function named<T>(
  catalog: Catalog<T>,
  params: Readonly<Record<string, unknown>>,
  member: "name" | "uri",
  missing: string,
  code: number = ErrorCode.invalidParams,
): { readonly name: string; readonly args: unknown; readonly item: T } {
  const name = params[member];
  if (typeof name !== "string") throw invalid(`${member} is missing`);
  const item = catalog.get(name);
  if (item === undefined) throw new RpcError(code, missing);
  return { name, args: params["arguments"], item };
}

function invalid(message: string): RpcError {
  return new RpcError(ErrorCode.invalidParams, message);
}

function isClientInfo(value: unknown): value is ClientInfo {
  return isObject(value) && typeof value["name"] === "string" && typeof value["version"] === "string";
}
