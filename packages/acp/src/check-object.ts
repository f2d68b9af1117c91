// Checks of objects: by their members, or by the string that says which of several they are.
import { type Check, INVALID, isObject, OBJECT } from "./check.ts";

/** A member that may be absent, or that the schema is lenient with. A check alone is a member that must be there. */
export interface Member {
  readonly check: Check;
  readonly required: boolean;
  /** What a malformed one is replaced by; undefined removes it. Without this it is an error. */
  readonly instead?: () => unknown;
}

/* @__NO_SIDE_EFFECTS__ */
export function optional(check: Check): Member {
  return { check, required: false };
}

/** The schema's `x-deserialize-default-on-error`: a malformed one counts as absent. */
/* @__NO_SIDE_EFFECTS__ */
export function lenient(check: Check): Member {
  return { check, required: false, instead: () => undefined };
}

/** The same for a list that must be there: a malformed one counts as empty. */
/* @__NO_SIDE_EFFECTS__ */
export function lenientList(check: Check): Member {
  return { check, required: true, instead: () => [] };
}

/** Members that are not named here are kept and not looked at. */
/* @__NO_SIDE_EFFECTS__ */
export function object(named: Readonly<Record<string, Check | Member>>): Check {
  const members = Object.entries(named).map(([name, member]) => {
    const { check, required, instead }: Member =
      typeof member === "function" ? { check: member, required: true } : member;
    return { name, check, required, instead }; // of one shape
  });
  return (value, fault) => {
    if (!isObject(value)) return fault.is(OBJECT);
    let result = value;
    // By index: an iterator costs half of what a member does.
    for (let i = 0; i < members.length; i++) {
      const { name, check, required, instead } = members[i]!;
      const given = value[name];
      if (given === undefined) {
        if (!required) continue;
        fault.is("is missing");
        return fault.in(name);
      }
      const read = check(given, fault);
      if (read === given) continue;
      if (read === INVALID && instead === undefined) return fault.in(name);
      if (result === value) result = { ...value };
      const better = read === INVALID ? instead?.() : read;
      if (better === undefined) delete result[name];
      else result[name] = better;
    }
    return result;
  };
}

/** What becomes of an object without a tag, and of one whose tag is not listed. */
export interface Otherwise {
  /** Default: it must have one. */
  readonly untagged?: Check;
  /** Default: it is kept as it is, for it is of a later version, or an extension. */
  readonly other?: Check;
}

/** An object told from others by a string: a listed one must be what its name says. */
/* @__NO_SIDE_EFFECTS__ */
export function tagged(
  tag: string,
  cases: Readonly<Record<string, Check>>,
  { untagged, other }: Otherwise = {},
): Check {
  const checks = new Map(Object.entries(cases));
  return (value, fault) => {
    if (!isObject(value)) return fault.is(OBJECT);
    const name = value[tag];
    if (typeof name === "string") {
      const check = checks.get(name) ?? other;
      return check === undefined ? value : check(value, fault);
    }
    if (untagged !== undefined) return untagged(value, fault);
    fault.is(name === undefined ? "is missing" : "must be a string");
    return fault.in(tag);
  };
}
