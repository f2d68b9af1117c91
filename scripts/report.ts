// What came of tests: read from vitest's JSON reports, added up, and written as the line every run closes with.
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    /** The file's path. */
    readonly name: string;
    readonly status: string;
    /** Why the file itself could not be run. */
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Of a reason, which may be a difference of pages. */
const REASON_LINES = 12;
const REASON_LINE = 200;

export function add(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

function read(path: string): VitestReport | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as VitestReport) : undefined;
}

/** Undefined where there is no report: the run broke before it could write one. */
export function readReport(path: string): Counts | undefined {
  const report = read(path);
  if (report === undefined) return undefined;
  // A file that could not be loaded has no test to fail, so it counts as one itself.
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Each failed test with its file and the beginning of the reason; none where there is no report. */
export function readFailures(path: string): string[] {
  const results = read(path)?.testResults ?? [];
  return results.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(process.cwd(), name);
    if (status === "failed" && assertionResults.length === 0) return [`${file}\n${reason(message)}`];
    return assertionResults
      .filter((test) => test.status === "failed")
      .map(({ ancestorTitles, title, failureMessages }) =>
        [[file, ...ancestorTitles, title].join(" > "), reason(failureMessages.join("\n"))].join("\n"),
      );
  });
}

function reason(message: string): string {
  const lines = stripVTControlCharacters(message)
    .trimEnd()
    .split("\n")
    .filter((line) => !/^ +at .*node_modules/.test(line));
  const kept = lines.slice(0, REASON_LINES).map((line) => `  ${line.slice(0, REASON_LINE)}`);
  return [...kept, ...(lines.length > REASON_LINES ? ["  …"] : [])].join("\n");
}

export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** The last closing line in what a run printed. */
export function parseClosingLine(output: string): Counts | undefined {
  const found = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1);
  if (found === undefined) return undefined;
  return { passed: Number(found[1]), failed: Number(found[2]), skipped: Number(found[3] ?? 0) };
}
