// L5: whether the peer is still there. Asked only while nothing arrives: any byte is a sign of life.
import type { Core } from "./core.ts";
import type { Deadline } from "./deadlines.ts";
import { SessionError } from "./error.ts";

export class Pulse {
  readonly #core: Core;
  readonly #interval: number | undefined;
  #heard = 0;
  // What had been heard when the last ping went out: nothing more, and it is not answered yet.
  #asked: number | undefined;
  #late: Deadline | undefined;
  #pings = 0;

  /** @param interval ms between pings while nothing arrives; undefined: none are sent */
  constructor(core: Core, interval: number | undefined) {
    this.#core = core;
    this.#interval = interval;
  }

  /** Something arrived. */
  heard(now: number): void {
    this.#heard = now;
  }

  start(now: number): void {
    if (this.#interval !== undefined) this.#schedule(now, this.#interval);
  }

  #schedule(from: number, interval: number): void {
    const core = this.#core;
    core.deadlines.add(from + interval, (now) => {
      if (now < this.#heard + interval) return this.#schedule(this.#heard, interval);
      if (this.#asked !== this.#heard) this.#ask(now);
      this.#schedule(now, interval);
    });
    core.host.schedule();
  }

  #ask(now: number): void {
    const core = this.#core;
    core.outbox.control({ type: "ping", token: (this.#pings++).toString(16).padStart(16, "0") });
    core.host.wake();
    this.#asked = this.#heard;
    core.deadlines.cancel(this.#late);
    this.#late = core.deadlines.add(now + core.limits.ping, () => {
      if (this.#asked !== this.#heard) return;
      const message = `no sign of life for ${core.limits.ping} ms after a ping (L5)`;
      core.end(new SessionError("timeout", "peer", message, { rule: "L5" }));
    });
  }
}
