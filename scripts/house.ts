// Who may depend on whom: ARCHITECTURE.md section 1 as a table, for scripts/arrows.ts. Change both together.

/** `pure`: no promise, timer, clock, randomness, console or I/O. `web`: no Effect. `effect`: Effect by deep imports. */
export type Kind = "pure" | "web" | "effect";

export interface Room {
  readonly kind: Kind;
  /** The packages of the house it may import. */
  readonly may: readonly string[];
  /** Files of an `effect` room that may import `node:` all the same; what browsers load must not import them. */
  readonly node?: readonly string[];
}

const transport: Room = { kind: "web", may: ["transport", "codec"] };
const protocol: Room = { kind: "effect", may: ["session", "core", "streams", "codec", "transport"] };

export const HOUSE: Readonly<Record<string, Room>> = {
  codec: { kind: "pure", may: [] },
  streams: { kind: "pure", may: ["codec"] },
  core: { kind: "pure", may: ["streams", "codec"] },
  transport: { kind: "web", may: [] },
  stdio: transport,
  ws: transport,
  http: transport,
  session: { kind: "effect", may: ["core", "streams", "codec", "transport"] },
  exec: {
    ...protocol,
    may: [...protocol.may, "stdio", "ws"],
    node: ["local", "executor", "process", "pty", "file", "environment", "cli"],
  },
  mcp: { ...protocol, may: [...protocol.may, "exec"] },
  acp: {
    ...protocol,
    may: [...protocol.may, "stdio", "mcp"],
    node: ["cli", "polyfill", "agent-process"],
  },
  rapace: protocol,
};

/** Names a pure package may not mention, with the way out. Types count too: a Promise in a type is a promise to wait. */
const TIME = "time comes in as a number; let the caller keep the clock";
const WAIT = "answer with a value or through the sink; waiting belongs to session";
const OUTSIDE = "work comes out as values; I/O belongs to a transport";
export const IMPURE: Readonly<Record<string, string>> = {
  setTimeout: TIME,
  clearTimeout: TIME,
  setInterval: TIME,
  clearInterval: TIME,
  setImmediate: TIME,
  requestAnimationFrame: TIME,
  performance: TIME,
  queueMicrotask: WAIT,
  Promise: WAIT,
  PromiseLike: WAIT,
  AsyncIterable: WAIT,
  AsyncGenerator: WAIT,
  crypto: "randomness comes in as an argument",
  console: "report through a value or an event",
  process: OUTSIDE,
  fetch: OUTSIDE,
  XMLHttpRequest: OUTSIDE,
  WebSocket: OUTSIDE,
  ReadableStream: OUTSIDE,
  WritableStream: OUTSIDE,
  TransformStream: OUTSIDE,
  Deno: OUTSIDE,
  Bun: OUTSIDE,
  globalThis: "name the global itself, so that this check can see it",
};

/** Members of otherwise pure objects. */
export const IMPURE_MEMBERS: Readonly<Record<string, string>> = {
  "Date.now": TIME,
  "Math.random": "randomness comes in as an argument",
};
