// PROTOCOL H: what two Sluice peers settle before anything else.
import type { Limits } from "./limits.ts";

export const HELLO = "$/hello";
export const VERSION = 1;
export type Encoding = "frames" | "json";

export interface Hello {
  readonly version: number;
  readonly encodings: readonly Encoding[];
  /** Bytes; the first window of every stream the peer of this hello's sender writes. */
  readonly window: number;
  readonly limits: PeerLimits;
  readonly name?: string;
  readonly capabilities?: Readonly<Record<string, unknown>>;
}

/** What the sender of a hello takes. */
export interface PeerLimits {
  readonly message: number;
  readonly item: number;
  readonly streams: number;
  readonly calls: number;
}

export interface HelloOptions {
  readonly encodings: readonly Encoding[];
  readonly limits: Limits;
  readonly name: string | undefined;
  readonly capabilities: Readonly<Record<string, unknown>> | undefined;
}

export function makeHello({ encodings, limits, name, capabilities }: HelloOptions): Hello {
  const { message, item, streams, calls, waiting, window } = limits;
  return {
    version: VERSION,
    encodings,
    window,
    limits: { message, item, streams, calls: calls + waiting },
    ...(name === undefined ? {} : { name }),
    ...(capabilities === undefined ? {} : { capabilities }),
  };
}

/** The hello, or what is wrong with it. Encodings this version does not know are left out. */
export function readHello(value: unknown): Hello | string {
  if (!isRecord(value)) return "not an object";
  const { version, encodings, window, limits, name, capabilities } = value;
  if (!isCount(version)) return "version must be a whole number";
  if (!Array.isArray(encodings)) return "encodings must be a list";
  if (!isCount(window) || window < 4096 || window > 16 * 1024 * 1024) return "window must be 4 KiB to 16 MiB";
  if (!isRecord(limits)) return "limits must be an object";
  const { message, item, streams, calls } = limits;
  if (!isCount(message) || !isCount(item) || !isCount(streams) || !isCount(calls))
    return "a limit is missing";
  const known = encodings.filter((e): e is Encoding => e === "frames" || e === "json");
  const hello = { version, encodings: known, window, limits: { message, item, streams, calls } };
  return {
    ...hello,
    ...(typeof name === "string" ? { name } : {}),
    ...(isRecord(capabilities) ? { capabilities } : {}),
  };
}

/** H2: whether a result was meant as the answer to a hello, however badly. */
export function looksLikeHello(value: unknown): boolean {
  return isRecord(value) && Object.hasOwn(value, "version") && Object.hasOwn(value, "encodings");
}

/** H2: whether an error's data says that the peer is a Sluice peer of other versions. */
export function otherVersions(data: unknown): readonly unknown[] | undefined {
  if (!isRecord(data) || !isRecord(data["sluice"])) return undefined;
  const versions = data["sluice"]["versions"];
  return Array.isArray(versions) ? versions : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
