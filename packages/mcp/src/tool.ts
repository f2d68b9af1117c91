// A tool: what a client is told of it, and how a call of it is checked, run and answered. What goes wrong in the tool, its
// arguments included, is a result with `isError`, so that a model can read it and try otherwise (MCP "Error Handling",
// SEP-1303); an `RpcError` is an answer of its own.
import { RpcError } from "@sluice/session";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { textContent, type Content } from "./content.ts";
import { objectSchema, type JsonSchema } from "./json-schema.ts";
import { isObject } from "./message.ts";
import type { RequestContext } from "./request-context.ts";

export interface ToolResult {
  readonly content: readonly Content[];
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly isError?: boolean;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** What a tool without `output` may give: a text, a number or a boolean as text, contents, or the whole result. */
export type ToolOutput = string | number | boolean | readonly Content[] | ToolResult | undefined | void;

type Maybe<T> = T | PromiseLike<T>;
type Schema = StandardSchemaV1 | undefined;
type Arguments<I> = I extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<I> : Record<string, unknown>;
type Output<O> = O extends StandardSchemaV1 ? StandardSchemaV1.InferInput<O> : ToolOutput;

export interface ToolDefinition<I extends Schema = undefined, O extends Schema = undefined> {
  readonly title?: string;
  readonly description?: string;
  /** Such as `{ readOnlyHint: true }`. */
  readonly annotations?: Readonly<Record<string, unknown>>;
  readonly icons?: readonly Readonly<Record<string, unknown>>[];
  readonly _meta?: Readonly<Record<string, unknown>>;
  /** What it takes, by a schema of any Standard Schema vendor. Default: no arguments are asked for, nor checked. */
  readonly input?: I;
  /** What clients are told of `input`, where the schema cannot say it itself. */
  readonly inputSchema?: JsonSchema;
  /** What it gives. It is sent as `structuredContent`, and for old clients as text. */
  readonly output?: O;
  readonly outputSchema?: JsonSchema;
  /** Runs it. What it throws is the error that the client, and so the model, reads. */
  run(args: Arguments<I>, context: RequestContext): Maybe<Output<O>>;
}

/** A tool, ready for `mcpServer`. */
export interface Tool {
  /** What `tools/list` says of it, without its name. */
  readonly listing: Readonly<Record<string, unknown>>;
  call(args: unknown, context: RequestContext): Promise<ToolResult>;
}

/** @throws TypeError where clients cannot be told what it takes or gives, see `inputSchema`. */
export function tool<const I extends Schema = undefined>(definition: ToolDefinition<I>): Tool;
export function tool<const O extends StandardSchemaV1, const I extends Schema = undefined>(
  definition: ToolDefinition<I, O>,
): Tool;
export function tool(definition: ToolDefinition<Schema, Schema>): Tool {
  const { run, input, inputSchema, output, outputSchema, ...rest } = definition;
  const listing = {
    ...rest,
    inputSchema:
      input === undefined ? (inputSchema ?? { type: "object" }) : objectSchema(input, inputSchema, "input"),
    ...(output !== undefined && { outputSchema: objectSchema(output, outputSchema, "output") }),
  };
  return {
    listing,
    async call(args = {}, context) {
      const checked =
        input === undefined ? { value: isObject(args) ? args : {} } : await input["~standard"].validate(args);
      if (checked.issues !== undefined) return failure(`invalid arguments: ${describe(checked.issues)}`);
      let given: unknown;
      try {
        given = await run(checked.value, context);
      } catch (error) {
        if (error instanceof RpcError) throw error;
        return failure(error instanceof Error ? error.message : String(error));
      }
      return output === undefined ? resultOf(given as ToolOutput) : structured(output, given);
    },
  };
}

function resultOf(given: ToolOutput): ToolResult {
  if (given === undefined) return { content: [] };
  if (typeof given !== "object") return { content: [textContent(String(given))] };
  return "content" in given ? given : { content: given };
}

/** What is not as `output` says is a mistake of the tool's: the client is told that there was one, and no more. */
async function structured(output: StandardSchemaV1, given: unknown): Promise<ToolResult> {
  const checked = await output["~standard"].validate(given);
  if (checked.issues !== undefined)
    throw new Error(`what the tool gave is not what its output says: ${describe(checked.issues)}`);
  const { value } = checked;
  if (!isObject(value))
    throw new Error("what the tool gave is no object: MCP takes no other structured content");
  return { content: [textContent(JSON.stringify(value))], structuredContent: value };
}

function failure(text: string): ToolResult {
  return { content: [textContent(text)], isError: true };
}

/** The places and the reasons, in the schema's own words. */
function describe(issues: readonly StandardSchemaV1.Issue[]): string {
  const place = ({ path = [] }: StandardSchemaV1.Issue): string =>
    path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  return issues
    .map((issue) => (place(issue) === "" ? issue.message : `${place(issue)}: ${issue.message}`))
    .join("; ");
}
