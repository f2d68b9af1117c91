// Which streams are open on the wire, by id. A stream is here from its mention until its end or reset has passed; what
// the application still has to read of it afterwards is its own.
import { MAX_STREAM } from "@sluice/codec";
import type { ReceiveHalf } from "./receive-half.ts";
import type { SendHalf } from "./send-half.ts";

export type Half = SendHalf | ReceiveHalf;
export type Role = "initiator" | "acceptor";

/** After our end or reset the peer may still send so many grants or stops that crossed it (S13). */
const CROSSING = 3;
/** For so many ended streams at once: what a peer saved up beyond is a flood. */
const REMEMBERED = 4096;

export class Registry {
  readonly #open: Map<number, Half> = new Map();
  readonly #role: Role;
  #next: number;
  #highestOurs = 0;
  #highestPeers = 0;
  #openByPeer = 0;
  #openByUs = 0;
  #crossing = 0;

  constructor(role: Role) {
    this.#role = role;
    this.#next = role === "initiator" ? 1 : 2;
  }

  /** Streams open on the wire, those that are stopping among them. */
  get size(): number {
    return this.#open.size;
  }
  /** How many of them the peer mentioned (S14), and how many we did. */
  get openByPeer(): number {
    return this.#openByPeer;
  }
  get openByUs(): number {
    return this.#openByUs;
  }
  get highestPeers(): number {
    return this.#highestPeers;
  }

  /** S2: an id of our own; undefined once they are exhausted. */
  allocate(): number | undefined {
    const id = this.#next;
    if (id > MAX_STREAM) return undefined;
    this.#next += 2;
    return id;
  }

  /** S2: whether the peer may mention this id, given the highest it had mentioned before the message. */
  mayMention(id: number, above: number): boolean {
    return !this.#isOurs(id) && id > above && id <= MAX_STREAM && !this.#open.has(id);
  }

  add(half: Half): void {
    this.#open.set(half.id, half);
    if (this.#isOurs(half.id)) {
      this.#openByUs++;
      this.#highestOurs = Math.max(this.#highestOurs, half.id);
    } else {
      this.#openByPeer++;
      this.#highestPeers = Math.max(this.#highestPeers, half.id);
    }
  }

  /** The open half; `gone` where it has been here; `never` where nobody mentioned it (S13). */
  find(id: number): Half | "gone" | "never" {
    const half = this.#open.get(id);
    if (half !== undefined) return half;
    return id <= (this.#isOurs(id) ? this.#highestOurs : this.#highestPeers) ? "gone" : "never";
  }

  remove(half: Half): void {
    if (!this.#open.delete(half.id)) return;
    if (this.#isOurs(half.id)) this.#openByUs--;
    else this.#openByPeer--;
    if (half.kind === "send") this.#crossing = Math.min(this.#crossing + CROSSING, CROSSING * REMEMBERED);
  }

  /** S13: whether a grant or stop for a gone stream is one that crossed our end. Uses it up. */
  crossed(): boolean {
    if (this.#crossing === 0) return false;
    this.#crossing--;
    return true;
  }

  /** Takes every half out and returns them, the latest first. */
  clear(): Half[] {
    const halves = [...this.#open.values()].reverse();
    this.#open.clear();
    this.#openByPeer = 0;
    this.#openByUs = 0;
    return halves;
  }

  values(): Iterable<Half> {
    return this.#open.values();
  }

  #isOurs(id: number): boolean {
    return (id % 2 === 1) === (this.#role === "initiator");
  }
}
