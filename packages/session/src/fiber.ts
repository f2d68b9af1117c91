import type * as Fiber from "effect/Fiber";

/** Settles once the fiber has ended; undefined where it has. */
export function ended(fiber: Fiber.Fiber<unknown, unknown>): Promise<void> | undefined {
  if (fiber.pollUnsafe() !== undefined) return undefined;
  return new Promise((resolve) => void fiber.addObserver(() => resolve()));
}
