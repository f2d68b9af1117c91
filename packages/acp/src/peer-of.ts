import type { Role } from "@sluice/session/builder";

/** Of those `role` can address, the one of this name. @throws TypeError where there is none. */
export function peerOf(role: Role, name: string): Role {
  const peers = role.options.peers?.().keys() ?? [role.counterpart];
  for (const peer of peers) if (peer.name === name) return peer;
  throw new TypeError(`in the role ${role.name} nobody is in reach who is ${name}`);
}
