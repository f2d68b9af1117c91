// The environment a process is started with: what the caller gives, on top of what a policy picks from ours.
import process from "node:process";

/** As codex's shell environment policy: which of the executor's own variables a process is given. */
export interface EnvironmentPolicy {
  /** `core`: what most programs need, see `CORE`. */
  readonly inherit: "all" | "core" | "none";
  /** Otherwise names that sound like a secret are left out. */
  readonly ignoreDefaultExcludes?: boolean | undefined;
  /** Patterns of names, without regard to case: `*` stands for any characters, `?` for one. */
  readonly exclude?: readonly string[] | undefined;
  readonly set?: Readonly<Record<string, string>> | undefined;
  /** Where there are any, only what matches one is kept. */
  readonly includeOnly?: readonly string[] | undefined;
}

/** Without a policy nothing is inherited. */
export function environmentOf(
  given: Readonly<Record<string, string>>,
  policy: EnvironmentPolicy | undefined,
  own: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  return policy === undefined ? { ...given } : { ...inherited(policy, own), ...given };
}

function inherited(
  policy: EnvironmentPolicy,
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const { inherit, ignoreDefaultExcludes, exclude = [], set = {}, includeOnly = [] } = policy;
  const secrets = ignoreDefaultExcludes === true ? [] : SECRETS;
  const excluded = [...secrets, ...exclude].map(pattern);
  const included = includeOnly.map(pattern);
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined || inherit === "none") continue;
    if (inherit === "core" && !CORE.has(name.toUpperCase())) continue;
    if (!excluded.some((one) => one.test(name))) env[name] = value;
  }
  Object.assign(env, set);
  if (included.length > 0)
    for (const name of Object.keys(env)) if (!included.some((one) => one.test(name))) delete env[name];
  return env;
}

const SECRETS: readonly string[] = ["*KEY*", "*SECRET*", "*TOKEN*"];
const CORE: ReadonlySet<string> = new Set(
  `HOME LOGNAME PATH SHELL USER USERNAME TMPDIR TEMP TMP
   PATHEXT COMSPEC SYSTEMROOT SYSTEMDRIVE USERPROFILE`.split(/\s+/),
);

function pattern(text: string): RegExp {
  const source = text
    .replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "is");
}
