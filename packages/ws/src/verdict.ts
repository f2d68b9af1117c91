import { TransportError } from "@sluice/transport";
import { CLOSE_CODE, described, GOING_AWAY, LOST, lowered, NO_CODE, quoted } from "./close-codes.ts";

/** How a socket closed, and where its transport stood. */
export interface Closing {
  /** As received; 1005 where the Close had none, 1006 where there was no Close. */
  readonly code: number;
  readonly reason: string;
  readonly cause: unknown;
  /** The code of the Close we sent; 0 where we sent none. */
  readonly sent: number;
  readonly sending: "open" | "ended";
  readonly receiving: "open" | "ended";
  readonly label: string;
}

/** W3: undefined where it was an orderly end. */
export function judge(closing: Closing): TransportError | undefined {
  const { label, sent } = closing;
  const code = lowered(closing.code);
  if (closing.sending === "ended" && closing.receiving === "ended") return undefined;
  // A peer may drop the connection when it has our Close, without one of its own: Deno does where both close at once.
  if (sent === CLOSE_CODE.done && code === LOST) return undefined;
  if (code === sent || code === CLOSE_CODE.done || code === NO_CODE) return undefined;
  if (code === GOING_AWAY && closing.receiving === "ended") return undefined;
  if (code === LOST) {
    const { cause } = closing;
    const options = cause === undefined ? {} : { cause };
    // So the `ws` package and Bun say that the far end has broken a rule, and which. Bun puts the whole URL before it.
    if (cause instanceof Error && "code" in cause && String(cause.code).startsWith("WS_ERR_")) {
      const rule = cause.message.replace(/^.* failed: /s, "");
      return new TransportError("protocol", `${label} broke a rule of WebSocket: ${rule}`, options);
    }
    return new TransportError("read", `the connection to ${label} was lost`, options);
  }
  const reason = quoted(closing.reason);
  const said = reason === "" ? "" : `: ${reason}`;
  return new TransportError("closed", `${label} closed with ${described(code)}${said}`);
}
