import { describe, expect, it } from "vitest";
import {
  commandsOf,
  examplesOf,
  fencesOfDocComments,
  fencesOfMarkdown,
  npmScriptOf,
} from "../../../scripts/fences.ts";

const md = (...lines: readonly string[]): string => lines.join("\n").replaceAll("'''", "```");
const examples = (...lines: readonly string[]): ReturnType<typeof examplesOf> =>
  examplesOf("README.md", fencesOfMarkdown(md(...lines)));

describe("examples in Markdown", () => {
  it("are the ts fences, with the line of their first line of code", () => {
    expect(examples("# A", "'''ts", "one();", "'''", "'''json", "{}", "'''")).toEqual([
      { source: "README.md", kind: "run", main: { name: "main.ts", code: "one();\n", line: 3 }, files: [] },
    ]);
  });

  it("say in their info what may be done with them", () => {
    const found = examples("'''ts no-run", "a", "'''", "'''ts sketch", "b", "'''", "'''ts", "c", "'''");
    expect(found.map(({ kind }) => kind)).toEqual(["typecheck", "sketch", "run"]);
  });

  it("have the named files of their section beside them, and not those of another", () => {
    const found = examples(
      "## One\n'''ts file=worker.ts\nw\n'''\n'''json file=data.json\n{}\n'''\n'''ts\nm\n'''",
      "## Two\n'''ts\nn\n'''",
    );
    expect(found.map(({ files }) => files.map(({ name }) => name))).toEqual([["worker.ts", "data.json"], []]);
  });

  it("may be the last named file itself", () => {
    const found = examples("'''ts file=a.ts", "a", "'''", "'''ts file=b.ts", "b", "'''");
    expect(found.map(({ main, files }) => [main.name, files[0]?.name])).toEqual([["b.ts", "a.ts"]]);
  });

  it("print what the text output fence behind them says", () => {
    expect(examples("'''ts", "a", "'''", "prints", "'''text output", "1", "2", "'''")[0]?.output).toBe(
      "1\n2\n",
    );
    expect(examples("'''ts", "a", "'''", "'''text", "1", "'''")[0]?.output).toBeUndefined();
  });

  it("may be indented, and may show fences themselves", () => {
    const [fence] = fencesOfMarkdown(md("- item", "  '''ts", "  a", "    b", "  '''"));
    expect(fence?.code).toBe("a\n  b\n");
    expect(fencesOfMarkdown("````md\n```ts\nx\n```\n````")).toHaveLength(1);
  });

  it("have to end", () => {
    expect(() => fencesOfMarkdown("a\n```ts\nb")).toThrow("line 2: this fence is never closed");
  });
});

describe("examples in doc comments", () => {
  it("are found with their lines, and keep their indentation", () => {
    const text = md(
      "const a = 1;",
      "/**",
      " * Says.",
      " *",
      " * @example",
      " * '''ts",
      " * if (a) {",
      " *   b();",
      " * }",
      " * '''",
      " */",
    );
    expect(fencesOfDocComments("a.ts", text)).toMatchObject([
      { lang: "ts", code: "if (a) {\n  b();\n}\n", line: 7 },
    ]);
  });

  it("are not taken from strings or plain comments", () => {
    expect(fencesOfDocComments("a.ts", md("// '''ts", "/* '''ts", "x", "''' */"))).toEqual([]);
  });
});

describe("commands", () => {
  it("are read line by line, without comments and prompts", () => {
    const found = commandsOf(
      "README.md",
      fencesOfMarkdown(md("'''sh", "# first", "$ npm test", "npm run demo -- --json", "'''")),
    );
    expect(found.map(({ line, text }) => [line, npmScriptOf(text)])).toEqual([
      [3, "test"],
      [4, "demo"],
    ]);
  });

  it("that ask npm for no script are left alone", () => {
    expect(npmScriptOf("npm install @sluice/session")).toBeUndefined();
    expect(npmScriptOf("npm run check:readme")).toBe("check:readme");
  });
});
