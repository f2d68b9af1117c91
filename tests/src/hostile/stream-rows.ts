// Rows about streams: each in both encodings.
import { expect } from "vitest";
import type { Json } from "./raw-peer.ts";
import type { Row } from "./row.ts";
import type { Stage, Via } from "./stage.ts";

export const mention = (id: number, by: "sender" | "receiver" = "sender", of: string = "bytes"): Json => ({
  $stream: id,
  of,
  by,
});
export const ITEMS: Json = mention(1, "sender", "items");
export const SINK: Json = mention(1, "receiver");
export const KiB = 1024;

/** A call that holds streams open. */
// oxlint-disable-next-line typescript/no-explicit-any -- readables and writables, as the mentions say
export async function hold(stage: Stage, ...mentions: Json[]): Promise<any> {
  const before = stage.held.length;
  stage.peer.call("hold", { s: mentions });
  await stage.untilHeld(before + 1);
  return stage.held.at(-1)!["s"];
}

/** What the peer does to a stream it has mentioned, and the rule by which that closes the session. */
export const breach = (
  row: number,
  what: string,
  rule: string,
  streams: Json[],
  does: (stage: Stage) => void,
  via?: Via,
): Row[] =>
  (via === undefined ? (["json", "frames"] as const) : [via]).map((encoding) => ({
    row,
    what: `${what} closes the session: ${rule}, in ${encoding}`,
    via: encoding,
    says: async (stage) => {
      if (streams.length > 0) await hold(stage, ...streams);
      does(stage);
    },
    closes: { code: "protocol", by: "peer", rule },
    check: ({ peer }) => {
      const told = peer.heard.find((said) => said["type"] === "drain" || said["method"] === "$/drain");
      expect(JSON.stringify(told)).toContain(`(${rule})`);
    },
  }));

/** The same in both encodings. */
export const both = (row: Row): Row[] =>
  (["json", "frames"] as const).map((via) => ({ ...row, via, what: `${row.what}, in ${via}` }));

export const failure = (stream: ReadableStream<unknown>): Promise<unknown> =>
  (async () => {
    for await (const _ of stream);
    return undefined;
  })().catch((failed: unknown) => failed);
