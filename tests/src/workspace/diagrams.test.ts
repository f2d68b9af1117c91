import { expect, it } from "vitest";
import { outOfDate, READMES, updated } from "../../../scripts/diagrams.ts";

it("the diagrams and tables in READMEs are those of the source (else: node scripts/diagrams.ts)", () => {
  expect(READMES.length).toBe(2);
  expect(outOfDate()).toEqual([]);
});

it("only what stands between markers is written, and an unknown name is an error", () => {
  const text = "a\n<!-- generated: PHASE -->\nold\n<!-- /generated -->\nz\n";
  const now = updated(text);
  expect(now).toMatch(
    /^a\n<!-- generated: PHASE -->\n```mermaid\nstateDiagram-v2\n[\s\S]*```\n<!-- \/generated -->\nz\n$/,
  );
  expect(updated(now)).toBe(now);
  expect(() => updated("<!-- generated: X -->\n<!-- /generated -->")).toThrow("X");
});
