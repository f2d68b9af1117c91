import { existsSync, globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { examplesOf, fencesOfMarkdown } from "../../../scripts/fences.ts";

interface Npm {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly files?: readonly string[];
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly publishConfig?: {
    readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}
interface Jsr {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly publish?: false | { readonly include: readonly string[]; readonly exclude?: readonly string[] };
  readonly exports: Readonly<Record<string, string>>;
  readonly imports?: Readonly<Record<string, string>>;
}

const root = new URL("../../../", import.meta.url);
const exists = (path: string): boolean => existsSync(new URL(path, root));
const text = (path: string): string => readFileSync(new URL(path, root), "utf8");
const json = <T>(path: string): T => JSON.parse(text(path)) as T;

const folders = globSync("packages/*/package.json", { cwd: root })
  .map((path) => path.replaceAll("\\", "/").replace("/package.json", ""))
  .sort();
const versions = new Map(
  folders.map((folder) => [
    json<Npm>(`${folder}/package.json`).name,
    json<Npm>(`${folder}/package.json`).version,
  ]),
);

function inDist(source: string, extension: string): string {
  return source.replace("./src/", "./dist/").replace(/\.ts$/, extension);
}

for (const folder of folders) {
  const npm = json<Npm>(`${folder}/package.json`);
  const jsr = json<Jsr>(`${folder}/deno.json`);

  describe(npm.name, () => {
    it("has the same name and version on npm and JSR", () => {
      expect([jsr.name, jsr.version]).toEqual([npm.name, npm.version]);
    });
    if (npm.private === true) {
      it("is published nowhere", () => {
        expect(jsr.publish).toBe(false);
      });
      return;
    }

    it("has the same doors on both, and builds each of them", () => {
      const { "./package.json": manifest, ...doors } = npm.exports;
      expect(manifest).toBe("./package.json");
      const sources = Object.entries(doors).map(
        ([door, by]) => [door, typeof by === "string" ? { default: by } : by] as const,
      );
      // JSR knows no conditions: there the default has to pick by itself.
      expect(jsr.exports).toEqual(Object.fromEntries(sources.map(([door, by]) => [door, by["default"]])));
      const built = sources.map(([door, by]) => {
        for (const source of Object.values(by)) expect(exists(`${folder}/${source}`)).toBe(true);
        const paths = Object.entries(by).map(([condition, source]) => [condition, inDist(source, ".js")]);
        return [door, { types: inDist(by["default"]!, ".d.ts"), ...Object.fromEntries(paths) }];
      });
      expect(npm.publishConfig?.exports).toEqual({
        ...Object.fromEntries(built),
        "./package.json": manifest,
      });
    });

    it("depends on the same packages on both", () => {
      const inlined = npm.devDependencies?.["@std/streams"] === undefined ? [] : ["@std/streams"];
      const names = [...Object.keys(npm.dependencies ?? {}), ...inlined].sort();
      expect(Object.keys(jsr.imports ?? {}).sort()).toEqual(names);
      for (const [name, target] of Object.entries(jsr.imports ?? {})) {
        const version = versions.get(name);
        const range = version === undefined ? npm.dependencies?.[name] : `^${version}`;
        expect(target).toBe(`${version === undefined ? "npm" : "jsr"}:${name}@${range}`);
      }
      for (const [name, range] of Object.entries(npm.dependencies ?? {}))
        if (versions.has(name)) expect(range).toBe("workspace:^");
    });

    it("has a license, and a notice where it holds the work of others", () => {
      expect([npm.license, jsr.license]).toEqual(["MIT", "MIT"]);
      const inlines = npm.devDependencies?.["@std/streams"] !== undefined;
      const notices = inlines || exists(`${folder}/src/generated`);
      expect(exists(`${folder}/THIRD-PARTY-NOTICES`)).toBe(notices);
      expect(npm.files?.includes("THIRD-PARTY-NOTICES")).toBe(notices);
    });

    it("publishes its sources on JSR without their tests", () => {
      expect(jsr.publish).toMatchObject({
        include: expect.arrayContaining(["src", "README.md"]),
        exclude: expect.arrayContaining(["src/**/*.test.ts"]),
      });
    });

    it("has a README with an example that runs", () => {
      const examples = examplesOf(folder, fencesOfMarkdown(text(`${folder}/README.md`)));
      expect(examples.some(({ kind }) => kind === "run")).toBe(true);
    });
  });
}

describe("the workspace", () => {
  it("has a license", () => {
    expect(text("LICENSE")).toContain("MIT License");
  });

  it("names the same pnpm in package.json and as a tool", () => {
    const { packageManager, devDependencies } = json<{
      packageManager: string;
      devDependencies: Record<string, string>;
    }>("package.json");
    expect(packageManager).toBe(`pnpm@${devDependencies["pnpm"]}`);
  });

  it("lists the same folders for npm, pnpm and Deno", () => {
    const { workspaces } = json<{ workspaces: string[] }>("package.json");
    const pnpm = [...text("pnpm-workspace.yaml").matchAll(/^ {2}- (.+)$/gm)].map(([, folder]) => folder);
    const deno = json<{ workspace: string[] }>("deno.json").workspace.map((folder) =>
      folder.replace("./", ""),
    );
    expect(pnpm).toEqual(workspaces);
    expect(deno).toEqual(workspaces);
  });
});
