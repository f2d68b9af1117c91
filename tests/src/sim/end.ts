// One end: a core and its driver, which is the simulation's own. Every verb of the core goes through `enter`, so that
// the invariants can be checked after each.
import {
  Core,
  type Fault,
  type Hello,
  type Host,
  type HostStream,
  type IncomingCall,
  type IncomingNotification,
  type SessionError,
} from "@sluice/core";
import type { Half } from "@sluice/streams";
import { Handler } from "./handler.ts";
import { Inspector } from "./inspector.ts";
import type { Link } from "./link.ts";
import type { Random } from "./random.ts";
import { Requester } from "./requester.ts";
import { Offered, Received } from "./value.ts";
import { Reader } from "./reader.ts";
import { check } from "./violation.ts";
import { Writer } from "./writer.ts";
import type { World } from "./world.ts";

export class End implements Host {
  readonly name: "a" | "b";
  readonly way: 0 | 1;
  readonly world: World;
  readonly random: Random;
  readonly core: Core;
  readonly requester: Requester;
  readonly handler: Handler;
  readonly inspector: Inspector;
  readonly actors: (Reader | Writer)[] = [];
  /** Why its session is over. */
  error: SessionError | undefined;
  /** Its transport is gone. */
  lost = false;
  opened = false;
  /** What goes out. */
  out!: Link;
  #depth = 0;
  #flushing = false;
  #turning = false;

  constructor(way: 0 | 1, world: World, random: Random) {
    this.way = way;
    this.name = way === 0 ? "a" : "b";
    this.world = world;
    this.random = random;
    this.inspector = new Inspector(this);
    this.requester = new Requester(this);
    this.handler = new Handler(this);
    this.core = new Core({ ...world.setup.options[way], observer: this.inspector }, this);
  }

  get peer(): End {
    return this.world.ends[this.way === 0 ? 1 : 0];
  }

  note(what: string, a = 0, b = 0, more?: () => string): void {
    this.world.trace.note(this.world.clock.now, this.name, what, a, b, more);
  }

  /** Everything that touches the core. */
  enter(what: string, n: number, verb: () => void): void {
    this.note(what, n);
    this.#depth++;
    verb();
    this.#depth--;
    if (this.#depth > 0) return;
    this.requester.continue();
    this.inspector.inspect();
  }

  /** Sends what there is, as long as the transport takes it. */
  flush(): void {
    this.#flushing = false;
    while (!this.lost && (!this.out.isFull || this.error !== undefined)) {
      let chunks: (Uint8Array | string)[] = [];
      this.enter("flush", 0, () => (chunks = this.core.flush()));
      if (chunks.length === 0) break;
      this.world.wire.sent(this.way, chunks);
      this.out.send(chunks);
    }
    if (this.error !== undefined) this.out.finish();
  }

  /** An application that uses a half it was given. */
  use(half: Half): void {
    const record = this.world.ledger.stream(half.id, half.of);
    const random = this.world.actorRandom(half.id * 2 + this.way);
    half.taken = true;
    const actor =
      half.kind === "send" ? new Writer(half, record, this, random) : new Reader(half, record, this, random);
    this.actors.push(actor);
  }

  // The host.

  wake(): void {
    if (this.#flushing || this.lost) return;
    this.#flushing = true;
    const late = !this.world.over && this.random.chance(10) ? this.random.below(4) : 0;
    this.world.clock.after(late, () => this.flush());
  }
  turn(): void {
    check(!this.#turning, "turn", "a second turn was asked for before the first");
    this.#turning = true;
    const late = !this.world.over && this.random.chance(20) ? this.random.below(4) : 0;
    this.world.clock.after(late, () => {
      this.#turning = false;
      this.enter("turn", 0, () => this.core.turn());
    });
  }
  schedule(): void {}
  // The link goes on: what is under way may arrive after a pause, and here that is everything.
  pause(): void {}

  call(call: IncomingCall): void {
    this.handler.call(call);
  }
  notification(notification: IncomingNotification): void {
    this.handler.notification(notification);
  }
  lift(value: object): HostStream | undefined {
    return value instanceof Offered ? value : undefined;
  }
  received(half: Half): Received {
    return new Received(half, this);
  }
  open(peer: Hello | undefined): void {
    check(!this.opened, "once", "the greeting was over twice");
    this.opened = true;
    this.note("open", peer === undefined ? 0 : 1);
  }
  draining(call: number): void {
    this.note("peer drains", call);
  }
  fault(fault: Fault): void {
    this.note("fault", 0, 0, () => `${fault.rule}: ${fault.message}`);
    this.world.faulted(this, fault);
  }
  ended(error: SessionError): void {
    check(this.error === undefined, "once", "the session ended twice");
    this.error = error;
    this.note("ended", 0, 0, () => `${error.code} by ${error.by}: ${error.message}`);
    this.world.sessionEnded(this, error);
    this.wake();
  }
}
