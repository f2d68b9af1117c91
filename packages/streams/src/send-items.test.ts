import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ITEM_COST, type Piece, type SendHalf } from "./send-half.ts";
import { KiB, pullAll, sender, text, utf8 } from "./testing.ts";

const write = (half: SendHalf, ...items: readonly unknown[]): void => {
  for (const item of items) half.write(utf8(JSON.stringify(item)));
};
const brief = (pieces: Piece[]): unknown[] =>
  pieces.map(({ payload, whole, more, end }) => [
    text(payload),
    `${whole ? "whole" : "part"}${more ? " more" : ""}${end ? " end" : ""}`,
  ]);

describe("an object stream's writer", () => {
  it("S5: an item costs its bytes and 32", () => {
    const { half } = sender("items");
    write(half, 1, [2], "é");
    expect(brief(pullAll(half))).toEqual([
      ["1", "whole"],
      ["[2]", "whole"],
      ['"é"', "whole"],
    ]);
    expect(half.window.sent).toBe(1 + 3 + 4 + 3 * ITEM_COST);
  });

  it("F2: an item larger than the credit goes in parts, and its cost is charged once", () => {
    const { half } = sender("items", ITEM_COST + 10);
    write(half, "abcdefghijklmnop");
    half.end();
    expect(brief(pullAll(half))).toEqual([['"abcdefghi', "part more"]]);
    half.granted(1000);
    expect(brief(pullAll(half))).toEqual([['jklmnop"', "part end"]]);
    expect(half.window.sent).toBe(ITEM_COST + 18);
  });

  it("waits with an item until there is credit for its cost and one character", () => {
    for (const [credit, sent] of [
      [ITEM_COST, 0],
      [ITEM_COST + 3, 0],
      [ITEM_COST + 4, 1],
    ] as const) {
      const { half } = sender("items", credit);
      write(half, "xxxxxxxxx");
      expect(pullAll(half).length).toBe(sent);
    }
    const { half } = sender("items", ITEM_COST + 1);
    write(half, 1); // one byte is all it has
    expect(brief(pullAll(half))).toEqual([["1", "whole"]]);
  });

  it("F2: an item above 64 KiB goes in parts of 64 KiB", () => {
    const { half } = sender("items", 1000 * KiB);
    write(half, "x".repeat(130 * KiB));
    expect(pullAll(half, 1000 * KiB).map(({ payload, more }) => [payload.length, more])).toEqual([
      [64 * KiB, true],
      [64 * KiB, true],
      [2 * KiB + 2, false],
    ]);
  });

  it("F2: parts are cut between characters, whatever credit comes and whatever is left of a turn", () => {
    const item = fc.oneof(fc.string({ unit: "binary", maxLength: 60 }), fc.json());
    fc.assert(
      fc.property(
        fc.array(item, { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 20 }),
        (items, grants, turns) => {
          const { half } = sender("items", 1);
          write(half, ...items);
          half.end();
          const got: string[] = [];
          let open = "";
          let granted = 1;
          for (let i = 0; !half.isOver; i++) {
            const piece = half.pull(turns[i % turns.length]!);
            if (piece === undefined) {
              half.granted((granted += grants[i % grants.length]!));
              continue;
            }
            expect(half.window.sent).toBeLessThanOrEqual(granted);
            if (!piece.item) continue;
            const json = text(piece.payload); // throws where a character was cut
            expect(piece.whole).toBe(open === "" && !piece.more);
            open += json;
            if (piece.more) continue;
            got.push(open);
            open = "";
          }
          expect(got).toEqual(items.map((value) => JSON.stringify(value)));
        },
      ),
    );
  });
});
