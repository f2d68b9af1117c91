import { build } from "esbuild";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";

/** The page's program as one script. */
export interface Bundle {
  readonly code: string;
  /** Bytes, minified, and then compressed. */
  readonly minified: number;
  readonly gzip: number;
}

/**
 * Bundles `page.ts` for browsers, by the packages' `browser` exports.
 * @throws Error where a module of a runtime's own would be in it
 */
export async function bundle(): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL("page.ts", import.meta.url))],
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: "esm",
    platform: "browser",
    conditions: ["browser"],
    target: "es2024",
    logLevel: "silent",
    // So that all of them can be named below, where the build would stop at the first.
    external: ["node:*", "ws"],
  });
  const foreign = Object.entries(metafile.inputs).flatMap(([from, { imports }]) =>
    imports.filter(({ external }) => external).map(({ path }) => `${path} in ${from}`),
  );
  if (foreign.length > 0)
    throw new Error(`the page's bundle needs what browsers do not have: ${foreign.join(", ")}`);
  const { contents, text } = outputFiles[0]!;
  return { code: text, minified: contents.length, gzip: gzipSync(contents).length };
}
