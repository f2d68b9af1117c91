import { afterEach, describe, expect, it, vi } from "vitest";
import { failures, runStep, table, total, type Result } from "../../../scripts/steps.ts";

const result = (name: string, status: Result["status"], more: Partial<Result> = {}): Result => ({
  name,
  status,
  seconds: 1,
  note: "",
  ...more,
});

describe("a CI run", () => {
  afterEach(() => vi.restoreAllMocks());

  it("counts tests one by one and a failed step as one", () => {
    const results = [
      result("tests", "failed", { counts: { passed: 10, failed: 2, skipped: 1 } }),
      result("lint", "failed"),
      result("types", "ok"),
      result("browser", "left out"),
    ];
    expect(total(results)).toEqual({ passed: 10, failed: 3, skipped: 1 });
  });

  it("counts a test run that broke without a failed test", () => {
    const counts = { passed: 5, failed: 0, skipped: 0 };
    expect(total([result("tests", "failed", { counts })])).toEqual({ passed: 5, failed: 1, skipped: 0 });
  });

  it("repeats at its end what failed steps printed last", async () => {
    const print = (lines: number, code: number) => [
      process.execPath,
      "-e",
      `for (let n = 1; n <= ${lines}; n++) console.log("line", n); process.exitCode = ${code};`,
    ];
    // It shows what its steps print.
    vi.spyOn(console, "log").mockReturnValue();
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const failed = await runStep({ name: "lint", run: print(100, 1) });
    const passed = await runStep({ name: "types", run: print(1, 0) });
    const lines = failures([failed, passed]).trimEnd().split("\n");
    expect(lines).toHaveLength(61);
    expect([lines[0], lines[1], lines.at(-1)]).toEqual([
      "━━ lint failed; it printed last:",
      "line 41",
      "line 100",
    ]);
  });

  it("shows its steps in a table", () => {
    const text = table([
      result("tests", "ok", { note: "3 passed" }),
      result("dead code", "failed", { seconds: 12.34 }),
    ]);
    expect(text).toBe("tests      ok           1.0 s  3 passed\ndead code  failed      12.3 s");
  });
});
