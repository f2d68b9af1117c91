// What a server offers of one kind, by name, in the order in which it was added. It may change while clients are there:
// they are told once for all that changes in one turn.
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

  constructor(items: Readonly<Record<string, T>>, onChange: () => void) {
    this.#items = new Map(Object.entries(items));
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#items.size;
  }

  get(name: string): T | undefined {
    return this.#items.get(name);
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
    if (had) this.#changed();
    return had;
  }

  /** @throws RpcError -32602 where the cursor is none of ours (MCP "Pagination") */
  page(cursor: unknown, size: number): Page<T> {
    const at = cursor === undefined ? 0 : positionOf(cursor);
    const entries = [...this.#items].slice(at, at + size);
    const next = at + size;
    return next < this.#items.size ? { entries, nextCursor: String(next) } : { entries };
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
