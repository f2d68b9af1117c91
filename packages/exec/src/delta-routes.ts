// Bodies that come as deltas, from an executor that has no streams: which delta belongs to which body, whether it is the
// next one, and how much may wait for a reader that nobody can hold the executor back for.
import { fromBase64 } from "@sluice/codec";
import { ForeignRegistry, StreamCode, StreamError, type ForeignHalf } from "@sluice/streams";
import * as v from "valibot";
import { BODY_CODES, MAX_DELTA, type BodyDeltaParams } from "./http-wire.ts";
import type { BodySource } from "./response-body.ts";

export interface DeltaLimits {
  /** Deltas of one body that wait to be read. Beyond: that body fails, after what waits. Default 256. */
  readonly frames: number;
  /** Bytes that wait in all bodies of a client. Beyond: the body that holds most fails, after what waits. Default 16 MiB. */
  readonly bytes: number;
}

export const DELTA_LIMITS: DeltaLimits = { frames: 256, bytes: 16 * 1024 * 1024 };

/** A body on its way: read it, or stop it. */
export type DeltaRoute = ForeignHalf<string>;

export class DeltaRoutes {
  readonly #limits: DeltaLimits;
  readonly #registry: ForeignRegistry<string>;
  readonly #nextSeq: WeakMap<DeltaRoute, number> = new WeakMap();
  readonly #onFault: (id: string) => void;

  /** @param onFault told which body has failed on this side while the executor still sends it */
  constructor(limits: DeltaLimits, onFault: (id: string) => void) {
    this.#limits = limits;
    this.#registry = new ForeignRegistry(() => {}, { bytes: limits.bytes }); // nothing here pauses
    this.#onFault = onFault;
  }

  /** Bodies that are expected, or have not ended. */
  get open(): number {
    return this.#registry.size;
  }

  /** Expects a body, from before its request is sent: deltas may come before the answer. */
  expect(id: string): DeltaRoute {
    const { frames, bytes } = this.#limits;
    const route = this.#registry.open(id, {
      policy: "fail",
      chunks: frames,
      bytes,
      overflow: (bound) => {
        this.#onFault(id);
        if (bound === "chunks") return "body delta channel filled before delivery";
        return `queued body deltas exceed ${bytes} bytes`;
      },
    });
    this.#nextSeq.set(route, 1);
    return route;
  }

  /** A delta has come. One for a body that nobody expects is ignored; one that is wrong fails its body, and no other. */
  delta(params: unknown): void {
    const id = (params as { requestId?: unknown } | undefined)?.requestId;
    const route = typeof id === "string" ? this.#registry.get(id) : undefined;
    if (route === undefined) return;
    const wrong = this.#take(route, params);
    if (wrong === undefined) return;
    route.fail(new StreamError(StreamCode.protocol, "peer", wrong));
    this.#onFault(route.key);
  }

  /** The connection is gone: each body fails, after what has arrived. */
  lose(reason: Error): void {
    this.#registry.lose(reason);
  }

  /** What is wrong with it, or undefined where it was taken. */
  #take(route: DeltaRoute, params: unknown): string | undefined {
    const parsed = v.safeParse(DELTA, params);
    if (!parsed.success) return "http response body delta is malformed";
    const { seq, deltaBase64, done, error } = parsed.output;
    const expected = this.#nextSeq.get(route);
    if (seq !== expected)
      return `http response stream \`${route.key}\` received seq ${seq}, expected ${expected}`;
    this.#nextSeq.set(route, seq + 1);
    if (deltaBase64.length > MAX_ENCODED) return TOO_LONG;
    const bytes = fromBase64(deltaBase64);
    if (bytes === undefined) return "http response body delta is not base64";
    if (bytes.length > MAX_DELTA) return TOO_LONG;
    if (typeof error === "string")
      route.fail(new StreamError(UPSTREAM, "peer", `http response stream \`${route.key}\` failed: ${error}`));
    else if (bytes.length > 0) this.#registry.arrive(route.key, bytes);
    if (done) route.end();
    return undefined;
  }
}

const UPSTREAM = BODY_CODES.upstream ?? StreamCode.internal;
const MAX_ENCODED = Math.ceil(MAX_DELTA / 3) * 4;
const TOO_LONG = `http response body delta exceeds ${MAX_DELTA} bytes`;
const DELTA: v.GenericSchema<unknown, BodyDeltaParams> = v.object({
  requestId: v.string(),
  seq: v.pipe(v.number(), v.safeInteger()),
  deltaBase64: v.string(),
  done: v.optional(v.boolean(), false),
  error: v.nullish(v.string(), null),
});

/** What has arrived. Cancelled, the body is not expected any more. */
export function deltaBody(route: DeltaRoute, onCancel: () => void): BodySource {
  return {
    next: () =>
      new Promise((resolve, reject) => {
        const give = (): void => {
          const value = route.read();
          if (value === undefined && !route.isOver) return;
          route.onReadable = undefined;
          if (value !== undefined) resolve({ value });
          else if (route.error === undefined) resolve({ done: true });
          else reject(route.error);
        };
        route.onReadable = give;
        give();
      }),
    cancel: () => {
      const unfinished = route.state === "open";
      route.onReadable = undefined;
      route.stop();
      if (unfinished) onCancel();
    },
  };
}
