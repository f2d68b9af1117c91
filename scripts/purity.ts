// What in a file is not pure: it waits, looks at a clock, rolls dice or reaches outside.
import { Visitor } from "rolldown/utils";
import { IMPURE, IMPURE_MEMBERS } from "./house.ts";
import { lineAt, parse } from "./imports.ts";

export interface Impurity {
  readonly line: number;
  readonly message: string;
}

const WAITING = "it has to return at once; waiting belongs to session";

/** A name counts wherever it stands for itself: not as a member (`a.fetch`) or a key (`{ fetch: 1 }`). */
export function impurities(file: string, text: string): Impurity[] {
  const { program } = parse(file, text);
  const found = new Map<number, string>();
  const names = new Set<number>();
  const notNames = new Set<number>();
  const note = (start: number, message: string): void => void found.set(start, message);
  const key = ({
    computed,
    shorthand,
    key,
  }: {
    computed?: boolean;
    shorthand?: boolean;
    key: { start: number };
  }): void => {
    if (computed !== true && shorthand !== true) notNames.add(key.start);
  };
  const asynchronous = ({ async, start }: { async: boolean; start: number }): void => {
    if (async) note(start, `an async function; ${WAITING}`);
  };
  new Visitor({
    Identifier: ({ name, start }) => {
      if (Object.hasOwn(IMPURE, name)) names.add(start);
    },
    MemberExpression: ({ object, property, computed, start }) => {
      if (!computed) notNames.add(property.start);
      if (object.type !== "Identifier" || property.type !== "Identifier" || computed) return;
      const path = `${object.name}.${property.name}`;
      const wayOut = IMPURE_MEMBERS[path];
      if (wayOut !== undefined) note(start, `${path}; ${wayOut}`);
    },
    NewExpression: ({ callee, arguments: given, start }) => {
      if (callee.type === "Identifier" && callee.name === "Date" && given.length === 0)
        note(start, `new Date() reads the clock; ${IMPURE_MEMBERS["Date.now"]}`);
    },
    Property: key,
    MethodDefinition: key,
    PropertyDefinition: key,
    TSPropertySignature: key,
    TSMethodSignature: key,
    TSQualifiedName: ({ right }) => void notNames.add(right.start),
    AwaitExpression: ({ start }) => note(start, `await; ${WAITING}`),
    ForOfStatement: ({ await: waits, start }) => {
      if (waits) note(start, `for await; ${WAITING}`);
    },
    ImportExpression: ({ start }) => note(start, `import(); ${WAITING}`),
    FunctionDeclaration: asynchronous,
    FunctionExpression: asynchronous,
    ArrowFunctionExpression: asynchronous,
  }).visit(program);
  for (const start of names) {
    if (notNames.has(start)) continue;
    const name = /^\w+/.exec(text.slice(start))?.[0] ?? "";
    note(start, `${name}; ${IMPURE[name]}`);
  }
  return [...found]
    .sort(([a], [b]) => a - b)
    .map(([start, message]) => ({ line: lineAt(text, start), message }));
}
