import type { IncomingNotification } from "@sluice/core";
import type { Connection } from "./connection.ts";
import { DispatchItem } from "./dispatch-item.ts";

export class NotificationItem extends DispatchItem {
  readonly #notification: IncomingNotification;

  constructor(connection: Connection, notification: IncomingNotification) {
    super(connection, notification.size);
    this.#notification = notification;
  }

  get label(): string {
    return this.#notification.message.method;
  }

  run(): Promise<void> | undefined {
    const { method, params } = this.#notification.message;
    const running = this.runChain({ kind: "notification", method, params });
    if (running !== undefined) return running.then(() => this.abandon());
    this.abandon();
    return undefined;
  }

  /** It is not run any more. */
  override abandon(): void {
    this.#notification.done();
  }

  unclaimed(): void {}

  failed(error: unknown): void {
    this.connection.reportError(error, this.label);
  }
}
