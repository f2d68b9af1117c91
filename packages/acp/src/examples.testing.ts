// A message of each kind, as two programs would send it.
import * as acp from "./index.ts";

const session = { sessionId: "sess_1" };
const text = { type: "text", text: "hello" };
const option = { value: "fast", name: "Fast", description: null };
const select = {
  id: "model",
  name: "Model",
  category: "model",
  type: "select",
  currentValue: "fast",
  options: [option],
};
const grouped = {
  ...select,
  options: [{ group: "g", name: "Group", options: [option] }],
  _meta: { "a.test": 1 },
};
const onOff = { id: "web", name: "Web", type: "boolean", currentValue: true };
const modes = { currentModeId: "ask", availableModes: [{ id: "ask", name: "Ask", description: "asks" }] };
const stdio = { name: "files", command: "/bin/mcp", args: ["--stdio"], env: [{ name: "KEY", value: "v" }] };
const http = { type: "http", name: "api", url: "https://a.test/mcp", headers: [{ name: "X", value: "y" }] };

/** By method: params, or results, that are as they should be. */
interface Examples {
  readonly params: readonly unknown[];
  readonly results?: readonly unknown[];
}

/** Blocks of content, one of each type. */
export const BLOCKS: readonly Record<string, unknown>[] = [
  { ...text, annotations: { audience: ["user", "assistant"], priority: 0.5, lastModified: "2026-01-01" } },
  { type: "image", data: "AA==", mimeType: "image/png", uri: null },
  { type: "audio", data: "AA==", mimeType: "audio/wav" },
  { type: "resource_link", name: "a", uri: "file:///a", size: 3, title: null, description: "d" },
  { type: "resource", resource: { uri: "file:///a", text: "x", mimeType: "text/plain" } },
  { type: "resource", resource: { uri: "file:///a", blob: "AA==" } },
];

/** Updates of a session, one of each kind. */
export const UPDATES: readonly Record<string, unknown>[] = [
  { sessionUpdate: "user_message_chunk", content: text },
  { sessionUpdate: "agent_message_chunk", content: text, messageId: "m1" },
  { sessionUpdate: "agent_thought_chunk", content: text },
  {
    sessionUpdate: "tool_call",
    toolCallId: "c1",
    title: "Reading",
    kind: "read",
    status: "pending",
    content: [
      { type: "content", content: text },
      { type: "diff", path: "/a", oldText: null, newText: "b" },
      { type: "terminal", terminalId: "t1" },
    ],
    locations: [{ path: "/a", line: 3 }],
    rawInput: { any: ["thing"] },
  },
  { sessionUpdate: "tool_call_update", toolCallId: "c1", status: "completed", title: null, rawOutput: 7 },
  { sessionUpdate: "plan", entries: [{ content: "look", priority: "high", status: "in_progress" }] },
  {
    sessionUpdate: "available_commands_update",
    availableCommands: [{ name: "test", description: "runs them", input: { hint: "which" } }],
  },
  { sessionUpdate: "current_mode_update", currentModeId: "code" },
  { sessionUpdate: "config_option_update", configOptions: [select, grouped, onOff] },
  { sessionUpdate: "session_info_update", title: "A title", updatedAt: "2026-01-01T00:00:00Z" },
  { sessionUpdate: "usage_update", used: 10, size: 100, cost: { amount: 0.5, currency: "USD" } },
  { sessionUpdate: "notice", severity: "info", title: "Careful", description: null },
  { sessionUpdate: "compaction_update", compactionId: "k1", status: "completed", summary: [text] },
  { sessionUpdate: "compaction_summary_chunk", compactionId: "k1", content: text },
];

