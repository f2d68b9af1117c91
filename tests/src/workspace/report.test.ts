import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { add, closingLine, parseClosingLine, readFailures, readReport } from "../../../scripts/report.ts";

describe("the closing line", () => {
  it("leaves out skipped tests where there are none", () => {
    expect(closingLine({ passed: 3, failed: 0, skipped: 0 })).toBe("3 passed, 0 failed");
    expect(closingLine({ passed: 3, failed: 1, skipped: 2 })).toBe("3 passed, 1 failed, 2 skipped");
  });

  it("is read back from the end of what a run printed", () => {
    const output = "node: 1 passed, 0 failed\n1 passed, 0 failed\n7 passed, 1 failed, 2 skipped\n";
    expect(parseClosingLine(output)).toEqual({ passed: 7, failed: 1, skipped: 2 });
    expect(parseClosingLine("nothing ran")).toBeUndefined();
  });

  it("adds up over runtimes", () => {
    const one = { passed: 1, failed: 2, skipped: 3 };
    expect(add(one, one)).toEqual({ passed: 2, failed: 4, skipped: 6 });
  });
});

const STACK = "    at run (/node_modules/vitest/run.js:1:2)\n    at x\n".repeat(40);

describe("a report of vitest", () => {
  let folder: string;
  let path: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-report-"));
    path = join(folder, "node.json");
    const test = (title: string, ...failureMessages: string[]) => ({
      status: failureMessages.length > 0 ? "failed" : "passed",
      ancestorTitles: ["a codec"],
      title,
      failureMessages,
    });
    const report = {
      numPassedTests: 1,
      numFailedTests: 1,
      numPendingTests: 2,
      numTodoTests: 3,
      testResults: [
        {
          name: join(process.cwd(), "packages/a.test.ts"),
          status: "failed",
          message: "",
          assertionResults: [test("reads"), test("writes", `\u001B[31mno:\u001B[39m\n${STACK}`)],
        },
        {
          name: join(process.cwd(), "packages/b.test.ts"),
          status: "failed",
          message: "no module c",
          assertionResults: [],
        },
      ],
    };
    writeFileSync(path, JSON.stringify(report));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("counts a file that could not be run as a failed test", () => {
    expect(readReport(path)).toEqual({ passed: 1, failed: 2, skipped: 5 });
  });

  it("names what failed, without colours, and the beginning of the reason", () => {
    expect(readFailures(path)).toEqual([
      `packages/a.test.ts > a codec > writes\n  no:\n${"      at x\n".repeat(11)}  …`,
      "packages/b.test.ts\n  no module c",
    ]);
  });

  it("that is not there names nothing, and counts as no run at all", () => {
    expect(readFailures(join(folder, "deno.json"))).toEqual([]);
    expect(readReport(join(folder, "deno.json"))).toBeUndefined();
  });
});
