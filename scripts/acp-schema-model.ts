// What ACP's JSON schema says, in the few forms it really uses. Anything else is an error that names the place, so that a
// new release of the schema is either understood or refused.

export type Node =
  | { readonly kind: "any" | "boolean" | "null" }
  | { readonly kind: "string"; readonly min: number }
  | { readonly kind: "number" | "integer"; readonly min?: number; readonly max?: number }
  /** Listed values; any other of the type is one of a later version. */
  | { readonly kind: "enum"; readonly of: "string" | "integer"; readonly values: readonly Value[] }
  | { readonly kind: "array"; readonly items: Node; readonly min: number; readonly skips: boolean }
  | { readonly kind: "record"; readonly values: Node }
  | { readonly kind: "nullable"; readonly of: Node }
  | { readonly kind: "ref"; readonly name: string }
  | { readonly kind: "object"; readonly members: readonly Member[] }
  | Tagged
  | { readonly kind: "union"; readonly options: readonly Node[]; readonly exclusive: boolean }
  | { readonly kind: "all"; readonly parts: readonly Node[] };

export interface Value {
  readonly value: string | number;
  readonly doc: string;
}

export interface Member {
  readonly name: string;
  readonly node: Node;
  readonly required: boolean;
  /** What a malformed one is: an error, as if absent, or (where it is required) an empty list. */
  readonly malformed: "error" | "absent" | "empty list";
  readonly nullIs: undefined | "[]" | "{}";
  readonly doc: string;
}

/** One object of several, told apart by a string. */
export interface Tagged {
  readonly kind: "tagged";
  readonly tag: string;
  readonly cases: readonly { readonly value: string; readonly node: Node; readonly doc: string }[];
  /** Without the tag. `name` is how the same is written with it. */
  readonly untagged: undefined | { readonly node: Node; readonly name: string | undefined };
  /** With a tag that is not listed. */
  readonly other: Node;
}

export interface Definition {
  readonly name: string;
  readonly node: Node;
  readonly doc: string;
  /** Where it is what a method takes or gives. */
  readonly message: undefined | { readonly side: string; readonly method: string };
}

type Json = Readonly<Record<string, unknown>>;

const ANY: Node = { kind: "any" };
const NOTES = new Set(["description", "title", "x-side", "x-method", "x-docs-ignore", "discriminator"]);
const LENIENCY = new Set([
  "default",
  "x-deserialize-default-on-error",
  "x-deserialize-default-on-null",
  "x-deserialize-skip-invalid-items",
]);
const RANGES: Readonly<Record<string, readonly [number?, number?]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint16: [0, 65535],
  uint32: [0, 2 ** 32 - 1],
  // Past 2^53 JSON.parse has rounded them already; that they are whole is all that can be said.
  int64: [],
  uint64: [],
};

/** The definitions in an order in which each stands after those it refers to; envelopes are left out. */
export function definitionsOf(schema: { readonly $defs: Readonly<Record<string, Json>> }): Definition[] {
  const found = new Map<string, Definition>();
  const visit = (name: string, path: readonly string[]): void => {
    if (found.has(name)) return;
    if (path.includes(name)) throw new Error(`${[...path, name].join(" → ")}: checks cannot be recursive`);
    const schemaOf = schema.$defs[name];
    if (schemaOf === undefined)
      throw new Error(`${path.join(" → ")} refers to ${name}, which is not defined`);
    const node = nodeOf(schemaOf, name);
    for (const other of refsOf(node)) visit(other, [...path, name]);
    const { "x-side": side, "x-method": method } = schemaOf as { "x-side"?: string; "x-method"?: string };
    const message = side === undefined || method === undefined ? undefined : { side, method };
    found.set(name, { name, node, doc: docOf(schemaOf), message });
  };
  for (const [name, { "x-docs-ignore": hidden }] of Object.entries(schema.$defs))
    if (hidden !== true) visit(name, []);
  return [...found.values()];
}

