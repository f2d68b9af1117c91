import { ErrorCode } from "@sluice/codec";
import { RpcError } from "@sluice/core";
import type { Connection } from "./connection.ts";
import { DispatchItem } from "./dispatch-item.ts";
import type { Outcome } from "./outcome.ts";
import type { PendingRequest } from "./pending-request.ts";
import { continuation } from "./queue.ts";
import { ResponseRouter } from "./response-router.ts";

/** The answer to a request of ours. */
export class ResponseItem extends DispatchItem {
  readonly #pending: PendingRequest;
  readonly #outcome: Outcome;
  readonly #from: "peer" | "us";
  #router: ResponseRouter | undefined;

  /** `from`: whether the peer answered, or the request failed here, which handlers are not shown. */
  constructor(connection: Connection, pending: PendingRequest, outcome: Outcome, from: "peer" | "us") {
    super(connection, 0, pending.origin);
    this.#pending = pending;
    this.#outcome = outcome;
    this.#from = from;
  }

  get label(): string {
    return `answer to ${this.#pending.method}`;
  }

  run(): Promise<void> | undefined {
    const pending = this.#pending;
    pending.enter(this);
    const running = this.#run();
    if (running !== undefined) return running.then(() => this.#taken());
    return this.#taken();
  }

  /** It has come, whatever becomes of the connection. */
  override abandon(): void {
    this.#pending.deliver(this.#outcome);
  }

  unclaimed(): void {
    if (this.#router?.state !== "used") this.#pending.deliver(this.#outcome);
  }

  failed(error: unknown): void {
    const reason = error instanceof Error ? error : new Error(String(error), { cause: error });
    this.#pending.deliver({ ok: false, error: reason });
  }

  #run(): Promise<void> | undefined {
    const pending = this.#pending;
    const { method } = pending;
    if (this.#from === "us" || !this.connection.chain.seesResponses) {
      pending.deliver(this.#outcome);
      return undefined;
    }
    const router = new ResponseRouter(pending);
    this.#router = router;
    return this.runChain({ kind: "response", method, outcome: this.#outcome, router });
  }

  // O3: an ordered consumer holds up what follows; O5: one that awaits it continues in the next macrotask.
  #taken(): Promise<void> | undefined {
    const pending = this.#pending;
    pending.leave();
    const taking = pending.taken();
    if (taking !== undefined) return taking;
    return pending.isAwaited && this.connection.queue.length > 0 ? continuation() : undefined;
  }

  protected override over(): void {
    const pending = this.#pending;
    if (pending.state === "delivered") return this.connection.settled(pending);
    if (this.#router?.state === "kept") return; // it has been dealt with once that is used
    const message = `the answer to ${pending.method} was claimed by a handler and never routed`;
    pending.deliver({ ok: false, error: new RpcError(ErrorCode.internal, message) });
  }
}