export const EXAMPLES: Readonly<Record<string, Examples>> = {
  initialize: {
    params: [
      { protocolVersion: 1 },
      {
        protocolVersion: 1,
        clientCapabilities: {
          fs: { readTextFile: true, writeTextFile: false },
          terminal: true,
          session: { compaction: {}, configOptions: { boolean: {} }, notices: null },
          elicitation: { form: {}, url: null },
          _meta: { "editor.test": { version: "1.0", tabs: true } },
        },
        clientInfo: { name: "editor", title: "Editor", version: "1.0.0" },
      },
    ],
    results: [
      {
        protocolVersion: 1,
        agentCapabilities: {
          loadSession: true,
          promptCapabilities: { image: true, audio: false, embeddedContext: true },
          mcpCapabilities: { http: true, sse: false },
          sessionCapabilities: { list: {}, resume: null },
          auth: { logout: {} },
        },
        authMethods: [
          { id: "key", name: "API key", description: null },
          { id: "login", name: "Log in", type: "terminal", args: ["login"], env: { TERM: "dumb" } },
        ],
        agentInfo: null,
      },
    ],
  },
  authenticate: { params: [{ methodId: "key" }], results: [{}] },
  logout: { params: [{}], results: [{ _meta: null }] },
  "session/new": {
    params: [
      { cwd: "/a", mcpServers: [] },
      { cwd: "/a", additionalDirectories: ["/b"], mcpServers: [stdio, http, { ...http, type: "sse" }] },
      { cwd: "/a", mcpServers: [{ type: "stdio", ...stdio }] },
    ],
    results: [session, { ...session, modes, configOptions: [select, onOff] }],
  },
  "session/load": { params: [{ ...session, cwd: "/a", mcpServers: [stdio] }], results: [{ modes }, {}] },
  "session/resume": { params: [{ ...session, cwd: "/a" }], results: [{ configOptions: null }] },
  "session/list": {
    params: [{ cwd: "/a", cursor: null }],
    results: [{ sessions: [{ ...session, cwd: "/a", title: "One", updatedAt: null }], nextCursor: "2" }],
  },
  "session/delete": { params: [session], results: [{}] },
  "session/close": { params: [session], results: [{}] },
  "session/set_mode": { params: [{ ...session, modeId: "code" }], results: [{}] },
  "session/set_config_option": {
    params: [
      { ...session, configId: "model", value: "fast" },
      { ...session, configId: "model", type: "value_id", value: "fast" },
      { ...session, configId: "web", type: "boolean", value: false },
    ],
    results: [{ configOptions: [grouped, onOff] }],
  },
  "session/prompt": {
    params: [{ ...session, prompt: BLOCKS }],
    results: ["end_turn", "max_tokens", "max_turn_requests", "refusal", "cancelled"].map((stopReason) => ({
      stopReason,
    })),
  },
  "session/cancel": { params: [session] },
  "session/update": { params: UPDATES.map((update) => ({ ...session, update })) },
  "session/request_permission": {
    params: [
      {
        ...session,
        toolCall: { toolCallId: "c1", kind: null },
        options: ["allow_once", "allow_always", "reject_once", "reject_always"].map((kind) => ({
          optionId: kind,
          name: kind,
          kind,
        })),
      },
    ],
    results: [
      { outcome: { outcome: "cancelled" } },
      { outcome: { outcome: "selected", optionId: "allow_once" } },
    ],
  },
  "fs/read_text_file": {
    params: [{ ...session, path: "/a", line: 1, limit: null }],
    results: [{ content: "" }],
  },
  "fs/write_text_file": { params: [{ ...session, path: "/a", content: "x" }], results: [{}] },
  "terminal/create": {
    params: [
      { ...session, command: "make" },
      {
        ...session,
        command: "make",
        args: ["-j"],
        env: [{ name: "A", value: "b" }],
        cwd: null,
        outputByteLimit: 9,
      },
    ],
    results: [{ terminalId: "t1" }],
  },
  "terminal/output": {
    params: [{ ...session, terminalId: "t1" }],
    results: [
      { output: "", truncated: false },
      { output: "x", truncated: true, exitStatus: { exitCode: 0, signal: null } },
    ],
  },
  "terminal/wait_for_exit": {
    params: [{ ...session, terminalId: "t1" }],
    results: [{ exitCode: null, signal: "TERM" }],
  },
  "terminal/kill": { params: [{ ...session, terminalId: "t1" }], results: [{}] },
  "terminal/release": { params: [{ ...session, terminalId: "t1" }], results: [{}] },
  "elicitation/create": {
    params: [
      {
        ...session,
        mode: "form",
        message: "Who?",
        requestedSchema: {
          type: "object",
          properties: {
            name: {
              type: "string",
              minLength: 1,
              format: "email",
              enum: null,
              oneOf: [{ const: "a", title: "A" }],
            },
            age: { type: "integer", minimum: 0, default: 3 },
            size: { type: "number", maximum: 1.5 },
            sure: { type: "boolean", default: true },
            tags: { type: "array", items: { type: "string", enum: ["a"] }, default: ["a"] },
            more: { type: "array", items: { anyOf: [{ const: "a", title: "A" }] } },
          },
          required: ["name"],
        },
      },
      { requestId: 3, mode: "url", message: "Log in", elicitationId: "e1", url: "https://a.test" },
    ],
    results: [
      { action: "accept", content: { name: "Ada", age: 3, sure: true, tags: ["a"] } },
      { action: "decline" },
      { action: "cancel", _meta: {} },
    ],
  },
  "elicitation/complete": { params: [{ elicitationId: "e1" }] },
  "$/cancel_request": { params: [{ requestId: 1 }, { requestId: "a" }, { requestId: null }] },
};

type Described =
  | (typeof acp.agentMethods)[keyof typeof acp.agentMethods]
  | (typeof acp.clientMethods)[keyof typeof acp.clientMethods]
  | (typeof acp.protocolMethods)[keyof typeof acp.protocolMethods];

export const METHODS: Readonly<Record<string, Described>> = {
  ...acp.agentMethods,
  ...acp.clientMethods,
  ...acp.protocolMethods,
};

/** What comes of validating. */
export type Outcome =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] }[] };

/** Each example beside the schema that it is for. */
export function examples(): {
  readonly name: string;
  readonly value: unknown;
  validate(value: unknown): Outcome;
}[] {
  return Object.entries(METHODS).flatMap(([method, described]) => {
    const { params, results = [] } = EXAMPLES[method]!;
    const of = (what: string, schema: Described["params"], values: readonly unknown[]) =>
      values.map((value, i) => ({
        name: `${what} of ${method} (${i + 1})`,
        value,
        validate: (given: unknown) => schema!["~standard"].validate(given) as Outcome,
      }));
    return [
      ...of("params", described.params, params),
      ...(described.kind === "request" ? of("result", described.result, results) : []),
    ];
  });
}
