// Params and results on their way out: the streams in them, and whether the peer takes them.
import { utf8Length } from "@sluice/codec";
import type { Half } from "@sluice/streams";
import type { Core } from "./core.ts";
import { RefusedError } from "./error.ts";
import type { HostStream } from "./host.ts";
import { isPlain, mentionStreams, type MentionsOf } from "./mention-out.ts";

/** A value on its way out, and the streams of ours it mentions. */
export type Mentions = MentionsOf<HostStream>;

const NO_STREAMS: readonly Half[] = [];

export class Values {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * What a value mentions, and how it is then written; undefined where it is written as it is.
   * @throws RefusedError, and whatever getters and toJSON of the value throw
   */
  mention(value: unknown): Mentions | undefined {
    if (typeof value !== "object" || value === null || isPlain(value, this.#lift)) return undefined;
    const core = this.#core;
    const mentions = mentionStreams(value, this.#lift, core.greeted ? this.#allocate : undefined);
    if (
      mentions.mentioned.length > 0 &&
      core.streams.openByUs + mentions.mentioned.length > core.peer!.limits.streams
    )
      throw new RefusedError("S14", `the peer takes ${core.peer!.limits.streams} streams at once`);
    return mentions;
  }

  /** S3: the value as it is written where streams may not be mentioned. @throws as `mention` does */
  withoutStreams(value: unknown): unknown {
    return mentionStreams(value, this.#lift, undefined).value;
  }

  /** Opens our halves of what a message of ours mentions. */
  open(mentions: Mentions | undefined): readonly Half[] {
    if (mentions === undefined || mentions.mentioned.length === 0) return NO_STREAMS;
    return mentions.mentioned.map(({ id, stream }) =>
      this.#core.streams.add(id, stream.of, stream.by === "sender"),
    );
  }

  /** Gives the driver's streams their halves, once the message is on its way. */
  attach(mentions: Mentions | undefined, halves: readonly Half[]): void {
    mentions?.mentioned.forEach(({ stream }, i) => stream.attach(halves[i]!));
  }

  /** @throws RefusedError where the peer does not take a message of this size. */
  checkSize(text: string): void {
    const max = this.#core.peer?.limits.message;
    if (max === undefined || text.length * 3 <= max) return;
    if (utf8Length(text) > max)
      throw new RefusedError("limits.message", `the peer takes messages of up to ${max} bytes; use a stream`);
  }

  readonly #lift = (object: object): HostStream | undefined => this.#core.host.lift(object);

  readonly #allocate = (): number => {
    const id = this.#core.streams.allocate();
    if (id === undefined) throw new RefusedError("S2", "stream ids are exhausted: open a new session");
    return id;
  };
}
