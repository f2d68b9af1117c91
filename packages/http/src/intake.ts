// The upward direction at the server: bodies of POSTs, one at a time, told apart from what they repeat by their offset
// (PROTOCOL.md, P3). Nothing is kept of a body but the slices of one read that came while the user had paused.
import { TransportError } from "@sluice/transport";
import { BodyReader } from "./body-reader.ts";
import type { Delivery } from "./delivery.ts";
import { RecordDecoder } from "./records.ts";
import { refusal } from "./refusal.ts";

export class Intake {
  readonly #delivery: Delivery;
  readonly #bodyTime: number;
  /** The client has broken a rule that leaves no way on. May be called more than once. */
  readonly #onBroken: (error: TransportError) => void;
  /** Bytes had, without records' heads. */
  #received = 0;
  #direction: "open" | "ended" = "open";
  #body: BodyReader | undefined;
  #opening: Promise<unknown> | undefined;
  /** POSTs that have waited for the opening's body. */
  #waited = 0;
  #open = 0;

  /** `bodyTime` in ms. */
  constructor(delivery: Delivery, bodyTime: number, onBroken: (error: TransportError) => void) {
    this.#delivery = delivery;
    this.#bodyTime = bodyTime;
    this.#onBroken = onBroken;
  }

  /** POSTs under way. */
  get open(): number {
    return this.#open;
  }

  /** The body of the request that opens the session. It cannot be sent again: where it fails, the session does. */
  async begin(request: Request): Promise<void> {
    const answer = this.#counted(this.#run(request, 0));
    this.#opening = answer;
    const { status } = await answer;
    this.#opening = undefined;
    if (status !== 204)
      this.#onBroken(new TransportError("read", "the body of the request that opened the session was cut"));
  }

  /** A later POST, whose body begins at `offset`. Resolves with its answer once all of it was delivered. */
  take(request: Request, offset: number): Promise<Response> {
    return this.#counted(this.#takeTurn(request, offset));
  }

  /** The session is over. */
  stop(): void {
    this.#body?.stop();
  }

  async #counted(answer: Promise<Response>): Promise<Response> {
    this.#open++;
    try {
      return await answer;
    } finally {
      this.#open--;
    }
  }

  async #takeTurn(request: Request, offset: number): Promise<Response> {
    if (this.#opening !== undefined) {
      const turn = ++this.#waited;
      await this.#opening;
      if (turn !== this.#waited) return SUPERSEDED();
    }
    if (this.#delivery.over) return GONE();
    if (offset > this.#received)
      return refusal(409, "P3: Sluice-Offset is beyond what this session has received");
    return this.#run(request, offset);
  }

  async #run(request: Request, offset: number): Promise<Response> {
    this.#body?.stop();
    const body = new BodyReader(request.body);
    this.#body = body;
    const answer = await this.#read(body, this.#received - offset);
    body.stop();
    return answer;
  }

  /** Passes a body on but for its first `repeated` bytes. */
  async #read(body: BodyReader, repeated: number): Promise<Response> {
    const decoder = new RecordDecoder();
    let left = repeated;
    for (;;) {
      await this.#delivery.ready();
      const read = await body.next(this.#bodyTime);
      if (this.#delivery.over) return this.#settled();
      if (read.kind === "stopped") return SUPERSEDED();
      if (read.kind === "late")
        return refusal(408, "the body brings nothing: records of length 0 keep it open");
      if (read.kind === "cut") return refusal(400, "the body was cut");
      if (read.kind === "done") break;
      for (const slice of decoder.decode(read.bytes)) {
        const fresh = slice.subarray(left);
        left -= slice.length - fresh.length;
        if (fresh.length > 0 && !this.#deliver(fresh))
          return this.#break("P1: bytes follow the end of the direction");
      }
      if (decoder.state === "broken") return this.#break(decoder.problem);
      if (decoder.state === "ended") this.#end();
    }
    if (decoder.state !== "between" && decoder.state !== "ended")
      return refusal(400, "P1: the body ends inside of a record");
    // Nothing is held: the last read came after `ready`.
    return DONE();
  }

  /** The session is over: in order where its end was delivered, and then so was all before it. */
  #settled(): Response {
    return this.#delivery.complete ? DONE() : GONE();
  }

  /** False where nothing may come any more. */
  #deliver(slice: Uint8Array): boolean {
    if (this.#direction === "ended") return false;
    this.#received += slice.length;
    this.#delivery.push(slice);
    return true;
  }

  #end(): void {
    if (this.#direction === "ended") return;
    this.#direction = "ended";
    this.#delivery.end();
  }

  #break(problem: string): Response {
    this.#onBroken(new TransportError("protocol", `the client broke a rule: ${problem}`));
    return refusal(400, problem);
  }
}

const DONE = (): Response => new Response(null, { status: 204 });

const GONE = (): Response => refusal(404, "the session has ended: open a new one");

const SUPERSEDED = (): Response => refusal(409, "P3: a newer POST of this session took over");
