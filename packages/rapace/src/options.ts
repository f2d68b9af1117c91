import type { Role } from "@sluice/streams";
import type { Limits } from "./limits.ts";

export interface MachineOptions {
  readonly unit: "bytes" | "messages";
  readonly role: Role;
  /** The first channel of ours. Default 1 for the initiator, 2 for the acceptor. */
  readonly firstChannel?: number;
  /**
   * Offers credit on tunnels and streams; in use where the peer does, too. Published peers never do, and ignore the offer.
   * Default false.
   */
  readonly credits?: boolean;
  /**
   * Which published peers are spoken to. `0.2`: a streaming request need not say that it wants no reply. Default `0.5`.
   */
  readonly dialect?: "0.5" | "0.2";
  /**
   * A clock that both ends read, in ns. With it calls carry their deadlines, and requests that come late are answered
   * DeadlineExceeded unrun. Default: none, for the clocks of published peers begin with their processes.
   */
  readonly clock?: () => bigint;
  readonly limits?: Partial<Limits>;
  readonly allocate?: ((bytes: number) => Uint8Array) | undefined;
}