export function refsOf(node: Node): string[] {
  switch (node.kind) {
    case "ref":
      return [node.name];
    case "array":
      return refsOf(node.items);
    case "record":
      return refsOf(node.values);
    case "nullable":
      return refsOf(node.of);
    case "object":
      return node.members.flatMap((member) => refsOf(member.node));
    case "union":
      return node.options.flatMap(refsOf);
    case "all":
      return node.parts.flatMap(refsOf);
    case "tagged":
      return [
        ...node.cases.flatMap((one) => refsOf(one.node)),
        ...(node.untagged === undefined ? [] : refsOf(node.untagged.node)),
        ...refsOf(node.other),
      ];
    default:
      return [];
  }
}

function nodeOf(schema: Json, at: string): Node {
  const { type } = schema;
  if (Array.isArray(type)) {
    const [inner, none] = type as string[];
    if (type.length !== 2 || none !== "null") throw unknown(at, "type", type);
    return { kind: "nullable", of: nodeOf({ ...schema, type: inner }, at) };
  }
  const keys = Object.keys(schema).filter((key) => !NOTES.has(key) && !LENIENCY.has(key));
  const only = (...allowed: string[]): void => {
    for (const key of keys) if (!allowed.includes(key)) throw unknown(at, key, schema[key]);
  };
  switch (type) {
    case "null":
    case "boolean":
      only("type");
      return { kind: type };
    case "string":
      // `format` and `contentEncoding` are left to whoever uses the string.
      only("type", "format", "contentEncoding", "minLength");
      return { kind: "string", min: (schema["minLength"] as number | undefined) ?? 0 };
    case "integer":
    case "number":
      only("type", "format", "minimum", "maximum");
      return { kind: type, ...rangeOf(schema, type, at) };
    case "array":
      only("type", "items", "minItems");
      return {
        kind: "array",
        items: nodeOf(schema["items"] as Json, `${at}[]`),
        min: (schema["minItems"] as number | undefined) ?? 0,
        skips: schema["x-deserialize-skip-invalid-items"] === true,
      };
    case "object":
      only("type", "properties", "required", "allOf", "anyOf", "oneOf", "additionalProperties");
      return objectOf(schema, at);
    case undefined:
      only("allOf", "anyOf", "oneOf", "$ref");
      return composedOf(schema, at);
    default:
      throw unknown(at, "type", type);
  }
}

function rangeOf(schema: Json, type: string, at: string): { min?: number; max?: number } {
  const format = schema["format"] as string | undefined;
  const range = format === undefined || type === "number" ? [] : RANGES[format];
  if (range === undefined) throw unknown(at, "format", format);
  const min = Math.max(range[0] ?? -Infinity, (schema["minimum"] as number | undefined) ?? -Infinity);
  const max = Math.min(range[1] ?? Infinity, (schema["maximum"] as number | undefined) ?? Infinity);
  return { ...(min === -Infinity ? {} : { min }), ...(max === Infinity ? {} : { max }) };
}

function objectOf(schema: Json, at: string): Node {
  const { properties, additionalProperties: rest, anyOf, oneOf, allOf } = schema;
  if (properties === undefined && typeof rest === "object")
    return { kind: "record", values: nodeOf(rest as Json, `${at}{}`) };
  if (typeof rest === "object") throw unknown(at, "additionalProperties", rest);
  const parts: Node[] = (allOf as Json[] | undefined)?.map((part) => nodeOf(part, at)) ?? [];
  const members = membersOf(schema, at);
  if (members.length > 0 || (parts.length === 0 && (anyOf ?? oneOf) === undefined))
    parts.push({ kind: "object", members });
  if ((anyOf ?? oneOf) !== undefined) parts.push(composedOf({ anyOf, oneOf }, at));
  return all(parts);
}

function all(parts: readonly Node[]): Node {
  return parts.length === 1 ? parts[0]! : { kind: "all", parts };
}

function membersOf(schema: Json, at: string): Member[] {
  const required = (schema["required"] as readonly string[] | undefined) ?? [];
  return Object.entries((schema["properties"] as Record<string, Json> | undefined) ?? {}).map(
    ([name, member]) => {
      const node = nodeOf(member, `${at}.${name}`);
      const isRequired = required.includes(name);
      const lenient = member["x-deserialize-default-on-error"] === true;
      if (isRequired && lenient && node.kind !== "array" && node.kind !== "any")
        throw new Error(
          `${at}.${name} is required and lenient: what stands in for a malformed one is not known`,
        );
      return {
        name,
        node,
        required: isRequired,
        malformed: !lenient || node.kind === "any" ? "error" : isRequired ? "empty list" : "absent",
        nullIs:
          member["x-deserialize-default-on-null"] !== true ? undefined : node.kind === "array" ? "[]" : "{}",
        doc: docOf(member),
      };
    },
  );
}

