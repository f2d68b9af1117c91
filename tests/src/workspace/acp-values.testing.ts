// Values of a definition of ACP's: mostly as it says, here and there something else.
import * as fc from "fast-check";
import type { Definition, Member, Node } from "../../../scripts/acp-schema-model.ts";

export interface Options {
  /** Whether names that the schema does not list occur, too. */
  readonly unlisted: boolean;
}

// Every string is a URL, so that no check of formats tells the schemas apart.
const STRINGS = ["https://example.test/a", "https://example.test/b"];
const JUNK: readonly unknown[] = [null, true, -7, 5.5, [], {}, [5], [null, {}], { more: 1 }];

export function valuesOf(
  definition: Definition,
  all: ReadonlyMap<string, Definition>,
  options: Options,
): fc.Arbitrary<unknown> {
  const junk = fc.constantFrom(...JUNK).map((value) => structuredClone(value));
  const node = (one: Node): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 30, arbitrary: sound(one) }, { weight: 1, arbitrary: junk });

  const sound = (one: Node): fc.Arbitrary<unknown> => {
    switch (one.kind) {
      case "any":
        return fc.constantFrom(...JUNK, "text").map((value) => structuredClone(value));
      case "null":
        return fc.constant(null);
      case "boolean":
        return fc.boolean();
      case "string":
        return fc.constantFrom(...STRINGS);
      case "number":
      case "integer":
        return fc.integer({ min: Math.max(one.min ?? 0, -1000), max: Math.min(one.max ?? 1000, 1000) });
      case "enum": {
        const listed = one.values.map(({ value }) => value);
        return fc.constantFrom(...(options.unlisted ? [...listed, ...unlistedOf(one.of)] : listed));
      }
      case "array":
        return fc.array(node(one.items), { minLength: one.min, maxLength: one.min + 2 });
      case "record":
        return fc.dictionary(fc.constantFrom("one", "two", "constructor"), node(one.values), { maxKeys: 2 });
      case "nullable":
        return fc.oneof({ weight: 3, arbitrary: sound(one.of) }, { weight: 1, arbitrary: fc.constant(null) });
      case "ref":
        return sound(all.get(one.name)!.node);
      case "object":
        return objects(one.members);
      case "union":
        return fc.oneof(...one.options.map(sound));
      case "all":
        return fc.tuple(...one.parts.map(sound)).map((parts) => Object.assign({}, ...parts) as unknown);
      default: {
        const { tag, cases, untagged, other } = one;
        const forms = cases.map((form) => withTag(sound(form.node), tag, form.value));
        if (untagged !== undefined) {
          forms.push(sound(untagged.node));
          if (untagged.name !== undefined) forms.push(withTag(sound(untagged.node), tag, untagged.name));
        }
        if (options.unlisted) forms.push(withTag(sound(other), tag, "_of_an_extension"));
        return fc.oneof(...forms);
      }
    }
  };

  const objects = (members: readonly Member[]): fc.Arbitrary<unknown> => {
    const values: Record<string, fc.Arbitrary<unknown>> = { "example.test/unknown": junk };
    for (const member of members) values[member.name] = node(member.node);
    const requiredKeys = members.filter(({ required }) => required).map(({ name }) => name);
    return fc.oneof(
      { weight: 30, arbitrary: fc.record(values, { requiredKeys, noNullPrototype: true }) },
      // Now and then one that is required is missing.
      { weight: 1, arbitrary: fc.record(values, { requiredKeys: [], noNullPrototype: true }) },
    );
  };

  return fc.oneof({ weight: 60, arbitrary: sound(definition.node) }, { weight: 1, arbitrary: junk });
}

function unlistedOf(type: "string" | "integer"): readonly (string | number)[] {
  return type === "string" ? ["_of_an_extension", "of_a_later_version"] : [-31999];
}

function withTag(values: fc.Arbitrary<unknown>, tag: string, name: string): fc.Arbitrary<unknown> {
  return values.map((value) => ({ [tag]: name, ...(value as object) }));
}
