// How a value is checked against ACP's schema. A check gives back the value it was given, the same object, unknown members and
// all; where the schema says that a malformed member counts as absent (`x-deserialize-…`), a copy without it. Nothing is
// compiled at run time, and nothing of the value is ever in a message.

/** What a check makes of a value that is not what it should be; `fault` says why and where. */
export const INVALID: unique symbol = Symbol("invalid");

export type Check = (value: unknown, fault: Fault) => unknown;

/** Why a value is not what it should be: the first reason found. */
export class Fault {
  message = "";
  #path: PropertyKey[] = [];

  /** From the outside in. */
  get path(): readonly PropertyKey[] {
    return this.#path.toReversed();
  }

  is(message: string): typeof INVALID {
    this.message = message;
    this.#path = [];
    return INVALID;
  }

  /** It was found inside of this member or item. */
  in(key: PropertyKey): typeof INVALID {
    this.#path.push(key);
    return INVALID;
  }

  /** It was found in an entry whose name is the peer's, and is not told. */
  inEntry(): typeof INVALID {
    const inside = this.path.map(String).join(".");
    return this.is(`has an entry ${inside === "" ? "that" : `whose ${inside}`} ${this.message}`);
  }
}

export const any: Check = (value) => value;

export const boolean: Check = (value, fault) =>
  typeof value === "boolean" ? value : fault.is("must be true or false");

export const nothing: Check = (value, fault) => (value === null ? value : fault.is("must be null"));

export const string: Check = (value, fault) =>
  typeof value === "string" ? value : fault.is("must be a string");

/* @__NO_SIDE_EFFECTS__ */
export function stringFrom(min: number): Check {
  return (value, fault) =>
    typeof value === "string" && value.length >= min
      ? value
      : fault.is(`must be a string of ${min} characters at least`);
}

/* @__NO_SIDE_EFFECTS__ */
export function number(min: number = -Infinity, max: number = Infinity): Check {
  const message = `must be a number${range(min, max)}`;
  return (value, fault) =>
    typeof value === "number" && value >= min && value <= max ? value : fault.is(message);
}

/* @__NO_SIDE_EFFECTS__ */
export function integer(min: number = -Infinity, max: number = Infinity): Check {
  const message = `must be an integer${range(min, max)}`;
  return (value, fault) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? value
      : fault.is(message);
}

function range(min: number, max: number): string {
  return `${min === -Infinity ? "" : ` from ${min}`}${max === Infinity ? "" : ` to ${max}`}`;
}

/* @__NO_SIDE_EFFECTS__ */
export function nullable(check: Check): Check {
  return (value, fault) => (value === null ? null : check(value, fault));
}

/** The schema's `x-deserialize-default-on-null`. */
/* @__NO_SIDE_EFFECTS__ */
export function emptyIfNull(check: Check, empty: () => unknown): Check {
  return (value, fault) => (value === null ? empty() : check(value, fault));
}

/** What a method takes or gives, where the schema requires nothing of it: it may be missing altogether. */
/* @__NO_SIDE_EFFECTS__ */
export function emptyIfAbsent(check: Check): Check {
  return (value, fault) => (value === undefined || value === null ? {} : check(value, fault));
}

/* @__NO_SIDE_EFFECTS__ */
export function list(check: Check, min: number = 0): Check {
  return (value, fault) => {
    if (!Array.isArray(value) || value.length < min) return fault.is(listMessage(min));
    let result: unknown[] = value;
    for (let i = 0; i < value.length; i++) {
      const given: unknown = value[i];
      const read = check(given, fault);
      if (read === given) continue;
      if (read === INVALID) return fault.in(i);
      if (result === value) result = [...value];
      result[i] = read;
    }
    return result;
  };
}

/** The schema's `x-deserialize-skip-invalid-items`: a list without the items that are malformed. */
/* @__NO_SIDE_EFFECTS__ */
export function listOfValid(check: Check, min: number = 0): Check {
  return (value, fault) => {
    if (!Array.isArray(value)) return fault.is(listMessage(min));
    const read: unknown[] = value.map((item: unknown) => check(item, fault));
    const valid = read.filter((item) => item !== INVALID);
    if (valid.length < min) return fault.is(listMessage(min));
    return valid.length === value.length && valid.every((item, i) => item === value[i]) ? value : valid;
  };
}

function listMessage(min: number): string {
  return min === 0 ? "must be a list" : `must be a list of ${min} at least`;
}

/** An object whose members are named by whoever sends it. */
/* @__NO_SIDE_EFFECTS__ */
export function record(check: Check): Check {
  return (value, fault) => {
    if (!isObject(value)) return fault.is(OBJECT);
    let result = value;
    for (const name of Object.keys(value)) {
      const given = value[name];
      const read = check(given, fault);
      if (read === given) continue;
      if (read === INVALID) return fault.inEntry();
      if (result === value) result = { ...value };
      result[name] = read; // its own already, whatever its name
    }
    return result;
  };
}

/** The first of them that fits; where they exclude each other, the only one. */
/* @__NO_SIDE_EFFECTS__ */
export function union(what: string, checks: readonly Check[], exclusive: boolean = false): Check {
  const message = `must be ${exclusive ? "one alone of " : ""}${what}`;
  return (value, fault) => {
    let found: unknown = INVALID;
    for (const check of checks) {
      const read = check(value, fault);
      if (read === INVALID) continue;
      if (!exclusive) return read;
      if (found !== INVALID) return fault.is(message);
      found = read;
    }
    return found === INVALID ? fault.is(message) : found;
  };
}

/** All of them, each on what the one before it gave. */
/* @__NO_SIDE_EFFECTS__ */
export function all(...checks: readonly Check[]): Check {
  return (value, fault) => {
    let read = value;
    for (const check of checks) {
      read = check(read, fault);
      if (read === INVALID) return INVALID;
    }
    return read;
  };
}

export const OBJECT = "must be an object";

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
