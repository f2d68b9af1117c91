// The greeting as each end goes through it (PROTOCOL H). Once it is over it takes no part in anything.
import {
  encodeError,
  encodeRequest,
  encodeResult,
  ErrorCode,
  type Batch,
  type Message,
  type RequestMessage,
} from "@sluice/codec";
import type { Core } from "./core.ts";
import { SessionError } from "./error.ts";
import type { OutgoingCall } from "./outgoing.ts";
import {
  HELLO,
  looksLikeHello,
  makeHello,
  otherVersions,
  readHello,
  VERSION,
  type Encoding,
  type Hello,
} from "./greeting.ts";

export interface GreeterOptions {
  readonly encodings: readonly Encoding[];
  readonly framesFromStart?: boolean;
  readonly name?: string;
  readonly capabilities?: Readonly<Record<string, unknown>>;
}

export class Greeter {
  readonly #core: Core;
  readonly #options: GreeterOptions;
  #call: OutgoingCall | undefined;
  #stopClock: () => void = () => {};

  constructor(core: Core, options: GreeterOptions) {
    this.#core = core;
    this.#options = options;
  }

  start(now: number): void {
    const core = this.#core;
    if (!core.dialect.greets) return core.opened(undefined); // H5
    if (core.limits.greeting !== Number.POSITIVE_INFINITY) this.#startClock(now);
    if (core.role === "acceptor") return;
    this.#call = core.calls.reserve(HELLO);
    core.outbox.message(encodeRequest(core.dialect, this.#call.id, HELLO, this.#hello(this.#offered)));
    core.host.wake();
  }

  #startClock(now: number): void {
    const core = this.#core;
    const deadline = core.deadlines.add(now + core.limits.greeting, () => this.#late());
    this.#stopClock = () => core.deadlines.cancel(deadline);
    core.host.schedule();
  }

  /** Takes a message that belongs to the greeting. False: it is the session's, which is open by then. */
  take(message: Message | Batch): boolean {
    return this.#core.role === "initiator" ? this.#takeAnswer(message) : this.#takeHello(message);
  }

  /** The input ended before the greeting did. One that waits for it without end needs none: whoever came has left. */
  cut(): void {
    const { limits, role } = this.#core;
    if (role === "acceptor" && limits.greeting === Number.POSITIVE_INFINITY) return this.#plain();
    this.#fail(`the peer closed the session before it greeted (H2). ${PLAIN_HINT}${this.#core.printed}`);
  }

  #takeAnswer(message: Message | Batch): boolean {
    const core = this.#core;
    if (message.kind === "request" && message.method === HELLO) {
      core.breach("H1a", "a hello while ours is unanswered: both ends initiate, or an echo");
      return true;
    }
    const isAnswer =
      message.kind === "result" ||
      message.kind === "error" ||
      (message.kind === "invalid" && message.answers);
    if (!isAnswer || message.id !== this.#call?.id) {
      if (isNoise(message)) return false;
      if (core.speaksFrames) {
        this.#fail("a peer that speaks frames must answer the hello (H4)");
        return true;
      }
      // Only a plain peer says anything else first (H2); its answer will come, and mean nothing.
      if (this.#call !== undefined) core.calls.expect(this.#call);
      this.#plain();
      return false;
    }
    if (message.kind === "result" && looksLikeHello(message.result)) this.#settle(message.result);
    else if (message.kind === "error" && otherVersions(message.error.data) !== undefined)
      this.#fail(`the peer speaks other versions of Sluice than ${VERSION} (H2)`);
    else if (core.speaksFrames) this.#fail("a peer that speaks frames must answer the hello (H4)");
    else this.#plain();
    return true;
  }

  #settle(result: unknown): void {
    const core = this.#core;
    const hello = readHello(result);
    if (typeof hello === "string") return this.#fail(`malformed answer to hello: ${hello} (H2)`);
    const [encoding, ...more] = hello.encodings;
    if (encoding === undefined || more.length > 0 || !this.#offered.includes(encoding))
      return this.#fail("the answer to hello must choose one of the encodings offered (H1)");
    if (hello.version !== VERSION) return this.#fail(`the peer chose version ${hello.version} (H2)`);
    if (encoding === "frames") core.switchToFrames();
    this.#open(hello);
  }

  #takeHello(message: Message | Batch): boolean {
    const core = this.#core;
    if (message.kind === "request" && message.method === HELLO) {
      this.#answer(message);
      return true;
    }
    if (isNoise(message)) return false;
    if (core.speaksFrames) {
      this.#fail("a peer that speaks frames must greet first (H4)");
      return true;
    }
    this.#plain(); // H2
    return false;
  }

  #answer(request: RequestMessage): void {
    const core = this.#core;
    const hello = readHello(request.params);
    const refuse = (why: string): void => {
      const error = {
        code: ErrorCode.invalidRequest,
        message: why,
        data: { sluice: { versions: [VERSION] } },
      };
      core.outbox.message(encodeError(core.dialect, request.id, error));
      this.#fail(why);
    };
    if (typeof hello === "string") return refuse(`malformed hello: ${hello} (H1)`);
    if (hello.version !== VERSION) return refuse(`version ${VERSION} is spoken here (H2)`);
    const encoding = hello.encodings.find((e) => this.#offered.includes(e));
    if (encoding === undefined) return refuse("no encoding in common (H1)");
    core.calls.sawId(request.id);
    core.outbox.message(encodeResult(core.dialect, request.id, this.#hello([encoding])));
    core.host.wake();
    if (encoding === "frames") core.switchToFrames(); // H3: right after the answer
    this.#open(hello);
  }

  // H4: where frames are spoken from the start there is nothing else to choose.
  get #offered(): readonly Encoding[] {
    return this.#options.framesFromStart === true ? ["frames"] : this.#options.encodings;
  }

  #hello(encodings: readonly Encoding[]): Hello {
    const { name, capabilities } = this.#options;
    return makeHello({ encodings, limits: this.#core.limits, name, capabilities });
  }

  #open(peer: Hello): void {
    this.#stopClock();
    this.#core.opened(peer);
  }

  #plain(): void {
    this.#stopClock();
    this.#core.opened(undefined);
  }

  #late(): void {
    const ms = this.#core.limits.greeting;
    this.#fail(`no greeting within ${ms} ms (H6). ${PLAIN_HINT}${this.#core.printed}`, "timeout");
  }

  #fail(why: string, code: "greeting" | "timeout" = "greeting"): void {
    this.#core.end(new SessionError(code, "peer", why, { rule: "H" }));
  }
}

// H2: what a peer that hangs up, or says nothing, may be.
const PLAIN_HINT = "A peer that does not greet needs a dialect without greeting";

// What is no message at all, such as a stray print, says nothing about the peer. What has an id was meant as one.
function isNoise(message: Message | Batch): boolean {
  return message.kind === "invalid" && message.id === null;
}
