// The order of a connection: items wait here and are run one at a time, each after the one before has settled or let go.
import { Deque } from "@sluice/streams";
import { macrotask } from "../macrotask.ts";
import type { Intake, Item } from "./item.ts";

export interface QueueOptions {
  /** Items, and their bytes, that may wait. Beyond: reading pauses until half are gone. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** ms that an item may hold the connection while another waits. Then it is reported, and let go. */
  readonly holding: number;
  pause(paused: boolean): void;
  /** Runs what runs items, where it may be anybody who has it run. */
  enter(work: () => void): void;
  /** The item that is named so held the connection for too long. */
  stalled(error: Error, label: string): void;
}

export class Queue implements Intake {
  readonly #options: QueueOptions;
  readonly #items: Deque<Item> = new Deque();
  // Run before the others: an added handler's look at what was parked.
  #first: Item[] = [];
  #bytes = 0;
  #current: Item | undefined;
  #pumping = false;
  #room: "free" | "full" = "free";
  #state: "open" | "closed" = "open";
  #watch: ReturnType<typeof setTimeout> | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#items.length + this.#first.length;
  }

  /** Whether nothing is run and nothing waits. */
  get isIdle(): boolean {
    return this.#current === undefined && !this.#pumping && this.length === 0;
  }

  /** The item that holds the connection. */
  get current(): Item | undefined {
    return this.#current;
  }

  push(item: Item): void {
    if (this.#state === "closed") return item.abandon();
    if (this.isIdle) {
      this.#pumping = true;
      this.#run(item);
      this.#pumping = false;
      return this.#pump();
    }
    item.waits();
    this.#items.push(item);
    this.#bytes += item.size;
    this.#checkRoom();
    if (this.#current !== undefined) this.#startWatch();
  }

  /** Puts an item before those that wait. */
  unshift(item: Item): void {
    if (this.#state === "closed") return;
    this.#first.push(item);
    // Not on the stack of whoever puts it here.
    void SOON.then(() => this.#options.enter(() => this.#pump()));
  }

  letGo(item: Item): void {
    const current = this.#current;
    if (current === undefined || !descends(current, item)) return;
    current.state = "let go";
    this.#current = undefined;
    current.leftBehind();
    // Not on the handler's own stack: it waits only after this.
    if (!this.#pumping) void SOON.then(() => this.#pump());
  }

  /** Nothing more runs; returns what waited. */
  close(): readonly Item[] {
    this.#state = "closed";
    clearTimeout(this.#watch);
    // Nothing is taken any more, but the end of the transport has to be heard.
    if (this.#room === "full") this.#options.pause(false);
    this.#room = "free";
    const waiting = this.#first;
    this.#first = [];
    for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) waiting.push(item);
    return waiting;
  }

  #pump(): void {
    if (this.#pumping || this.#current !== undefined) return;
    this.#pumping = true;
    while (this.#current === undefined) {
      const item = this.#next();
      if (item === undefined) break;
      this.#run(item);
    }
    this.#pumping = false;
    if (this.#current !== undefined && this.length > 0) this.#startWatch();
  }

  #next(): Item | undefined {
    if (this.#first.length > 0) return this.#first.shift();
    const item = this.#items.shift();
    if (item === undefined) return undefined;
    this.#bytes -= item.size;
    this.#checkRoom();
    return item;
  }

  #run(item: Item): void {
    item.state = "holding";
    this.#current = item;
    const running = item.run();
    if (running === undefined) return this.#settled(item);
    void running.then(() => {
      this.#settled(item);
      this.#pump();
    });
  }

  #settled(item: Item): void {
    if (this.#current === item) this.#current = undefined;
    item.state = "settled";
    item.end();
  }

  #checkRoom(): void {
    const { waiting, waitingBytes, pause } = this.#options;
    const length = this.#items.length;
    if (this.#room === "free" && (length >= waiting || this.#bytes >= waitingBytes)) {
      this.#room = "full";
      pause(true);
    } else if (this.#room === "full" && length <= waiting / 2 && this.#bytes <= waitingBytes / 2) {
      this.#room = "free";
      pause(false);
    }
  }

  // One timer for all: it looks again where another item has come to hold the connection meanwhile.
  #startWatch(): void {
    const watched = this.#current;
    const { holding } = this.#options;
    if (this.#watch !== undefined || watched === undefined || holding === Number.POSITIVE_INFINITY) return;
    this.#watch = setTimeout(() => {
      this.#watch = undefined;
      if (this.#current !== watched) {
        if (this.length > 0) this.#startWatch();
        return;
      }
      this.#options.stalled(stalled(watched), watched.label);
      watched.letGo();
    }, holding);
    unref(this.#watch);
  }
}

/** What follows an answer waits for the continuation of whoever awaited it: it has run in the next macrotask. */
export function continuation(): Promise<void> {
  return new Promise((resolve) => macrotask(resolve));
}

/** Whether `item` is `ancestor`, or the answer to what its handler asked, or to what was asked in that answer's callback … */
function descends(item: Item, ancestor: Item): boolean {
  for (let at: Item | undefined = item; at !== undefined; at = at.origin) if (at === ancestor) return true;
  return false;
}

function stalled({ label }: Item): Error {
  return new Error(
    `${label} has held the connection for long, and messages wait behind it: let spawn() do what is slow, and await answers by the handler's own ConnectionTo. The connection goes on without it`,
  );
}

const SOON: Promise<void> = Promise.resolve();

// A process does not live on for the sake of a report.
function unref(timer: ReturnType<typeof setTimeout>): void {
  if (typeof timer === "object") (timer as { unref?(): void }).unref?.();
}
