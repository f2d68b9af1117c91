import { describe, expect, it } from "vitest";
import { SharedBudget } from "./budget.ts";
import { ReceiveWindow, SendWindow } from "./window.ts";

describe("the writer's window", () => {
  it("S4: take answers with what there is, and then with 0", () => {
    const window = new SendWindow(10);
    expect([window.take(64), window.take(64)]).toEqual([10, 0]);
    expect(window.sent).toBe(10);
  });

  it("S5: a grant is an absolute offset; one that is not above the last changes nothing", () => {
    const window = new SendWindow(10);
    window.take(7);
    expect([window.grant(9), window.grant(10), window.grant(0)]).toEqual([false, false, false]);
    expect(window.available).toBe(3);
    expect(window.grant(12)).toBe(true);
    expect(window.available).toBe(5);
    window.grant(Number.MAX_SAFE_INTEGER);
    expect(window.take(100)).toBe(100);
  });
});

describe("the reader's window", () => {
  it("S4: a byte past the grant is refused, and changes nothing", () => {
    const window = new ReceiveWindow(10);
    expect([window.arrive(11), window.arrive(10), window.arrive(1)]).toEqual([false, true, false]);
    expect([window.arrived, window.unread]).toEqual([10, 10]);
  });

  it("S6: a grant comes when half the window has been read, and no sooner", () => {
    const window = new ReceiveWindow(10);
    window.arrive(10);
    expect([window.read(4), window.read(1), window.read(4), window.read(1)]).toEqual([
      undefined,
      15,
      undefined,
      20,
    ]);
    expect(window.granted).toBe(20);
  });

  const growing = (max: number, total: number): { window: ReceiveWindow; budget: SharedBudget } => {
    const budget = new SharedBudget(total);
    return { window: new ReceiveWindow(100, { max, budget }), budget };
  };

  it("doubles, up to its maximum, while the reader keeps up", () => {
    const { window, budget } = growing(350, 1000);
    const sizes: number[] = [];
    for (let i = 0; i < 3; i++) {
      const bytes = window.granted - window.arrived;
      window.arrive(bytes);
      window.read(bytes);
      sizes.push(window.size);
    }
    expect(sizes).toEqual([200, 350, 350]);
    expect(budget.used).toBe(250);
    expect(window.granted).toBe(window.arrived + 350);
  });

  it("does not grow while something lies unread", () => {
    const { window } = growing(1000, 1000);
    window.arrive(100);
    window.read(60);
    expect(window.size).toBe(100);
  });

  it("S6a: where the session's budget is spent it does not grow, and is granted its first window all the same", () => {
    const { window } = growing(1000, 99);
    for (let i = 1; i <= 10; i++) {
      window.arrive(100);
      expect(window.read(100)).toBe(100 * i + 100);
    }
    expect(window.size).toBe(100);
  });

  it("S6a: gives its growth back when it closes, and takes none for what is read afterwards", () => {
    const { window, budget } = growing(1000, 1000);
    window.arrive(100);
    window.read(100);
    expect(budget.used).toBe(100);
    window.arrive(200);
    window.close();
    expect(budget.used).toBe(0);
    window.read(200);
    expect(budget.used).toBe(0);
    window.close();
    expect(budget.used).toBe(0);
  });
});
