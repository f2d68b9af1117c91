// A connection inside another: it ends with that one, which fails where it fails.
import type { Transport } from "@sluice/transport";
import type { Builder } from "./builder.ts";
import type { Component, ConnectOptions } from "./component.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionTo } from "./connection-to.ts";

/** @throws RefusedError where too many tasks of `outer` run. */
export function spawnConnection<Cx extends ConnectionTo>(
  outer: Connection,
  builder: Builder<Cx>,
  target: Transport | Component,
  options: ConnectOptions = {},
): Cx {
  const inner = builder.start(target, options);
  const { signal } = outer;
  const finish = (): void => void inner.finish().catch(() => {}); // `over` tells
  try {
    outer.tasks.spawn(() => inner.over().finally(() => signal.removeEventListener("abort", finish)));
  } catch (error) {
    finish();
    throw error;
  }
  if (signal.aborted) finish();
  else signal.addEventListener("abort", finish, { once: true });
  return inner.contextOf(undefined) as Cx;
}
