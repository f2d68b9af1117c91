// The fenced code in a Markdown file, or in the doc comments of a TypeScript file, and the examples it makes.
import { lineAt, parse } from "./imports.ts";

/** One fenced block. `line` is where its first line of code stands in the source. */
export interface Fence {
  readonly lang: string;
  readonly words: readonly string[];
  readonly code: string;
  readonly line: number;
  /** Counts headings (in doc comments: comments), for fences of one section belong together. */
  readonly section: number;
}

/** A file of an example, and where in the source its first line stands. */
export interface ExampleFile {
  readonly name: string;
  readonly code: string;
  readonly line: number;
}

/**
 * What to do with a ts fence. `run`: run it, its files beside it. `typecheck`: for code that must not run here
 * (`ts no-run`). `sketch`: neither, for code that shows an idea (`ts sketch`).
 */
export interface Example {
  readonly source: string;
  readonly kind: "run" | "typecheck" | "sketch";
  readonly main: ExampleFile;
  readonly files: readonly ExampleFile[];
  /** What it has to print, from the `text output` fence behind it. */
  readonly output?: string;
}

/** A command in a `sh` fence, such as `npm run demo -- --json`. */
export interface Command {
  readonly source: string;
  readonly line: number;
  readonly text: string;
}

export function fencesOfMarkdown(text: string, firstLine = 1, section = 0): Fence[] {
  const fences: Fence[] = [];
  let open: { mark: string; indent: number; info: string; line: number; code: string[] } | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const [, indent = "", mark = "", info = ""] = /^( *)(`{3,}|~{3,})\s*(.*)$/.exec(line) ?? [];
    if (open === undefined) {
      if (mark !== "") open = { mark, indent: indent.length, info, line: firstLine + index + 1, code: [] };
      else if (/^#{1,6} /.test(line)) section++;
    } else if (mark.startsWith(open.mark) && info === "") {
      const [lang = "", ...words] = open.info.trim().split(/\s+/);
      fences.push({ lang, words, code: `${open.code.join("\n")}\n`, line: open.line, section });
      open = undefined;
    } else {
      const stripped = new RegExp(`^ {0,${open.indent}}`);
      open.code.push(line.replace(stripped, ""));
    }
  }
  if (open !== undefined) throw new Error(`line ${open.line - 1}: this fence is never closed`);
  return fences;
}

export function fencesOfDocComments(file: string, text: string): Fence[] {
  const docs = parse(file, text).comments.filter(
    ({ type, value }) => type === "Block" && value.startsWith("*"),
  );
  return docs.flatMap(({ value, start }, section) => {
    const markdown = value.replace(/^\*/, "").replaceAll(/^[ \t]*\* ?/gm, "");
    return fencesOfMarkdown(markdown, lineAt(text, start), (section + 1) * 1000);
  });
}

const fileName = (fence: Fence): string | undefined =>
  fence.words.find((word) => word.startsWith("file="))?.slice("file=".length);

/** A fence with a name (`ts file=worker.ts`) is a file for the examples after it, in its section. */
export function examplesOf(source: string, fences: readonly Fence[]): Example[] {
  const examples: Example[] = [];
  let section = -1;
  let files: ExampleFile[] = [];
  for (const [index, fence] of fences.entries()) {
    if (fence.section !== section) [section, files] = [fence.section, []];
    const { code, line, lang, words } = fence;
    const name = fileName(fence);
    if (name !== undefined) {
      files.push({ name, code, line });
      const rest = fences
        .slice(index + 1)
        .filter((other) => other.section === section && other.lang === "ts");
      // Where nothing follows that could use it, the named file is what the example is about.
      if (lang !== "ts" || rest.length > 0) continue;
    } else if (lang !== "ts") continue;
    const kind = words.includes("sketch") ? "sketch" : words.includes("no-run") ? "typecheck" : "run";
    const next = fences[index + 1];
    const output =
      next?.section === section && next.lang === "text" && next.words.includes("output") ? next : undefined;
    examples.push({
      source,
      kind,
      main: { name: name ?? "main.ts", code, line },
      files: files.filter((file) => file.name !== name),
      ...(output === undefined ? {} : { output: output.code }),
    });
  }
  return examples;
}

export function commandsOf(source: string, fences: readonly Fence[]): Command[] {
  return fences
    .filter(({ lang }) => lang === "sh" || lang === "bash" || lang === "shell")
    .flatMap(({ code, line }) =>
      code
        .split("\n")
        .map((text, index) => ({ source, line: line + index, text: text.replace(/^\$ /, "").trim() })),
    )
    .filter(({ text }) => text !== "" && !text.startsWith("#"));
}

/** The script that a command asks npm for, if it does. */
export function npmScriptOf(text: string): string | undefined {
  const [, found] = /\bnpm (?:run (?:-s |--silent )?([\w:.-]+)|(?:test|t)\b)/.exec(text) ?? [
    undefined,
    undefined,
  ];
  return found ?? (/\bnpm (?:test|t)\b/.test(text) ? "test" : undefined);
}
