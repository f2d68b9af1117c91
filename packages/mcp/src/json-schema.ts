import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema of an object, as a client is told it: given by hand, or by the schema itself, where its library can say
 * it (Standard JSON Schema: zod from 4.2, ArkType; Valibot by `toStandardJsonSchema` of @valibot/to-json-schema).
 * @throws TypeError where neither is, or it is not one of an object
 */
export function objectSchema(
  schema: StandardSchemaV1,
  byHand: JsonSchema | undefined,
  side: "input" | "output",
): JsonSchema {
  const json = byHand ?? toJsonSchema(schema)?.[side]({ target: "draft-2020-12" });
  if (json === undefined)
    throw new TypeError(
      `${side}: this schema does not say itself as JSON Schema; give it by hand, as ${side}Schema`,
    );
  if (json["type"] !== "object")
    throw new TypeError(`${side}: MCP takes objects only; its JSON Schema needs type "object"`);
  return json;
}

function toJsonSchema(schema: StandardSchemaV1): StandardJSONSchemaV1.Converter | undefined {
  const standard: Partial<StandardJSONSchemaV1.Props> = schema["~standard"];
  return standard.jsonSchema;
}
