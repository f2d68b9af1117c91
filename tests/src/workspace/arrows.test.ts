import { describe, expect, it } from "vitest";
import { checkArrows, formatFinding, type Package } from "../../../scripts/arrows.ts";

interface Fake {
  readonly deps?: readonly string[];
  readonly dev?: readonly string[];
  readonly files: Readonly<Record<string, string>>;
}

function check(tree: Readonly<Record<string, Fake>>): string[] {
  const packages = Object.entries(tree).map(([folder, { deps = [], dev = [], files }]): Package => ({
    folder,
    dependencies: deps,
    devDependencies: dev,
    files,
  }));
  return checkArrows(packages, ["vitest"]).map(formatFinding);
}

const one = (folder: string, text: string, deps: readonly string[] = [], path = "src/a.ts"): string[] =>
  check({ [folder]: { deps, files: { [path]: text } } });

describe("arrows between packages", () => {
  it("go down: core may import codec and streams, also by a subpath", () => {
    const text = `import { a } from "@sluice/codec";\nexport * from "@sluice/streams/half";\nimport "./b.ts";`;
    expect(one("core", text, ["@sluice/codec", "@sluice/streams"])).toEqual([]);
  });

  it("do not go up, and the finding says where and what to do", () => {
    expect(one("codec", `\n\nimport type { Half } from "@sluice/streams";`, ["@sluice/streams"])).toEqual([
      "packages/codec/src/a.ts:3: [arrow] codec may not import @sluice/streams: it knows no other package. Move the code, or pass it in",
    ]);
  });

  it("do not go sideways, by any kind of import", () => {
    const forms = [
      `import x from "@sluice/core"`,
      `export { x } from "@sluice/core"`,
      `const x = import("@sluice/core")`,
      `type X = import("@sluice/core").X`,
      `import "@sluice/core"`,
    ];
    for (const form of forms) expect(one("stdio", form, ["@sluice/core"])).toHaveLength(1);
  });

  it("are not made by comments, strings and templates", () => {
    const text = `// import "@sluice/core"\nconst a = 'import "@sluice/core"'; const b = \`import("@sluice/core")\`;`;
    expect(one("codec", text)).toEqual([]);
  });

  it("have to be declared in package.json", () => {
    expect(one("core", `import "@sluice/codec"`)[0]).toContain("[undeclared] @sluice/codec is not among");
  });

  it("make no circle", () => {
    const findings = check({
      streams: { deps: ["@sluice/core"], files: { "src/a.ts": `import "@sluice/core"` } },
      core: { deps: ["@sluice/streams"], files: { "src/b.ts": `import "@sluice/streams"` } },
    });
    expect(findings.some((line) => line.includes("streams → core → streams is a circle"))).toBe(true);
  });

  it("have no place for a package the house does not know", () => {
    expect(one("attic", "")).toEqual([
      expect.stringContaining("[house] no such room in the house: add attic"),
    ]);
  });

  it("end at the package's own door: no relative import leaves it", () => {
    expect(one("core", `import "../../codec/src/a.ts"`)).toEqual([
      expect.stringContaining("[leaves-package]"),
    ]);
    expect(one("core", `import "../b.ts"`, [], "src/deep/a.ts")).toEqual([]);
  });

  it("let a web package inline @std/streams, but not a pure one", () => {
    const files = { "src/a.ts": `import "@std/streams/to-bytes"` };
    expect(check({ stdio: { dev: ["@std/streams"], files } })).toEqual([]);
    expect(check({ codec: { dev: ["@std/streams"], files } })).toHaveLength(1);
  });

  it("let tests import the test tools and the package itself, and still not what lies above", () => {
    const text = `import "vitest"; import "node:fs"; import "@sluice/core"; import "@sluice/session";`;
    const findings = one("core", text, ["@sluice/core", "@sluice/session"], "src/a.test.ts");
    expect(findings).toEqual([expect.stringContaining("core may not import @sluice/session")]);
  });
});

describe("effect", () => {
  it("is unknown below session", () => {
    expect(one("core", `import * as Scope from "effect/Scope"`, ["effect"])[0]).toContain(
      "[effect] nothing below",
    );
  });

  it("comes by deep imports", () => {
    expect(one("session", `import * as Scope from "effect/Scope"`, ["effect"])).toEqual([]);
    expect(one("session", `import { Scope } from "effect"`, ["effect"])[0]).toContain("the barrel");
  });
});

describe("pure packages", () => {
  const impure = [
    "setTimeout(() => {}, 1)",
    "setInterval(f, 1)",
    "queueMicrotask(f)",
    "const now = Date.now()",
    "const now = new Date()",
    "const t = performance.now()",
    "const r = Math.random()",
    `console.log("x")`,
    "const e = process.env",
    "async function f() {}",
    "const f = async () => 1",
    "class A { async b() {} }",
    "const o = { async b() {} }",
    "export const x = await y",
    "for await (const x of y) {}; export {}",
    `const x = import("./b.ts")`,
    "let x: Promise<number>",
    "const x = Promise.resolve(1)",
    "const x = { Promise }",
    "const x = crypto.getRandomValues(y)",
    "const x = globalThis.crypto",
    `fetch("http://localhost")`,
  ];
  for (const text of impure)
    it(`may not say: ${text}`, () => {
      const findings = one("streams", `const a = 1;\n${text};`);
      expect(findings).not.toEqual([]);
      for (const finding of findings)
        expect(finding).toContain("packages/streams/src/a.ts:2: [pure] streams is pure: ");
    });

  const pure = [
    "const day = new Date(0)",
    "const x = Math.max(1, 2)",
    "half.fetch(); half.process.console",
    "const o = { setTimeout: 1, process: 2 }",
    "interface A { fetch: number; process(): void }",
    "class A { process(): void {} console = 1 }",
    "// await fetch(), Date.now()",
    "const s = 'await Promise'; const t = `console.log`; const r = /setTimeout/",
    "const x = { await: 1, async: 2 }",
  ];
  for (const text of pure)
    it(`may say: ${text}`, () => {
      expect(one("streams", text)).toEqual([]);
    });

  it("may do all that in their tests, and web packages may everywhere", () => {
    expect(one("codec", "await Promise.resolve(Date.now())", [], "src/a.test.ts")).toEqual([]);
    expect(one("transport", "await Promise.resolve(Date.now())")).toEqual([]);
  });
});
