// The model as calls of packages/acp/src/check.ts and check-object.ts.
import type { Definition, Member, Node, Tagged } from "./acp-schema-model.ts";
import type { Naming } from "./acp-schema-types.ts";

/** A definition's check, exported. */
export function checkOf({ name, node }: Definition, naming: Naming): string {
  return `export const ${name}: Check = ${write(node, naming)};\n`;
}

/** Whether nothing has to be said: a value that is missing says as much. */
export function requiresNothing(node: Node, definitions: ReadonlyMap<string, Definition>): boolean {
  if (node.kind === "ref") return requiresNothing(definitions.get(node.name)!.node, definitions);
  return node.kind === "object" && node.members.every(({ required }) => !required);
}

function write(node: Node, naming: Naming): string {
  switch (node.kind) {
    case "any":
    case "boolean":
      return `check.${node.kind}`;
    case "null":
      return "check.nothing";
    case "string":
      return node.min === 0 ? "check.string" : `check.stringFrom(${node.min})`;
    case "number":
    case "integer":
      return `check.${node.kind}(${boundsOf(node.min, node.max)})`;
    case "enum":
      return node.of === "string" ? "check.string" : "check.integer()";
    case "array": {
      const min = node.min === 0 ? "" : `, ${node.min}`;
      return `check.${node.skips ? "listOfValid" : "list"}(${write(node.items, naming)}${min})`;
    }
    case "record":
      return `check.record(${write(node.values, naming)})`;
    case "nullable":
      return `check.nullable(${write(node.of, naming)})`;
    case "ref":
      return naming(node.name);
    case "object":
      return `object({${node.members.map((member) => `\n  ${JSON.stringify(member.name)}: ${memberOf(member, naming)},`).join("")}\n})`;
    case "all":
      return `check.all(${node.parts.map((part) => write(part, naming)).join(", ")})`;
    case "union": {
      if (node.options.some(({ kind }) => kind === "any")) return "check.any";
      const checks = node.options.map((option) => write(option, naming)).join(", ");
      return `check.union(${JSON.stringify(namesOf(node.options))}, [${checks}]${node.exclusive ? ", true" : ""})`;
    }
    default:
      return taggedOf(node, naming);
  }
}

function taggedOf({ tag, cases, untagged, other }: Tagged, naming: Naming): string {
  const checks = cases.map(({ value, node }) => [value, write(node, naming)]);
  if (untagged?.name !== undefined) checks.push([untagged.name, write(untagged.node, naming)]);
  const lines = checks.map(([value, check]) => `\n  ${JSON.stringify(value)}: ${check},`).join("");
  const otherwise = [
    ...(untagged === undefined ? [] : [`untagged: ${write(untagged.node, naming)}`]),
    ...(isOpen(other) ? [] : [`other: ${write(other, naming)}`]),
  ];
  const rest = otherwise.length === 0 ? "" : `, { ${otherwise.join(", ")} }`;
  return `tagged(${JSON.stringify(tag)}, {${lines}\n}${rest})`;
}

function memberOf({ node, required, malformed, nullIs }: Member, naming: Naming): string {
  const plain = write(node, naming);
  const empty = nullIs === "{}" ? "({})" : nullIs;
  const check = nullIs === undefined ? plain : `check.emptyIfNull(${plain}, () => ${empty})`;
  if (malformed === "empty list") return `lenientList(${check})`;
  if (malformed === "absent") return `lenient(${check})`;
  return required ? check : `optional(${check})`;
}

function isOpen(node: Node): boolean {
  return node.kind === "object" && node.members.length === 0;
}

function boundsOf(min: number | undefined, max: number | undefined): string {
  if (min === undefined && max === undefined) return "";
  return max === undefined ? String(min) : `${min ?? "-Infinity"}, ${max}`;
}

/** What the options are, for a message. */
function namesOf(options: readonly Node[]): string {
  const names = options.map((option) => {
    switch (option.kind) {
      case "ref":
        return option.name;
      case "array":
        return `a list of ${namesOf([option.items])}`;
      case "object":
        return `an object with ${option.members
          .filter(({ required }) => required)
          .map(({ name }) => name)
          .join(", ")}`;
      default:
        return option.kind;
    }
  });
  const last = names.pop() ?? "";
  return names.length === 0 ? last : `${names.join(", ")} or ${last}`;
}
