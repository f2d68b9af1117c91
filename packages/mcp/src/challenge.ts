// What a server asks for when it turns a request away: the `WWW-Authenticate` header (RFC 9110 section 11.6.1), a list of
// challenges, each a scheme with a token or with parameters. Both lists are separated by commas, so that a word is a
// scheme where no "=" follows it.
import type { HttpHeader } from "@sluice/exec";

export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** By name in lower case; of a name that is repeated, the first. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/sy;
const SPACE = /[ \t]*/y;
const SEPARATORS = /[ \t,]*/y;

/** The challenges of all `WWW-Authenticate` headers. What follows a mistake in one of them is left out. */
export function challengesOf(headers: readonly HttpHeader[]): readonly Challenge[] {
  return headers
    .filter(([name]) => name.toLowerCase() === "www-authenticate")
    .flatMap(([, value]) => parseChallenges(value));
}

/** The challenges of one header. Never throws. */
export function parseChallenges(text: string): readonly Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text) ?? undefined;
    if (match !== undefined) at = pattern.lastIndex;
    return match;
  };
  let parameters: Map<string, string> | undefined;
  for (take(SEPARATORS); at < text.length; take(SEPARATORS)) {
    const word = take(TOKEN)?.[0].toLowerCase();
    if (word === undefined) break;
    const spaces = take(SPACE)?.[0] ?? "";
    if (parameters !== undefined && text[at] === "=") {
      at++;
      take(SPACE);
      const value = take(QUOTED)?.[1]?.replace(/\\(.)/gs, "$1") ?? take(TOKEN)?.[0];
      if (value === undefined) break;
      if (!parameters.has(word)) parameters.set(word, value);
      continue;
    }
    parameters = new Map();
    challenges.push({ scheme: word, parameters });
    if (spaces !== "") take(TOKEN68);
  }
  return challenges;
}

/** The Bearer challenge that says a token has too little scope (RFC 6750 section 3.1), if there is one. */
export function insufficientScope(challenges: readonly Challenge[]): Challenge | undefined {
  return challenges.find(
    ({ scheme, parameters }) => scheme === "bearer" && parameters.get("error") === "insufficient_scope",
  );
}
