// How to start a program, as people write it into settings: a line as for a shell, or JSON.
import { split } from "shlex";

export interface AgentCommand {
  /** A program on PATH, or its path. */
  readonly command: string;
  readonly args?: readonly string[];
  /** Added to our environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Reads a line of shell words, `NAME=value program 'an argument'`, or a JSON object `{ "command", "args"?, "env"? }`. Words are split
 * and quotes taken off as a POSIX shell does; it is no shell: variables, pipes and patterns are words like others.
 * @throws TypeError that says what is wrong with it.
 */
export function readAgentCommand(text: string): AgentCommand {
  if (text.trimStart().startsWith("{")) return ofJson(text);
  try {
    return agentCommandOf(split(text));
  } catch (cause) {
    if (cause instanceof TypeError) throw cause;
    throw invalid("a quote is not closed, or the line ends in a backslash", cause);
  }
}

/** Of words: those in front that say `NAME=value` are its environment. @throws TypeError where no program is among them. */
export function agentCommandOf(words: readonly string[]): AgentCommand {
  const at = words.findIndex((word) => !ASSIGNMENT.test(word));
  const [command, ...args] = at < 0 ? [] : words.slice(at);
  if (command === undefined || command === "") throw invalid("there is no program in it");
  const env = words.slice(0, at).map((word): [string, string] => {
    const equals = word.indexOf("=");
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
  return { command, args, env: Object.fromEntries(env) };
}

const ASSIGNMENT = /^[A-Za-z_][A-Za-z0-9_]*=/;
const MEMBERS = "command, args and env";

function ofJson(text: string): AgentCommand {
  const { command, args = [], env = {}, ...rest } = parse(text);
  const [unknown] = Object.keys(rest);
  // An MCP server's settings look much the same, and are none.
  if (unknown !== undefined)
    throw invalid(`it has a member ${JSON.stringify(unknown)}: there are ${MEMBERS}`);
  if (typeof command !== "string" || command === "") throw invalid("its command must be a string");
  if (!Array.isArray(args) || !args.every((arg): arg is string => typeof arg === "string"))
    throw invalid("its args must be an array of strings");
  if (!isRecord(env) || !Object.values(env).every((value) => typeof value === "string"))
    throw invalid("its env must be an object of strings");
  return { command, args, env: env as Record<string, string> };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw invalid("it begins with { and is no JSON", cause);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(why: string, cause?: unknown): TypeError {
  const forms = `write it as for a shell, NAME=value program 'an argument', or as JSON with ${MEMBERS}`;
  return new TypeError(`this is not the command line of an agent: ${why}. To mend it, ${forms}`, { cause });
}
