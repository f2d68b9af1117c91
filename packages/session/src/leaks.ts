// A handle that is dropped without being released is a leak: the peer goes on for nobody. The runtime tells us some time
// after it has collected the handle; then its stream is let go. For diagnosis, not to be relied on.
import type { Half } from "@sluice/streams";

/** A stream whose handle was collected before it was over. */
export interface Leak {
  readonly id: number;
  readonly kind: "readable" | "writable";
  /** Where the handle was made, if `traceLeaks` is on. */
  readonly stack: string | undefined;
}

interface Held {
  readonly half: Half;
  readonly stack: string | undefined;
  readonly report: (leak: Leak) => void;
}

const registry = new FinalizationRegistry<Held>(({ half, stack, report }) => {
  if (half.isOver) return;
  report({ id: half.id, kind: half.kind === "send" ? "writable" : "readable", stack });
  if (half.kind === "send") half.reset(1, "its handle was dropped");
  else half.stop(1, "its handle was dropped");
});

export interface LeakOptions {
  /** Told of each leak. */
  readonly onLeak?: (leak: Leak) => void;
  /** Keep the stack of where each handle was made: dear, for debugging. */
  readonly traceLeaks?: boolean;
}

/** Watches a handle. It must not be reachable from its half. While it is locked, somebody holds it (S11). */
export function watch(
  handle: { readonly locked: boolean },
  half: Half,
  { onLeak, traceLeaks }: LeakOptions,
): void {
  const weak = new WeakRef(handle);
  half.isHeld = (): boolean => weak.deref()?.locked === true;
  const stack = traceLeaks === true ? new Error("made here").stack : undefined;
  registry.register(handle, { half, stack, report: onLeak ?? ((): void => {}) });
}
