import type { StandardSchemaV1 } from "@standard-schema/spec";

/** A value that is not what its schema says. `issues` say where and why, in the schema's own words. */
export class ValidationError extends Error {
  readonly _tag: "ValidationError" = "ValidationError";
  override readonly name: string = "ValidationError";
  readonly issues: readonly StandardSchemaV1.Issue[];

  constructor(what: string, issues: readonly StandardSchemaV1.Issue[]) {
    super(`${what}: ${issues.map(describe).join("; ")}`);
    this.issues = issues;
  }
}

/** The value as the schema gives it back. @throws ValidationError */
export async function validate<S extends StandardSchemaV1>(
  schema: S,
  value: unknown,
  what: string,
): Promise<StandardSchemaV1.InferOutput<S>> {
  const result = await schema["~standard"].validate(value);
  if (result.issues !== undefined) throw new ValidationError(what, result.issues);
  return result.value;
}

/** Where an issue is, as `a.0.b`. */
export function pathOf(issue: StandardSchemaV1.Issue): string {
  return (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
}

function describe(issue: StandardSchemaV1.Issue): string {
  const path = pathOf(issue);
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}
