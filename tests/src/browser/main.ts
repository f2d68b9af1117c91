// npm run test:browser [-- [--page] [paths…]]
//
// In headless Chromium: the packages' tests that run there, by vitest (with paths: those alone); then a page that dials
// servers on Node over every transport and holds itself to the compliance kit's remote cases (`--page`: that alone).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { parseArgs } from "node:util";
import { remoteCases } from "@sluice/transport/compliance";
import { chromium } from "playwright-core";
import { add, closingLine, readReport, type Counts } from "../../../scripts/report.ts";
import { Progress } from "../progress.ts";
import { paint } from "../style.ts";
import { FarServer, LEAVING } from "../transports/far-server.ts";
import { KINDS, kinds, type KindName } from "../transports/kinds.ts";
import { leaveNoneBehind } from "../transports/program.ts";
import { readArguments } from "../usage.ts";
import { bundle } from "./bundle.ts";
import { absence, launchOptions } from "./chromium.ts";
import type { PageGlobals } from "./page.ts";

/** ms in which a case has to be over; it tells a hang from a busy machine. */
const BOUND = 60_000;

const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 };

interface Failure {
  readonly kind: KindName;
  readonly name: string;
  readonly reason: string;
}

/** The packages' tests, by vitest. */
async function suite(paths: readonly string[]): Promise<Counts> {
  const report = ".reports/browser.json";
  rmSync(report, { force: true });
  const vitest = spawn(
    process.execPath,
    ["node_modules/vitest/vitest.mjs", "run", "--config", "vitest.browser.config.ts", ...paths],
    { stdio: "inherit" },
  );
  const [code] = (await once(vitest, "exit")) as [number | null];
  const counts = readReport(report) ?? { passed: 0, failed: 1, skipped: 0 };
  // An unhandled rejection fails a run without failing one of its tests.
  return code !== 0 && counts.failed === 0 ? add(counts, { passed: 0, failed: 1, skipped: 0 }) : counts;
}

/** The page, under every transport. */
async function page(): Promise<Counts> {
  const { code, minified, gzip } = await bundle();
  console.log(
    `The page's bundle: ${minified} bytes minified, ${gzip} with gzip, nothing of a runtime's own in it`,
  );
  await using site = await serveSite(code);
  await using browser = await chromium.launch(launchOptions);
  const servers = new Map<KindName, FarServer>();
  const far = (kind: KindName): FarServer => {
    const server = servers.get(kind) ?? new FarServer(kinds[kind], "node", ["--origin", site.origin]);
    servers.set(kind, server);
    return server;
  };
  const tab = await browser.newPage();
  const errors: string[] = [];
  tab.on("pageerror", (error) => errors.push(error.message));
  await tab.exposeFunction("serverUrl", (kind: KindName) => far(kind).url());
  await tab.goto(site.origin);

  const progress = new Progress(KINDS.length * remoteCases.length, "cases");
  const failures: Failure[] = [];
  for (const kind of KINDS) {
    for (const one of remoteCases) {
      const running = tab.evaluate(
        ([kind, name]) => (globalThis as unknown as PageGlobals).runCase(kind, name),
        [kind, one.name] as const,
      );
      const reason = await Promise.race([running, late()]);
      if (reason !== undefined) failures.push({ kind, name: one.name, reason });
      else if (one === LEAVING) await far(kind).left();
      progress.step();
    }
    await far(kind).stop();
    progress.clear();
    const failed = failures.filter((failure) => failure.kind === kind).length;
    const passed = remoteCases.length - failed;
    console.log(
      `${kind.padEnd(13)} ${failed > 0 ? paint("red", `${failed} failed`) : paint("green", `${passed}/${passed}`)}`,
    );
  }
  for (const { kind, name, reason } of failures)
    console.log(`\n${paint("red", "failed")}  ${kind}: ${name}\n  ${reason}`);
  for (const error of errors) console.log(`\n${paint("red", "failed")}  thrown in the page: ${error}`);
  const failed = failures.length + errors.length;
  return { passed: KINDS.length * remoteCases.length - failures.length, failed, skipped: 0 };
}

/** The page's own origin. */
async function serveSite(code: string): Promise<{ readonly origin: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    const script = request.url === "/page.js";
    response.setHeader("Content-Type", script ? "text/javascript" : "text/html; charset=utf-8");
    response.end(
      script ? code : '<!doctype html><title>Sluice</title><script type="module" src="/page.js"></script>',
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function late(): Promise<string> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(`not over after ${BOUND / 1000} s`), BOUND).unref();
  });
}

const { values, positionals } = readArguments(() =>
  parseArgs({ options: { page: { type: "boolean", default: false } }, allowPositionals: true }),
);
const missing = absence();
if (missing !== undefined) {
  console.log(missing);
  console.log(closingLine({ ...NOTHING, skipped: 1 }));
} else {
  leaveNoneBehind();
  const tests = values.page ? NOTHING : await suite(positionals);
  const transports = positionals.length > 0 ? NOTHING : await page();
  const counts = add(tests, transports);
  console.log(closingLine(counts));
  process.exitCode = counts.failed === 0 ? 0 : 1;
}
