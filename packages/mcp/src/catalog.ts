// What a server offers of one kind, by name, in the order in which it was added. It may change while clients are there:
// they are told once for all that changes in one turn. What is disabled is kept, and for clients it is not there.
import { ErrorCode } from "@sluice/codec";
import { RpcError } from "@sluice/session";

/** A page of a list, and where the next begins, if there is one. */
export interface Page<T> {
  readonly entries: readonly (readonly [name: string, item: T])[];
  readonly nextCursor?: string;
}

export class Catalog<T> {
  readonly #items: Map<string, T>;
  readonly #onChange: () => void;
  #change: "none" | "to be told" = "none";
  /** Whether `#exceptions` are the ones that are disabled, or the only ones that are not. */
  #rule: "enabled" | "disabled" = "enabled";
  #exceptions: Set<string> = new Set();

  constructor(items: Readonly<Record<string, T>>, onChange: () => void) {
    this.#items = new Map(Object.entries(items));
    this.#onChange = onChange;
  }

  /** With those that are disabled. */
  get size(): number {
    return this.#items.size;
  }

  /** Undefined where there is none, or it is disabled. */
  get(name: string): T | undefined {
    return this.isEnabled(name) ? this.#items.get(name) : undefined;
  }

  /** Whether clients see it. */
  isEnabled(name: string): boolean {
    return this.#items.has(name) && this.#exceptions.has(name) === (this.#rule === "disabled");
  }

  /** Shows it to clients again. @throws RangeError where there is none of this name */
  enable(name: string): void {
    this.#set(name, "enabled");
  }

  /** Hides it from clients. @throws RangeError where there is none of this name */
  disable(name: string): void {
    this.#set(name, "disabled");
  }

  /** Those that are added later, too. */
  enableAll(): void {
    this.#setAll("enabled");
  }

  /** Those that are added later, too, until they are enabled. */
  disableAll(): void {
    this.#setAll("disabled");
  }

  /** Adds it, or puts it in the place of what has this name. Disposing of what it returns removes it. */
  add(name: string, item: T): Disposable {
    this.#items.set(name, item);
    this.#changed();
    return {
      [Symbol.dispose]: () => {
        if (this.#items.get(name) === item) this.remove(name);
      },
    };
  }

  /** Whether there was one. */
  remove(name: string): boolean {
    const had = this.#items.delete(name);
    this.#exceptions.delete(name);
    if (had) this.#changed();
    return had;
  }

  /** @throws RpcError -32602 where the cursor is none of ours (MCP "Pagination") */
  page(cursor: unknown, size: number): Page<T> {
    const at = cursor === undefined ? 0 : positionOf(cursor);
    const all = [...this.#items].filter(([name]) => this.isEnabled(name));
    const entries = all.slice(at, at + size);
    const next = at + size;
    return next < all.length ? { entries, nextCursor: String(next) } : { entries };
  }

  #set(name: string, state: "enabled" | "disabled"): void {
    if (!this.#items.has(name)) throw new RangeError(`there is no ${JSON.stringify(name)} to be ${state}`);
    if (this.isEnabled(name) === (state === "enabled")) return;
    if (state === this.#rule) this.#exceptions.delete(name);
    else this.#exceptions.add(name);
    this.#changed();
  }

  #setAll(state: "enabled" | "disabled"): void {
    this.#rule = state;
    this.#exceptions = new Set();
    this.#changed();
  }

  #changed(): void {
    if (this.#change === "to be told") return;
    this.#change = "to be told";
    queueMicrotask(() => {
      this.#change = "none";
      this.#onChange();
    });
  }
}

function positionOf(cursor: unknown): number {
  if (typeof cursor === "string" && /^[1-9]\d{0,14}$/.test(cursor)) return Number(cursor);
  throw new RpcError(ErrorCode.invalidParams, "the cursor is not one that this server gave");
}
