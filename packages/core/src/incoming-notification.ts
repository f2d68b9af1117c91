import type { NotificationMessage } from "@sluice/codec";
import type { BatchAnswer } from "./batch.ts";

/** A notification of the peer's, on its way to its handler. */
export class IncomingNotification {
  readonly kind = "notification" as const;
  readonly message: NotificationMessage;
  /** Size of its message, as what waits is counted. */
  readonly size: number;
  /** The batch it came in: its answers wait until this has been run. */
  readonly batch: BatchAnswer | undefined;
  lane: string | undefined;
  /** Whether it takes one of the places of what runs. */
  started = false;
  readonly #settled: (notification: IncomingNotification) => void;
  #isDone = false;

  constructor(
    message: NotificationMessage,
    size: number,
    batch: BatchAnswer | undefined,
    settled: (notification: IncomingNotification) => void,
  ) {
    this.message = message;
    this.size = size;
    this.batch = batch;
    this.#settled = settled;
  }

  /** Its handler has settled. The first time counts. */
  done(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#settled(this);
  }
}
