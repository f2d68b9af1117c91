// A kit that holds a transport to its contract, under any test runner:
// `for (const one of complianceCases) it(one.name, () => one.run(make))`.
// Where the far end is another process, that process calls `compliancePeer` and the near one runs `remoteCases`.
import type { ComplianceCase } from "./compliance/case.ts";
import { endingCases } from "./compliance/endings.ts";
import { orderCases } from "./compliance/order.ts";
import { pressureCases } from "./compliance/pressure.ts";

export type { ComplianceCase, Pair } from "./compliance/case.ts";

/** Rules for two ends in one process. */
export const complianceCases: readonly ComplianceCase[] = [...orderCases, ...pressureCases, ...endingCases];

export { compliancePeer, type PeerCommand, type PeerOptions } from "./compliance/peer.ts";
export { remoteCases, type RemoteCase, type RemotePair } from "./compliance/remote.ts";
export { asText } from "./compliance/text.ts";
