// L5: whether the peer is still there. Asked only while nothing arrives: any byte is a sign of life.
import type { Core } from "./core.ts";
import { SessionError } from "./error.ts";

export class Pulse {
  readonly #core: Core;
  readonly #interval: number | undefined;
  #heard = 0;
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
      core.outbox.control({ type: "ping", token: (this.#pings++).toString(16).padStart(16, "0") });
      core.host.wake();
      const asked = this.#heard;
      core.deadlines.add(now + core.limits.ping, () => {
        if (this.#heard > asked) return this.#schedule(this.#heard, interval);
        const message = `no sign of life for ${core.limits.ping} ms after a ping (L5)`;
        core.end(new SessionError("timeout", "peer", message, { rule: "L5" }));
      });
    });
    core.host.schedule();
  }
}
