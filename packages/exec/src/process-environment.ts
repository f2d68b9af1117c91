// The environment a process is started with: what the caller gives, on top of what a policy picks from ours.

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
  const excluded = [...secrets, ...exclude];
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined || inherit === "none") continue;
    if (inherit === "core" && !CORE.has(name.toUpperCase())) continue;
    if (!excluded.some((pattern) => fits(name, pattern))) env[name] = value;
  }
  Object.assign(env, set);
  if (includeOnly.length > 0)
    for (const name of Object.keys(env))
      if (!includeOnly.some((pattern) => fits(name, pattern))) delete env[name];
  return env;
}

const SECRETS: readonly string[] = ["*KEY*", "*SECRET*", "*TOKEN*"];
const CORE: ReadonlySet<string> = new Set(
  `HOME LOGNAME PATH SHELL USER USERNAME TMPDIR TEMP TMP
   PATHEXT COMSPEC SYSTEMROOT SYSTEMDRIVE USERPROFILE`.split(/\s+/),
);

/**
 * Not by a RegExp: the peer's patterns, and names, could keep one busy for ever. Here a `*` takes as little as it can, and
 * more only where what follows does not fit; what those before it took is never looked at again.
 */
function fits(name: string, pattern: string): boolean {
  const [text, wanted] = [name.toLowerCase(), pattern.toLowerCase()];
  let [at, next] = [0, 0];
  let star: { readonly next: number; at: number } | undefined;
  while (at < text.length) {
    if (wanted[next] === "*") star = { next: ++next, at };
    else if (wanted[next] === "?" || wanted[next] === text[at]) [at, next] = [at + 1, next + 1];
    else if (star === undefined) return false;
    else [at, next] = [++star.at, star.next];
  }
  return /^\**$/.test(wanted.slice(next));
}
