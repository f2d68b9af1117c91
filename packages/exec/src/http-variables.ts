// Headers whose value, or its end, is a variable of the executor's environment: the peer uses a secret it never sees.
import { invalidParams } from "./executor-error.ts";
import type { HttpHeader } from "./http-client.ts";
import type { HttpRequestParams } from "./http-wire.ts";

/** The executor's own credentials, in lower case; those of the codex exec-server and of clouds. */
const DENIED: ReadonlySet<string> = new Set([
  "openai_api_key",
  "codex_api_key",
  "codex_access_token",
  "codex_connectors_token",
  "codex_exec_server_noise_auth_token",
  "codex_federation_rule_id",
  "codex_identity_token_file",
  "codex_workload_identity_context",
  "aws_access_key_id",
  "aws_secret_access_key",
  "aws_session_token",
  "azure_client_secret",
  "azure_federated_token_file",
  "google_application_credentials",
]);

/** The headers, with what their variables hold. @throws RpcError -32602 */
export function headersOf(
  { headers }: HttpRequestParams,
  variables: Readonly<Record<string, string | undefined>>,
): readonly HttpHeader[] {
  return headers.map(({ name, value, valueEnvVar }) =>
    typeof valueEnvVar === "string" ? [name, value + held(name, valueEnvVar, variables)] : [name, value],
  );
}

function held(
  header: string,
  variable: string,
  variables: Readonly<Record<string, string | undefined>>,
): string {
  if (DENIED.has(variable.toLowerCase()))
    throw invalidParams(`http/request header ${header} cannot use executor environment variable ${variable}`);
  const value = Object.hasOwn(variables, variable) ? variables[variable] : undefined;
  if (value === undefined)
    throw invalidParams(`http/request header ${header} requires executor environment variable ${variable}`);
  if (value === "")
    throw invalidParams(
      `http/request header ${header} requires a non-empty executor environment variable ${variable}`,
    );
  return value;
}
