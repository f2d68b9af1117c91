// A greeting that is none (reliability.md row 94; PROTOCOL H).
import { jsonrpc } from "@sluice/session";
import { describe, expect, it } from "vitest";
import { helloOf, type Json, type RawPeer } from "./raw-peer.ts";
import { error, perform } from "./row.ts";
import { unopened, type StageOptions } from "./stage.ts";
import { KINDS } from "./wire.ts";

perform([
  {
    row: 94,
    what: "a second hello is answered -32600 and changes nothing (H1)",
    via: "json",
    says: [{ id: 50, method: "$/hello", params: helloOf("frames") }],
    answers: [error(50, -32600)],
  },
  {
    row: 94,
    what: "capabilities, encodings and members nobody knows are passed over",
    via: "json",
    hello: { encodings: ["smoke", "json"], capabilities: { flying: true }, later: 1 },
    says: [],
    check: ({ session }) =>
      expect(session.peer).toMatchObject({ encodings: ["json"], capabilities: { flying: true } }),
  },
  {
    row: 94,
    what: "a peer that knows no hello is a plain one, and streams are refused here (H2)",
    initiates: true,
    says: async ({ session }) => {
      expect(session.peer).toBe(undefined);
      const call = session.call("m", { s: new ReadableStream() });
      await expect(call).rejects.toMatchObject({ _tag: "RefusedError", rule: "H2", mayHaveRun: false });
    },
  },
  {
    row: 94,
    what: "a print before the greeting is counted, and the greeting goes on",
    opens: (peer) => {
      peer.message("Starting up...");
      peer.message({ id: 1, method: "$/hello", params: helloOf("json") });
    },
    says: [],
    faults: ["JSON-RPC 5.1"],
  },
]);

interface Refusal {
  readonly what: string;
  readonly stage?: StageOptions;
  readonly says: (peer: RawPeer, id: unknown) => void;
  readonly closes: Json;
}

const hello = (params: unknown) => (peer: RawPeer) => peer.message({ id: 1, method: "$/hello", params });
const answer = (result: unknown) => (peer: RawPeer, id: unknown) => peer.message({ id, result });
const initiates = { initiates: true };
const greeting = { code: "greeting", by: "peer", rule: "H" };

const refusals: readonly Refusal[] = [
  { what: "a hello of another version", says: hello(helloOf("json", { version: 2 })), closes: greeting },
  {
    what: "a hello without a common encoding",
    says: hello(helloOf("json", { encodings: ["smoke"] })),
    closes: greeting,
  },
  { what: "a hello with a window of nothing", says: hello(helloOf("json", { window: 0 })), closes: greeting },
  { what: "a hello that is a list", says: hello([1]), closes: greeting },
  {
    what: "an answer of another version",
    stage: initiates,
    says: answer(helloOf("json", { version: 7 })),
    closes: greeting,
  },
  {
    what: "an answer with two encodings",
    stage: initiates,
    says: answer(helloOf("json", { encodings: ["json", "frames"] })),
    closes: greeting,
  },
  {
    what: "an answer without limits",
    stage: initiates,
    says: answer(helloOf("json", { limits: {} })),
    closes: greeting,
  },
  {
    what: "an error that names other versions",
    stage: initiates,
    says: (peer, id) =>
      peer.message({ id, error: { code: -32600, message: "no", data: { sluice: { versions: [9] } } } }),
    closes: greeting,
  },
  {
    what: "an echo",
    stage: initiates,
    says: (peer) => peer.message(peer.heard[0]!),
    closes: { code: "protocol", rule: "H1a" },
  },
  { what: "a peer that hangs up", stage: initiates, says: (peer) => peer.wire.end(), closes: greeting },
  {
    what: "a peer that says nothing",
    stage: { initiates: true, options: { dialect: jsonrpc, limits: { greeting: 5 } } },
    says: () => {},
    closes: { code: "timeout", rule: "H" },
  },
  {
    what: "a hello that never comes",
    stage: { options: { limits: { greeting: 5 } } },
    says: () => {},
    closes: { code: "timeout", rule: "H" },
  },
];

for (const kind of KINDS)
  describe(`a greeting over ${kind}`, () => {
    it.each(refusals)(
      "row 94: $what fails the session with a reason",
      async ({ stage = {}, says, closes }) => {
        const { peer, opened } = await unopened(kind, stage);
        const said = stage.initiates === true ? await peer.until(({ method }) => method === "$/hello") : {};
        says(peer, said["id"]);
        await expect(opened).rejects.toMatchObject({ _tag: "SessionError", ...closes });
        await peer.untilEnd();
        const refused = peer.answers[0]?.["error"];
        if (closes === greeting && stage.initiates !== true)
          expect(refused).toMatchObject({ code: -32600, data: { sluice: { versions: [1] } } });
      },
    );
  });
