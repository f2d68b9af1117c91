// S1, outgoing: finds the streams in a value and puts mentions in their place. A JSON.stringify replacer would cost more
// than the whole call, so this walks by itself, skips primitives and copies only where something changes.
import { RefusedError } from "./error.ts";

export interface Mention {
  readonly $stream: number;
  readonly of: "bytes" | "items";
  readonly by: "sender" | "receiver";
}

/** A value that is a stream to its owner. */
export interface Liftable {
  readonly of: "bytes" | "items";
  /** Who will write it, seen from here. */
  readonly by: "sender" | "receiver";
}

interface Mentioned<L extends Liftable> {
  readonly id: number;
  readonly stream: L;
}

/** A value with its streams replaced, and what they were. */
export interface MentionsOf<L extends Liftable> {
  readonly value: unknown;
  readonly mentioned: readonly Mentioned<L>[];
}

/** Says whether an object is a stream. Asked for every object, so it should be quick for plain ones. */
export type Lift<L extends Liftable> = (value: object) => L | undefined;

// Deeper than any peer takes; also what ends the walk of a cycle.
const DEEPEST = 2000;

/**
 * The value with each stream replaced by its mention; the same value where there is none.
 * @throws RefusedError where a stream is mentioned twice (S2), where the peer has no streams, or nesting is too deep.
 */
export function mentionStreams<L extends Liftable>(
  value: unknown,
  lift: Lift<L>,
  allocate: (() => number) | undefined,
): MentionsOf<L> {
  if (typeof value !== "object" || value === null) return { value, mentioned: NONE };
  const walk = new Walk(lift, allocate);
  return { value: walk.value(value, 0), mentioned: walk.mentioned };
}

const NONE: readonly never[] = [];

/** The common case, found without an allocation: an object or array of primitives, none of them a stream. */
export function isPlain<L extends Liftable>(value: object, lift: Lift<L>): boolean {
  if (typeof (value as { toJSON?: unknown }).toJSON === "function" || lift(value) !== undefined) return false;
  for (const key in value) {
    const member: unknown = (value as Record<string, unknown>)[key];
    if (typeof member === "object" && member !== null) return false;
    if (key === "$stream" || key === "$escape") return false;
  }
  return true;
}

class Walk<L extends Liftable> {
  readonly mentioned: Mentioned<L>[] = [];
  #seen: Set<object> | undefined;
  readonly #lift: Lift<L>;
  readonly #allocate: (() => number) | undefined;

  constructor(lift: Lift<L>, allocate: (() => number) | undefined) {
    this.#lift = lift;
    this.#allocate = allocate;
  }

  value(value: unknown, depth: number): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (depth > DEEPEST) throw new RefusedError("limits.depth", "value nests too deep, or in a circle");
    const stream = this.#lift(value);
    if (stream !== undefined) return this.#mention(value, stream);
    if (typeof (value as { toJSON?: unknown }).toJSON === "function") return this.#toJson(value, depth);
    if (Array.isArray(value)) return this.#array(value, depth);
    return ArrayBuffer.isView(value) ? value : this.#object(value as Record<string, unknown>, depth);
  }

  #mention(object: object, stream: L): Mention {
    if (this.#allocate === undefined)
      throw new RefusedError(
        "H2",
        "the peer has no streams: it did not greet, or this is not params or result",
      );
    this.#seen ??= new Set();
    if (this.#seen.has(object)) throw new RefusedError("S2", "a stream is mentioned twice in one message");
    this.#seen.add(object);
    const id = this.#allocate();
    this.mentioned.push({ id, stream });
    return { $stream: id, of: stream.of, by: stream.by };
  }

  // S1: what counts is what toJSON returns. A primitive is left to JSON.stringify, which will ask again.
  #toJson(value: object, depth: number): unknown {
    const json = (value as { toJSON(): unknown }).toJSON();
    return typeof json === "object" && json !== null ? this.value(json, depth + 1) : value;
  }

  #array(array: readonly unknown[], depth: number): unknown {
    let copy: unknown[] | undefined;
    for (let i = 0; i < array.length; i++) {
      const before = array[i];
      if (typeof before !== "object" || before === null) continue;
      const after = this.value(before, depth + 1);
      if (after === before) continue;
      copy ??= array.slice();
      copy[i] = after;
    }
    return copy ?? array;
  }

  #object(object: Record<string, unknown>, depth: number): unknown {
    let copy: Record<string, unknown> | undefined;
    let escape = false;
    for (const key in object) {
      if (!Object.hasOwn(object, key)) continue;
      if (key === "$stream" || key === "$escape") escape = true;
      const before = object[key];
      if (typeof before !== "object" || before === null) continue;
      const after = this.value(before, depth + 1);
      if (after === before) continue;
      copy ??= { ...object };
      // Not by assignment: the key may be "__proto__".
      Object.defineProperty(copy, key, {
        value: after,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    const result = copy ?? object;
    return escape && this.#allocate !== undefined ? { $escape: result } : result;
  }
}

/** The value as it is to be written. */
export function written(value: unknown, mentions: { readonly value: unknown } | undefined): unknown {
  return mentions === undefined ? value : mentions.value;
}
