import { SessionError, StreamError } from "@sluice/session";
import { round, type Outcome, type Stage, type Step } from "../step.ts";

export const kill: Step = {
  name: "kill",
  title: "The peer is killed in the middle of a stream: everybody who waits is told why",
  async run({ session, peer, args, screen }: Stage): Promise<Outcome> {
    const stream = await session.call<AsyncIterable<Uint8Array>>("bytes/endless");
    const calls = [1, 2, 3].map(() => session.call("call/never").catch((error: unknown) => error));
    let killed = 0;
    const reading = (async (): Promise<unknown> => {
      try {
        for await (const _ of stream) {
          if (killed === 0) {
            killed = performance.now();
            peer.kill();
          }
        }
        return "the stream ended as if nothing had happened";
      } catch (error) {
        return error;
      }
    })();
    const told = [...(await Promise.all(calls)), await reading];
    const ms = performance.now() - killed;
    const ok = told.filter((error) => error instanceof SessionError || error instanceof StreamError).length;
    const reason = session.error?.message ?? "";
    screen.line(`${told.length} waited, ${ok} were told: ${reason.split("\n")[0]}`);
    // A parent learns of the signal, over the network only of the loss.
    const saysWhy =
      args.transport === "stdio" ? reason.includes("SIGKILL") : session.error?.by === "transport";
    const { calls: pending, streams } = session.stats();
    return {
      ok: ok === told.length && saysWhy && pending === 0 && streams === 0,
      says: `${pending} calls and ${streams} streams left, after ${round(ms, 1)} ms`,
      figures: {
        waiting: told.length,
        told: ok,
        reason,
        ms: round(ms, 1),
        calls_left: pending,
        streams_left: streams,
      },
    };
  },
};