function composedOf(schema: Json, at: string): Node {
  if (typeof schema["$ref"] === "string")
    return { kind: "ref", name: schema["$ref"].replace("#/$defs/", "") };
  const parts = schema["allOf"] as readonly Json[] | undefined;
  const options = (schema["anyOf"] ?? schema["oneOf"]) as readonly Json[] | undefined;
  if (parts !== undefined && options !== undefined) throw unknown(at, "allOf", parts);
  if (parts !== undefined) return all(parts.map((part) => nodeOf(part, at)));
  if (options === undefined) return ANY;
  const [one, none] = options;
  if (options.length === 1 && one?.["const"] === undefined) return nodeOf(one!, at);
  if (options.length === 2 && one !== undefined && none?.["type"] === "null")
    return { kind: "nullable", of: nodeOf(one, at) };
  if (options.every(({ const: value, type }) => value !== undefined || typeof type === "string"))
    if (options.some(({ const: value }) => value !== undefined)) return enumOf(options, at);
  const tag = options.flatMap(tagOf)[0]?.tag;
  if (tag !== undefined) return taggedOf(options, tag, at);
  const exclusive = schema["oneOf"] !== undefined;
  return { kind: "union", options: options.map((option) => nodeOf(option, at)), exclusive };
}

function enumOf(options: readonly Json[], at: string): Node {
  const of = options[0]?.["type"];
  if ((of !== "string" && of !== "integer") || options.some(({ type }) => type !== of))
    throw unknown(at, "anyOf", options);
  const listed = options.filter((option) => option["const"] !== undefined);
  const values = listed.map((option) => ({ value: option["const"] as string, doc: docOf(option) }));
  return { kind: "enum", of, values };
}

/** The member of an option that is one string. */
function tagOf(option: Json): { tag: string; value: string }[] {
  return Object.entries((option["properties"] as Record<string, Json> | undefined) ?? {}).flatMap(
    ([tag, { const: value }]) => (typeof value === "string" ? [{ tag, value }] : []),
  );
}

function taggedOf(options: readonly Json[], tag: string, at: string): Tagged {
  const cases: { value: string; node: Node; doc: string }[] = [];
  let untagged: { node: Node; title: string | undefined } | undefined;
  let other: Node | undefined;
  for (const option of options) {
    const [tagged] = tagOf(option);
    if (tagged !== undefined) {
      if (tagged.tag !== tag) throw unknown(at, "tag", tagged.tag);
      cases.push({ value: tagged.value, node: nodeOf(without(tag, option), at), doc: docOf(option) });
    } else if (option["not"] !== undefined && other === undefined) {
      other = nodeOf(without(tag, option), at);
    } else if (untagged === undefined) {
      untagged = { node: nodeOf(without(tag, option), at), title: option["title"] as string | undefined };
    } else throw unknown(at, "anyOf", option);
  }
  // The form without a tag has one all the same where its title could be nothing else.
  const named = other === undefined ? untagged?.title : undefined;
  return {
    kind: "tagged",
    tag,
    cases,
    untagged: untagged && { node: untagged.node, name: named },
    other: other ?? { kind: "object", members: [] },
  };
}

/** An option without the member that told it from the others, and without what says that it is none of them. */
function without(tag: string, option: Json): Json {
  const { not: _, unevaluatedProperties: __, ...rest } = option;
  const { [tag]: ___, ...properties } = (rest["properties"] as Json | undefined) ?? {};
  const required = ((rest["required"] as readonly string[] | undefined) ?? []).filter((name) => name !== tag);
  return rest["properties"] === undefined ? rest : { ...rest, properties, required };
}

function docOf(schema: Json): string {
  return typeof schema["description"] === "string" ? schema["description"] : "";
}

function unknown(at: string, what: string, value: unknown): Error {
  return new Error(
    `${at}: ${what} ${JSON.stringify(value)?.slice(0, 200)} is not understood: teach scripts/acp-schema-model.ts`,
  );
}
