// Which messages bring an update of a session: for a client as they are, for a proxy out of their envelope.
import { field, messageOf, type Dispatch, type RemoteStyle } from "@sluice/session/builder";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { SessionNotification } from "./generated/v1.ts";

const { validate } = SessionNotification.params!["~standard"];

/**
 * The update of this session that a message from the agent brings; undefined where it brings none. All members are kept.
 * @throws Error where it is malformed.
 */
export function updateOf(
  dispatch: Dispatch,
  agent: RemoteStyle,
  sessionId: string,
): SessionNotification | undefined {
  if (dispatch.kind !== "notification") return undefined;
  const message = agent.incoming(messageOf(dispatch));
  if (message?.method !== SessionNotification.method) return undefined;
  if (field(message.params, "sessionId") !== sessionId) return undefined;
  // Ours validate at once: see `Schema`.
  const read = validate(message.params) as StandardSchemaV1.Result<SessionNotification>;
  if (read.issues === undefined) return read.value;
  throw new Error(`${SessionNotification.method}: ${read.issues[0]?.message ?? "malformed"}`);
}
