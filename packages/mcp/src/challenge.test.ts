import { expect, it } from "vitest";
import { challengesOf, insufficientScope, parseChallenges } from "./challenge.ts";

const parse = (text: string): unknown =>
  parseChallenges(text).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

it("a challenge is a scheme with parameters, in tokens and quoted strings", () => {
  expect(parse('Bearer realm="a, b=\\"c\\"", error=insufficient_scope , scope = "x y"')).toEqual([
    ["bearer", { realm: 'a, b="c"', error: "insufficient_scope", scope: "x y" }],
  ]);
});

it("there may be several in one header, with schemes that have no parameters, or a token", () => {
  expect(parse('Negotiate, Basic realm="b", NTLM TlRMTVNTUAAB==, Bearer error="e",scope=""')).toEqual([
    ["negotiate", {}],
    ["basic", { realm: "b" }],
    ["ntlm", {}],
    ["bearer", { error: "e", scope: "" }],
  ]);
});

it("names are read in any case, and of a parameter that is repeated the first is taken", () => {
  expect(parse('BEARER Error="a", ERROR="b"')).toEqual([["bearer", { error: "a" }]]);
});

it("what cannot be read ends what is read, and nothing is made up", () => {
  expect(parse("")).toEqual([]);
  expect(parse(" ,, ")).toEqual([]);
  expect(parse('Bearer error="open')).toEqual([["bearer", {}]]);
  expect(parse('Bearer a="1", =x, error="e"')).toEqual([["bearer", { a: "1" }]]);
  expect(parse("Bearer error=")).toEqual([["bearer", {}]]);
  expect(parse('"Bearer" error="e"')).toEqual([]);
});

it("the words of one in a quoted string are no challenge", () => {
  const text = 'Basic realm="Bearer error=\\"insufficient_scope\\", Bearer error=insufficient_scope"';
  expect(insufficientScope(parseChallenges(text))).toBeUndefined();
});

it("the one that says a scope is missing is found in any header, and only with Bearer", () => {
  const headers = [
    ["WWW-Authenticate", 'Digest error="insufficient_scope", scope="no"'],
    ["x-other", 'Bearer error="insufficient_scope", scope="no"'],
    ["www-authenticate", 'Bearer error="invalid_token"'],
    ["www-authenticate", 'DPoP algs="ES256", Bearer error="insufficient_scope", scope="a b"'],
  ] as const;
  const challenges = challengesOf(headers);
  expect(challenges.map(({ scheme }) => scheme)).toEqual(["digest", "bearer", "dpop", "bearer"]);
  expect(insufficientScope(challenges)?.parameters.get("scope")).toBe("a b");
});
