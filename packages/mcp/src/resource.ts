import { toBase64 } from "@sluice/codec";
import type { ResourceContents } from "./content.ts";
import type { RequestContext } from "./request-context.ts";

/** What a client is told of a resource, and what reads it; `mcpServer` has them by their URIs. */
export interface Resource {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
  /** Bytes, if it is known. */
  readonly size?: number;
  readonly annotations?: Readonly<Record<string, unknown>>;
  readonly icons?: readonly Readonly<Record<string, unknown>>[];
  readonly _meta?: Readonly<Record<string, unknown>>;
  /** Its text, its bytes, or several contents with URIs of their own. */
  read(context: RequestContext): ResourceOutput | PromiseLike<ResourceOutput>;
}

export type ResourceOutput = string | Uint8Array | readonly ResourceContents[];

export async function readResource(
  uri: string,
  resource: Resource,
  context: RequestContext,
): Promise<{ readonly contents: readonly ResourceContents[] }> {
  const given = await resource.read(context);
  if (typeof given !== "string" && !(given instanceof Uint8Array)) return { contents: given };
  const { mimeType } = resource;
  const about = { uri, ...(mimeType !== undefined && { mimeType }) };
  const content = typeof given === "string" ? { ...about, text: given } : { ...about, blob: toBase64(given) };
  return { contents: [content] };
}

/** What `resources/list` says of it. */
export function resourceListing(uri: string, { read: _, ...rest }: Resource): object {
  return { uri, ...rest };
}
