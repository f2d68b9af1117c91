// What a frame that has come is: an answer, a chunk, a request or control. The rules of the published 0.5, with one more:
// a request comes on a channel of its sender's.
import type { Machine } from "./machine.ts";
import { readControl, VERB } from "./control.ts";
import { ErrorCode, RapaceError } from "./error.ts";
import { FLAG, type Frame } from "./frame.ts";
import type { Reader, ReadPolicy } from "./reader.ts";
import { Request, Requests, tooMany, type Answerer } from "./requests.ts";
import type { Writer } from "./writer.ts";

export class Router implements Answerer {
  readonly requests: Requests;
  readonly #machine: Machine;
  #late = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.requests = new Requests(machine.limits, (request) => machine.host.request(request));
  }

  /** Frames that came for channels that were over here, and were dropped. */
  get late(): number {
    return this.#late;
  }

  route(frame: Frame): void {
    if (frame.channel === 0) this.#session(frame);
    else if ((frame.flags & FLAG.control) !== 0) this.#machine.fault("R9", "control beside channel 0");
    else if (frame.method !== 0) this.#request(frame);
    else this.#answer(frame);
  }

  // R9: control, or a notification.
  #session(frame: Frame): void {
    const { flags, method } = frame;
    if ((flags & FLAG.control) !== 0) return this.#control(frame);
    if ((flags & FLAG.data) === 0 || method === 0)
      return this.#machine.fault("R9", "no control on channel 0");
    if (!this.requests.add(new Request(frame, frame.payload, this)))
      this.#machine.fault("limits.waiting", "a notification was dropped: too many requests wait");
  }

  // R8: method 0 is an answer or a chunk, and never a request.
  #answer(frame: Frame): void {
    const { channel, flags, payload } = frame;
    const { tunnels, calls, channels } = this.#machine;
    if (tunnels.reader(channel) !== undefined) return this.#count(tunnels.arrive(channel, flags, payload));
    if (calls.has(channel)) {
      if (!calls.answered(frame)) this.#machine.fault("R8", "neither data nor an error for a call");
    } else if (tunnels.isGone(channel)) this.#late++;
    else if (channels.isOurs(channel) && !channels.isReserved(channel)) {
      if (channels.wasAllocated(channel)) this.#late++;
      else this.#machine.fault("R5", "an answer on a channel that was not opened");
    } else if (this.requests.find(channel)?.hasBody === false)
      this.#machine.fault("R8", "a chunk behind a request that was the last of its channel");
    else tunnels.arriveEarly(channel, flags, payload);
  }

  #count(what: "taken" | "late"): void {
    if (what === "late") this.#late++;
  }

  #request(frame: Frame): void {
    const { channel, flags } = frame;
    const { tunnels, channels } = this.#machine;
    if ((flags & FLAG.data) === 0) return this.#machine.fault("R8", "a request without data");
    if (channels.isOurs(channel)) return this.#wrongParity(frame);
    if (this.requests.find(channel) !== undefined || tunnels.has(channel))
      return this.#machine.fault("R5", "a request on a channel that is in use");
    tunnels.reuse(channel);
    const request = new Request(frame, frame.payload, this);
    const { clock } = this.#machine.options;
    if (clock !== undefined && frame.deadline !== undefined && clock() > frame.deadline)
      return this.answer(request, new RapaceError(ErrorCode.deadlineExceeded, "deadline exceeded"));
    if (!this.requests.add(request)) this.answer(request, tooMany());
  }

  // R5: whoever waits for the answer is told; it cannot be mistaken for one of ours, for that would have method 0.
  #wrongParity({ channel, flags }: Frame): void {
    this.#machine.fault("R5", "a request on a channel of ours");
    const message = "this channel belongs to the other end: one begins at channel 1, the other at 2";
    const isWaited = (flags & FLAG.noReply) === 0 || !this.#machine.tunnels.has(channel);
    if (isWaited) this.#machine.outbox.error(channel, new RapaceError(ErrorCode.invalidArgument, message));
  }

  #control({ method, payload, credit }: Frame): void {
    const { tunnels, outbox, options } = this.#machine;
    const control = readControl(method, payload);
    switch (control?.verb) {
      case undefined:
        return this.#machine.fault("R9", "control whose payload is malformed");
      case "ping":
        return outbox.pong(VERB.pong, control.pong);
      case "grant": {
        const bytes = control.bytes === 0 ? credit : control.bytes;
        if (options.credits !== true) return undefined;
        return control.channel === 0 ? tunnels.creditBegins(bytes) : tunnels.granted(control.channel, bytes);
      }
      case "close":
        if (control.channel === 0) return this.#machine.peerCloses(control.reason);
        return this.#cancel(control.channel);
      case "cancel":
        return this.#cancel(control.channel);
      default:
        return undefined;
    }
  }

  // R9: of a channel that is over it says nothing new.
  #cancel(channel: number): void {
    const { tunnels, calls } = this.#machine;
    if (calls.cancelled(channel)) return;
    const request = this.requests.cancel(channel);
    tunnels.cancelled(channel);
    if (request === undefined) tunnels.early.drop(channel);
  }

  // What requests tell.

  answer(request: Request, outcome: Uint8Array | RapaceError): void {
    const { outbox, limits } = this.#machine;
    const { channel, noReply } = request;
    if (channel === 0) return;
    if (outcome instanceof RapaceError) outbox.error(channel, outcome);
    // A caller that wants no reply waits for a stream: this one has nothing in it.
    else if (noReply) outbox.numbered({ channel, method: 0, flags: FLAG.eos }, NOTHING);
    else if (outcome.length <= limits.frame) outbox.answer(channel, outcome);
    else outbox.error(channel, new RapaceError(ErrorCode.internal, "the answer is too large (limits.frame)"));
  }

  settled(request: Request): void {
    if (request.channel !== 0) this.#machine.tunnels.close(request.channel, request.hasBody);
    this.requests.done(request);
  }

  stream(request: Request): Writer {
    const writer = this.#machine.tunnels.write(request.channel, "items", FLAG.eos);
    request.move("stream");
    return writer;
  }

  body(request: Request, policy: ReadPolicy): Reader {
    const { tunnels } = this.#machine;
    const reader = tunnels.reader(request.channel) ?? tunnels.read(request.channel, "body", policy);
    if (!request.hasBody) reader.half.end();
    return reader;
  }
}

const NOTHING = new Uint8Array(0);
