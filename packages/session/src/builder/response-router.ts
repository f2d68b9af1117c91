import type { Role } from "./role.ts";
import { ErrorCode } from "@sluice/codec";
import { RpcError } from "@sluice/core";
import type { Outcome } from "./outcome.ts";

/** Who waits for an answer that a handler has been given. */
export interface Routable {
  readonly method: string;
  readonly id: number | undefined;
  readonly peer: Role;
  deliver(outcome: Outcome): void;
}

/**
 * The one-shot right to say what comes of a request of ours, held by a handler that was given its answer. Nothing of it
 * goes on the wire. The first use counts. One whose handler settles without using or keeping it fails the request.
 */
export class ResponseRouter<R = unknown> {
  readonly #request: Routable;
  #state: "unused" | "kept" | "used" = "unused";

  constructor(request: Routable) {
    this.#request = request;
  }

  get method(): string {
    return this.#request.method;
  }
  /** The id the request had; undefined where it was never sent. */
  get id(): number | undefined {
    return this.#request.id;
  }
  /** Whom the request went to. */
  get peer(): Role {
    return this.#request.peer;
  }
  get state(): "unused" | "kept" | "used" {
    return this.#state;
  }

  route(value: R): void {
    this.routeWithResult({ ok: true, value });
  }
  routeWithError(error: Error): void {
    this.routeWithResult({ ok: false, error });
  }
  routeWithInternalError(reason: string): void {
    this.routeWithError(new RpcError(ErrorCode.internal, "Internal error", reason));
  }
  routeWithResult(outcome: Outcome<R>): void {
    if (this.#state === "used") return;
    this.#state = "used";
    this.#request.deliver(outcome);
  }

  /** Whoever holds it will use it, after the handler has settled. What comes then holds up nothing (O5). */
  keep(): this {
    if (this.#state === "unused") this.#state = "kept";
    return this;
  }
}
