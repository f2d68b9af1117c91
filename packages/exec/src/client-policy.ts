// A managed process asks by its executor, and the executor us, before it connects anywhere.
import { ErrorCode, RpcError, type Handler } from "@sluice/session";
import * as v from "valibot";

/** What a process wants to connect to. */
export interface PolicyRequest {
  readonly processId: string;
  readonly protocol: "http" | "https_connect" | "socks5_tcp" | "socks5_udp";
  readonly host: string;
  readonly port: number;
}

/** `ask`: the executor is to have somebody else decide. */
export interface PolicyDecision {
  readonly type: "allow" | "deny" | "ask";
  readonly reason?: string;
}

export type OnPolicyRequest = (request: PolicyRequest) => PolicyDecision | PromiseLike<PolicyDecision>;

/** Answers `network/policyRequest`. Where nobody decides, all is denied. */
export function policyHandler(decide: OnPolicyRequest = denyAll): Handler {
  return async (params: unknown) => {
    const decoded = v.safeParse(policyRequest, params);
    if (!decoded.success)
      throw new RpcError(ErrorCode.invalidParams, "network/policyRequest is malformed: nothing is allowed");
    const { processId, request } = decoded.output;
    return { decision: await decide({ processId, ...request }) };
  };
}

function denyAll(): PolicyDecision {
  return { type: "deny", reason: "this client decides nothing" };
}

const policyRequest: v.GenericSchema<
  unknown,
  { processId: string; request: Omit<PolicyRequest, "processId"> }
> = v.object({
  processId: v.string(),
  request: v.object({
    protocol: v.picklist(["http", "https_connect", "socks5_tcp", "socks5_udp"]),
    host: v.string(),
    port: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)),
  }),
});
