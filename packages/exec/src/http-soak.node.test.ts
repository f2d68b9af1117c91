import { assertNoLeaks } from "@sluice/session";
import { expect, it } from "vitest";
import { executing } from "./http-executing.testing.ts";
import { WIRES } from "./http-pair.testing.ts";
import { localClient } from "./local.ts";
import { readAll } from "./bytes.testing.ts";
import { upstream, type Answer } from "./upstream.testing.ts";

const BODIES = 10_000;
const AT_ONCE = 50;

/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bodies of all sorts: none, one that ends at once, one that comes by and by, one without end, one that never begins. */
const answers: Readonly<Record<string, Answer>> = {
  "/silent": () => {},
  "/empty": (_, response) => void response.writeHead(204).end(),
  "/short": (_, response) => void response.end("short"),
  "/slow": (_, response) => {
    response.write("a");
    setImmediate(() => response.end("b"));
  },
  "/endless": (_, response) => {
    const chunk = Buffer.alloc(16 * 1024);
    let state: "open" | "closed" = "open";
    response.on("close", () => (state = "closed"));
    // Deno takes writes to a connection that is gone, for ever: each waits for its turn.
    const write = (): void => {
      if (state === "open" && response.write(chunk)) setImmediate(write);
    };
    response.on("drain", write);
    write();
  },
};
const PATHS = ["/silent", "/empty", "/short", "/slow", "/endless", "/endless"];

it.each(WIRES)(
  `${BODIES} bodies opened and dropped at random points, over %s: nothing is left on either end, nor at the server`,
  { timeout: 240_000 },
  async (wire) => {
    await using server = await upstream((request, response) =>
      answers[request.url ?? ""]?.(request, response),
    );
    using client = localClient();
    const pair = await executing(wire, client);
    const random = randomFrom(20_261_121);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    const turns = async (): Promise<void> => {
      for (let n = Math.floor(random() * 4); n > 0; n--)
        await new Promise((resolve) => setImmediate(resolve));
    };
    let left = BODIES;
    const outcomes = new Map<string, number>();
    const count = (what: string): void => void outcomes.set(what, (outcomes.get(what) ?? 0) + 1);

    async function one(): Promise<void> {
      const path = pick(PATHS);
      const abort = new AbortController();
      const opening = pair.http.requestStream({ url: server.url + path, signal: abort.signal });
      const when =
        path === "/silent"
          ? "before headers"
          : pick(["before headers", "unread", "reading", "one chunk", "signal", "end"]);
      if (when === "before headers") {
        opening.then((response) => response.body.cancel()).catch(() => {});
        await turns();
        abort.abort();
        await opening.catch(() => {});
        return count(when);
      }
      const { body } = await opening;
      await turns();
      if (when === "unread") await body.cancel();
      else if (when === "signal") abort.abort();
      else if (when === "end" && path !== "/endless") await readAll(body);
      else {
        const reader = body.getReader();
        if (when === "one chunk") await reader.read();
        else reader.read().catch(() => {});
        await reader.cancel();
      }
      count(when);
    }
    const worker = async (): Promise<void> => {
      while (left-- > 0) await one();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));

    await server.reaches(0);
    await pair.near.call("nothing").catch(() => {}); // what was on its way has arrived
    await pair.near.call("nothing").catch(() => {});
    expect({ near: pair.http.open, far: pair.runner.open, server: server.open }).toEqual({
      near: 0,
      far: 0,
      server: 0,
    });
    assertNoLeaks(pair.near);
    assertNoLeaks(pair.far);
    expect([...outcomes.keys()].sort()).toEqual([
      "before headers",
      "end",
      "one chunk",
      "reading",
      "signal",
      "unread",
    ]);
    await pair.close();
  },
);
