// Random params and results, with streams anywhere in them, and how both ends say that they mean the same.
import type { HostStream } from "@sluice/core";
import type { Half } from "@sluice/streams";
import type { End } from "./end.ts";
import type { Random } from "./random.ts";

/** A stream that one end mentions. */
export class Offered implements HostStream {
  readonly of: "bytes" | "items";
  readonly by: "sender" | "receiver";
  readonly #end: End;

  constructor(of: "bytes" | "items", by: "sender" | "receiver", end: End) {
    this.of = of;
    this.by = by;
    this.#end = end;
  }

  attach(half: Half): void {
    this.#end.use(half);
  }
  /** The same for both ends. */
  toJSON(): string {
    return stands(this.of, (this.by === "sender") === (this.#end.name === "a"));
  }
}

/** What stands where the peer mentioned a stream. */
export class Received {
  readonly half: Half;
  readonly #end: End;

  constructor(half: Half, end: End) {
    this.half = half;
    this.#end = end;
  }

  toJSON(): string {
    return stands(this.half.of, (this.half.kind === "send") === (this.#end.name === "a"));
  }
}

function stands(of: string, initiatorWrites: boolean): string {
  return `<${of} written by ${initiatorWrites ? "a" : "b"}>`;
}

const LEAVES: readonly unknown[] = [
  0,
  -1.5,
  "",
  "é😀",
  '"$stream":1',
  '{"$stream":1,"of":"bytes"}',
  true,
  null,
];
const KEYS = ["a", "of", "$stream", "$escape", "by", "__proto__", "2", "1"] as const;

/** A value in which up to `streams` streams stand. */
export function randomValue(random: Random, end: End, streams: number): unknown {
  let left = streams;
  const value = (depth: number): unknown => {
    if (left > 0 && random.chance(40)) {
      left--;
      return new Offered(
        random.chance(60) ? "bytes" : "items",
        random.chance(50) ? "sender" : "receiver",
        end,
      );
    }
    if (depth > 3 || random.chance(40)) return random.pick(LEAVES);
    if (random.chance(40)) return Array.from({ length: random.below(4) }, () => value(depth + 1));
    const object: Record<string, unknown> = {};
    for (let n = random.below(4); n > 0; n--) {
      const written = value(depth + 1);
      Object.defineProperty(object, random.pick(KEYS), {
        value: written,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    // A second use of a key takes the first one's stream with it.
    return object;
  };
  return Array.from({ length: streams === 0 ? 1 : streams }, () => value(0));
}

/** As text that both ends write alike. */
export function canonical(value: unknown): string {
  return JSON.stringify(value) ?? "nothing";
}
