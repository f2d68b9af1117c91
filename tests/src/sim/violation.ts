/** What the simulation found: a rule that does not hold. */
export class Violation extends Error {
  override readonly name: string = "Violation";
  /** The rule's id in PROTOCOL.md, or a short name of its own. */
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`);
    this.rule = rule;
  }
}

/** `message` is given as a function where it costs something to write. */
export function check(holds: boolean, rule: string, message: string | (() => string)): asserts holds {
  if (!holds) throw new Violation(rule, typeof message === "string" ? message : message());
}

/** For where the message of a `check` would cost more than what it checks. */
export function fail(rule: string, message: string): never {
  throw new Violation(rule, message);
}
