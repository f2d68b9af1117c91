// What a TypeScript file imports, found by a real parser, so that comments and strings cannot fool it.
import { parseSync, Visitor } from "rolldown/utils";

export interface Import {
  readonly specifier: string;
  readonly line: number;
}

type Parsed = ReturnType<typeof parseSync>;

/** Throws with the place where the file is not TypeScript. */
export function parse(file: string, text: string): Parsed {
  const parsed = parseSync(file, text);
  const [error] = parsed.errors;
  if (error !== undefined) throw new Error(`${file} does not parse: ${error.message}`);
  return parsed;
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** Static, dynamic and type imports, and re-exports, in the order of the file. */
export function importsOf(file: string, text: string): Import[] {
  const { module, program } = parse(file, text);
  const at = new Map<number, string>();
  for (const { moduleRequest } of module.staticImports) at.set(moduleRequest.start, moduleRequest.value);
  for (const { entries } of module.staticExports)
    for (const { moduleRequest } of entries)
      if (moduleRequest !== null && moduleRequest !== undefined)
        at.set(moduleRequest.start, moduleRequest.value);
  new Visitor({
    ImportExpression: ({ source }) => {
      if (source.type === "Literal" && typeof source.value === "string") at.set(source.start, source.value);
    },
    TSImportType: ({ source }) => {
      at.set(source.start, source.value);
    },
  }).visit(program);
  return [...at]
    .sort(([a], [b]) => a - b)
    .map(([start, specifier]) => ({ specifier, line: lineAt(text, start) }));
}
