import { describe, expect, it } from "vitest";
import { RateBudget, SharedBudget } from "./budget.ts";

describe("a budget of so many a second", () => {
  const spent = (budget: RateBudget, times: number, now: number): number => {
    let n = 0;
    for (let i = 0; i < times; i++) if (budget.spend(now)) n++;
    return n;
  };

  it("C7: allows a burst from rest, then its rate", () => {
    const budget = new RateBudget(10);
    expect(spent(budget, 100, 0)).toBe(10);
    expect(spent(budget, 100, 99)).toBe(0);
    expect(spent(budget, 100, 500)).toBe(5);
    expect(spent(budget, 100, 1_000_000)).toBe(10);
  });

  it("is neither refilled nor emptied by a clock that goes backwards", () => {
    const budget = new RateBudget(10);
    expect(spent(budget, 5, 1000)).toBe(5);
    expect(spent(budget, 100, 0)).toBe(5);
    expect(spent(budget, 100, 1000)).toBe(0);
  });
});

describe("an amount that many share", () => {
  it("S6a: is claimed whole or not at all, and given back", () => {
    const budget = new SharedBudget(10);
    expect([budget.claim(6), budget.claim(5), budget.claim(4)]).toEqual([true, false, true]);
    budget.giveBack(6);
    expect(budget.used).toBe(4);
    expect(budget.claim(6)).toBe(true);
  });
});
