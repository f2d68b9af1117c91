import { describe, expect, it } from "vitest";
import { add, closingLine, parseClosingLine } from "../../../scripts/report.ts";

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
