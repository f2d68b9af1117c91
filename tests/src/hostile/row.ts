// A row of the catalogue of bad inputs: what the peer says, and what comes of it. Each is performed over every kind of
// transport, against a live session.
import { describe, expect, it } from "vitest";
import type { Json } from "./raw-peer.ts";
import { open, unhandled, type Stage, type StageOptions } from "./stage.ts";
import { KINDS, type Kind } from "./wire.ts";

export interface Row extends StageOptions {
  /** In the catalogue, section 2. */
  readonly row: number;
  /** A sentence. */
  readonly what: string;
  /** Default: all. */
  readonly over?: readonly Kind[];
  /** Messages, or what the peer does. */
  readonly says: readonly (string | Json)[] | ((stage: Stage) => void | Promise<void>);
  /** Its answers, in order, before that of the good call that follows. Default: none. */
  readonly answers?: readonly unknown[];
  /** The rules of the faults that were counted. Default: none. */
  readonly faults?: readonly string[];
  /** The session does not go on: its error. */
  readonly closes?: Json;
  /** What else holds, before the session closes. */
  readonly check?: (stage: Stage) => void | Promise<void>;
}

export function perform(rows: readonly Row[]): void {
  for (const kind of KINDS)
    describe(`a hostile peer over ${kind}`, () => {
      for (const row of rows)
        if (row.over?.includes(kind) ?? true)
          it(`row ${row.row}: ${row.what}`, async () => {
            await performOne(kind, row);
            expect(unhandled).toEqual([]);
          });
    });
}

async function performOne(kind: Kind, row: Row): Promise<void> {
  const stage = await open(kind, row);
  const { peer } = stage;
  peer.heard.length = 0;
  if (typeof row.says === "function") await row.says(stage);
  else for (const said of row.says) peer.message(said);
  if (row.closes !== undefined) {
    await stage.isClosed(row.closes);
    await row.check?.(stage);
    return;
  }
  await stage.probe();
  if (row.answers !== undefined || typeof row.says !== "function")
    expect(peer.answers.slice(0, -1)).toMatchObject([...(row.answers ?? [])]);
  expect(stage.rules).toEqual(row.faults ?? []);
  await row.check?.(stage);
  await stage.goesOn();
}

/** An error answer. */
export function error(id: unknown, code: number): Json {
  return { id, error: { code } };
}
