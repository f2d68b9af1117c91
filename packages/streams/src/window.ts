// Credit as numbers. Both windows count what has passed since the stream began, in bytes as S5 counts them, so that a
// grant is an absolute offset and may be lost, repeated or overtaken by a later one without harm.
import type { SharedBudget } from "./budget.ts";
import { Estimator } from "./estimator.ts";

/** The writer's view: how much may still be sent. */
export class SendWindow {
  #sent = 0;
  #granted: number;

  /** @param first bytes that may be sent before the first grant (H1) */
  constructor(first: number) {
    this.#granted = first;
  }

  get sent(): number {
    return this.#sent;
  }
  get granted(): number {
    return this.#granted;
  }
  get available(): number {
    return this.#granted - this.#sent;
  }

  /** Takes up to `bytes` of credit and returns how much it got: an answer, not an exception. */
  take(bytes: number): number {
    const taken = Math.min(bytes, this.available);
    this.#sent += taken;
    return taken;
  }

  /** S5: an offset that is not above the last is ignored. Returns whether there is more credit now. */
  grant(offset: number): boolean {
    if (offset <= this.#granted) return false;
    this.#granted = offset;
    return true;
  }
}

/** How large a reader's window may become, and what all of a session's windows may grow by together (S6a). */
export interface Growth {
  /** Bytes. Default 16 MiB. */
  readonly max: number;
  readonly budget: SharedBudget;
}

/** The reader's view: what has been granted, has arrived and has been read. */
export class ReceiveWindow {
  #size: number;
  #granted: number;
  #arrived = 0;
  #read = 0;
  #grown = 0;
  #growth: Growth | undefined;
  // The grants before the last: how far the writer may get before it knows of the last. No more than two of them lie
  // beyond what has arrived, as each grants half a window.
  #before: number;
  #earlier: number;
  readonly #estimator: Estimator = new Estimator();

  constructor(first: number, growth?: Growth) {
    this.#size = first;
    this.#granted = first;
    this.#before = first;
    this.#earlier = first;
    this.#growth = growth;
  }

  get size(): number {
    return this.#size;
  }
  get granted(): number {
    return this.#granted;
  }
  get arrived(): number {
    return this.#arrived;
  }
  get unread(): number {
    return this.#arrived - this.#read;
  }

  /**
   * S4: false where the bytes go past what was granted; then nothing has changed.
   * @param now ms, by which a writer that waits for credit is told from one that is slow
   */
  arrive(bytes: number, now: number = 0): boolean {
    if (this.#arrived + bytes > this.#granted) return false;
    if (this.#growth !== undefined)
      this.#estimator.arrived(this.#arrived, bytes, this.#spent && this.unread === 0, now);
    this.#arrived += bytes;
    return true;
  }

  /**
   * Counts bytes as read. Returns the offset to grant, once half the window has been read (S6): at one half a grant
   * reaches the writer before it runs dry, and there are few of them.
   */
  read(bytes: number): number | undefined {
    this.#read += bytes;
    const next = this.#read + this.#size;
    if (next - this.#granted < this.#size / 2) return undefined;
    this.#grow();
    this.#estimator.granted(this.#granted);
    this.#earlier = this.#before;
    this.#before = this.#granted;
    this.#granted = this.#read + this.#size;
    return this.#granted;
  }

  // The writer has used all the credit that it knew of at some time.
  get #spent(): boolean {
    const arrived = this.#arrived;
    return arrived === this.#granted || arrived === this.#before || arrived === this.#earlier;
  }

  /** Gives the growth back to the session. What is read afterwards makes nothing grow. */
  close(): void {
    this.#growth?.budget.giveBack(this.#grown);
    this.#growth = undefined;
    this.#grown = 0;
  }

  // The reader keeps up and waits for a writer that waits for credit: the window is what holds the stream back.
  #grow(): void {
    const growth = this.#growth;
    if (growth === undefined || this.#size >= growth.max) return;
    if (!this.#estimator.needsMoreThan(this.#size) || this.unread > 0) return;
    const more = Math.min(this.#size, growth.max - this.#size);
    if (!growth.budget.claim(more)) return;
    this.#size += more;
    this.#grown += more;
  }
}
