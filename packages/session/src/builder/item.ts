// One incoming thing on its way through a connection: a request, a notification, an answer, the end of input. A
// connection takes one at a time: an item holds it until its handlers have settled, or wait for an answer.
import { ASIDE, dispatching } from "./dispatching.ts";

/** `let go`: its handlers still run, and the connection has gone on without them. */
export type ItemState = "waiting" | "holding" | "let go" | "settled";

/**
 * In a handler: its connection goes on with the next message. `item` is the one whose handler the handle at hand belongs to; through
 * another's, it is the one that holds the connection in whose handlers we are.
 */
export function letGo(item: Item | undefined): void {
  const running = dispatching();
  if (running === ASIDE) return;
  item?.letGo();
  if (item === undefined || item.state === "settled") running?.letGo();
}

/** Who an item holds up. */
export interface Intake {
  letGo(item: Item): void;
}

export abstract class Item {
  /** Bytes it takes while it waits, about. */
  readonly size: number;
  /** The item whose handler sent the request that this answers; forgotten once all that this one started has settled. */
  origin: Item | undefined;
  state: ItemState = "waiting";
  readonly #intake: Intake;
  // Its handlers, and what they started, that have not settled.
  #work = 1;

  constructor(intake: Intake, size: number, origin?: Item) {
    this.#intake = intake;
    this.size = size;
    this.origin = origin;
  }

  /** Names it in what is reported. */
  abstract readonly label: string;

  /** Runs its handlers. What it returns holds the connection. Must not throw or reject. */
  abstract run(): Promise<void> | undefined;

  /** Others are before it. */
  waits(): void {}

  /** It will not be run: the connection is over. */
  abandon(): void {}

  /** The connection has gone on without it. */
  leftBehind(): void {}

  letGo(): void {
    this.#intake.letGo(this);
  }

  /** Something has been started on its behalf, and has settled. */
  begin(): void {
    this.#work++;
  }
  end(): void {
    if (--this.#work > 0) return;
    this.origin = undefined;
    this.over();
  }

  /** Its handlers and all they started have settled. */
  protected over(): void {}
}
