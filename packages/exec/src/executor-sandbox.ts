// There is no sandbox here. What asks for one is refused: it must never run without.
import * as v from "valibot";
import { invalidParams } from "./executor-error.ts";
import { maybe } from "./executor-params.ts";

/** The fields by which a call asks for one. */
export const SANDBOX: Readonly<Record<Field, v.GenericSchema>> = {
  sandbox: maybe(v.unknown()),
  enforceManagedNetwork: maybe(v.boolean()),
  managedNetwork: maybe(v.unknown()),
  networkProxy: maybe(v.unknown()),
  shellSnapshot: maybe(v.unknown()),
};

type Field = "sandbox" | "enforceManagedNetwork" | "managedNetwork" | "networkProxy" | "shellSnapshot";

/** @throws RpcError -32602 that names the field. Absent and null ask for nothing. */
export function refuseSandbox(params: { readonly [field in Field]?: unknown }): void {
  for (const field of Object.keys(SANDBOX) as Field[]) {
    const asked = params[field];
    if (asked === undefined || asked === null || asked === false || asked === "none") continue;
    throw invalidParams(
      `${field} cannot be had: this executor has no sandbox, and does not run anything without one`,
    );
  }
}
