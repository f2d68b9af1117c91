// The model as TypeScript types.
import type { Definition, Member, Node, Tagged } from "./acp-schema-model.ts";

/** How another definition is written here. */
export type Naming = (name: string) => string;

const ANYTHING = "Record<string, unknown>";

/** A definition's type, exported, with its description. */
export function typeOf({ name, node, doc }: Definition, naming: Naming): string {
  const isInterface = node.kind === "object" && node.members.length > 0;
  const head = isInterface ? `export interface ${name} ` : `export type ${name} =`;
  const body = isInterface ? bodyOf(node.members, naming, "") : `${write(node, naming)};`;
  return `${docOf(doc, "")}${head}${isInterface || body.startsWith("\n") ? "" : " "}${body}\n`;
}

/** A description as a doc comment. */
export function docOf(text: string, indent: string): string {
  if (text === "") return "";
  const lines = text.replaceAll("*/", "*\\/").trimEnd().split("\n");
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */\n`].join(
    "\n",
  );
}

function write(node: Node, naming: Naming): string {
  switch (node.kind) {
    case "any":
      return "unknown";
    case "null":
    case "string":
    case "boolean":
    case "number":
      return node.kind;
    case "integer":
      return "number";
    case "enum": {
      const values = node.values.map(({ value, doc }) => `\n${docOf(doc, "  ")}  | ${JSON.stringify(value)}`);
      return `${values.join("")}\n  | (${node.of === "string" ? "string" : "number"} & {})`;
    }
    case "array":
      return `${group(node.items, naming)}[]`;
    case "record":
      return `Record<string, ${write(node.values, naming)}>`;
    case "nullable":
      return `${write(node.of, naming)} | null`;
    case "ref":
      return naming(node.name);
    case "object":
      return node.members.length === 0 ? ANYTHING : bodyOf(node.members, naming, "  ");
    case "union":
      return node.options.map((option) => write(option, naming)).join(" | ");
    case "all":
      return node.parts.map((part) => group(part, naming)).join(" & ");
    default:
      return taggedOf(node, naming);
  }
}

function group(node: Node, naming: Naming): string {
  const text = write(node, naming);
  return ["union", "nullable", "tagged", "enum", "all"].includes(node.kind) ? `(${text})` : text;
}

function bodyOf(members: readonly Member[], naming: Naming, indent: string): string {
  const lines = members.map(({ name, node, required, doc }) => {
    const type = write(node, naming);
    return `${docOf(doc, `${indent}  `)}${indent}  ${name}${required ? "" : "?"}: ${type};\n`;
  });
  return `{\n${lines.join("")}${indent}}`;
}

function taggedOf({ tag, cases, untagged, other }: Tagged, naming: Naming): string {
  const variants = cases.map(({ value, node, doc }) => ({
    type: withTag(node, `${tag}: ${JSON.stringify(value)}`, naming),
    doc,
  }));
  if (untagged !== undefined) {
    const name = untagged.name === undefined ? "null" : JSON.stringify(untagged.name);
    variants.push({ type: withTag(untagged.node, `${tag}?: ${name}`, naming), doc: "" });
  }
  const unlisted = withTag(other, `${tag}: Unlisted; [member: string]: unknown`, naming);
  variants.push({ type: unlisted, doc: "An extension's, or a later version's." });
  return variants.map(({ type, doc }) => `\n${docOf(doc, "  ")}  | ${type}`).join("");
}

function withTag(node: Node, tag: string, naming: Naming): string {
  if (node.kind === "object" && node.members.length === 0) return `{ ${tag} }`;
  return `(${group(node, naming)} & { ${tag} })`;
}
