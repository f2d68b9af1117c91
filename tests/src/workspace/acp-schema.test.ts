// What is generated from ACP's schema is up to date, and means what the schema and the SDK mean.
import { readFileSync } from "node:fs";
import * as sdk from "@agentclientprotocol/sdk";
import * as sdkV2 from "@agentclientprotocol/sdk/experimental/v2";
import * as sdkUnstable from "@agentclientprotocol/sdk/unstable";
import * as v1 from "@sluice/acp";
import * as unstable from "@sluice/acp/unstable";
import * as v2 from "@sluice/acp/v2";
import { Ajv2020 } from "ajv/dist/2020.js";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { definitionsOf, type Node, refsOf } from "../../../scripts/acp-schema-model.ts";
import { generated, outOfDate } from "../../../scripts/acp-schema.ts";
import { valuesOf } from "./acp-values.testing.ts";

interface Validator {
  readonly "~standard": { validate(value: unknown): { value?: unknown; issues?: readonly unknown[] } };
}
interface Described {
  readonly kind: "request" | "notification";
  readonly method: string;
  readonly params: Validator;
}
interface Zod {
  safeParse(value: unknown): { readonly success: boolean };
}

const SDK = new URL("../../node_modules/@agentclientprotocol/sdk/", import.meta.url);
const EDITIONS = [
  { name: "v1", schema: "v1/schema.json", ours: v1, sdk, zod: "v1/schema/zod.gen.js" },
  {
    name: "unstable",
    schema: "v1/schema.unstable.json",
    ours: unstable,
    sdk: sdkUnstable,
    zod: "v1/unstable/schema/zod.gen.js",
  },
  { name: "v2", schema: "v2/schema.json", ours: v2, sdk: sdkV2, zod: "v2/schema/zod.gen.js" },
] as const;

it("what is generated is what the schema gives (else: npm run acp:schema)", () => {
  expect(outOfDate()).toEqual([]);
});

it("the same schema gives the same bytes", () => {
  expect([...generated()]).toEqual([...generated()]);
});

it("names the codes that the schema names", () => {
  const { $defs } = JSON.parse(readFileSync(new URL("schema/v2/schema.json", SDK), "utf8")) as {
    $defs: { ErrorCode: { anyOf: { const?: number }[] } };
  };
  const listed = $defs.ErrorCode.anyOf.flatMap(({ const: code }) => (code === undefined ? [] : [code]));
  expect(new Set(Object.values(v1.AcpErrorCode))).toEqual(new Set(listed));
});

function hasNameless(node: Node): boolean {
  if (node.kind === "all") return node.parts.some(hasNameless);
  if (node.kind !== "tagged" || node.untagged === undefined) return false;
  return node.untagged.node.kind !== "object" || node.untagged.node.members.length > 0;
}

for (const edition of EDITIONS) {
  const schema = JSON.parse(readFileSync(new URL(`schema/${edition.schema}`, SDK), "utf8")) as never;
  const definitions = definitionsOf(schema);
  const byName = new Map(definitions.map((definition) => [definition.name, definition]));
  const ours = edition.ours as unknown as Record<string, Validator | Described>;
  const validator = (name: string): Validator => {
    const value = ours[name]!;
    return "kind" in value ? value.params : value;
  };
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(schema, "acp");

  describe(edition.name, () => {
    it("has the SDK's methods on each side", () => {
      const table = (name: string): string[] => Object.keys(ours[name] ?? {});
      const methods = (name: string): string[] =>
        Object.values((edition.sdk as unknown as Record<string, Record<string, string>>)[name] ?? {}).sort();
      expect(table("agentMethods")).toEqual(methods("AGENT_METHODS"));
      expect(table("clientMethods")).toEqual(methods("CLIENT_METHODS"));
      expect(table("protocolMethods")).toEqual(methods("PROTOCOL_METHODS"));
      expect(table("proxyRequests")).toEqual(methods("PROXY_METHODS"));
      expect(edition.ours.PROTOCOL_VERSION).toBe(edition.sdk.PROTOCOL_VERSION);
    });

    it("describes each method under its own name, and every definition has a value", () => {
      for (const name of ["agentMethods", "clientMethods", "proxyRequests", "proxyNotifications"])
        for (const [method, described] of Object.entries((ours[name] ?? {}) as Record<string, Described>))
          expect(described.method).toBe(method);
      for (const { name, message } of definitions) {
        const kind = name.endsWith("Notification") ? "notification" : "request";
        const isDescribed = message !== undefined && !name.endsWith("Response");
        expect(ours[name]).toMatchObject(
          isDescribed ? { kind, method: message.method } : { "~standard": {} },
        );
        const response = ours[name.replace(/Request$/, "Response")];
        if (isDescribed && kind === "request") expect(ours[name]).toHaveProperty("result", response);
      }
    });

    const runs = { numRuns: 150 };
    // In these the schema lets what has a listed name, and not what belongs to it, pass as the form without a name.
    const strict = new Set<string>();
    for (const { name, node } of definitions)
      if (hasNameless(node) || refsOf(node).some((ref) => strict.has(ref))) strict.add(name);
    const comparable = definitions.filter(({ name }) => !strict.has(name));

    it("takes whatever the published schema takes, and gives the same object", () => {
      for (const definition of comparable) {
        const theirs = ajv.compile({ $ref: `acp#/$defs/${definition.name}` });
        const values = valuesOf(definition, byName, { unlisted: true });
        const { validate } = validator(definition.name)["~standard"];
        fc.assert(
          fc.property(values, (value) => {
            if (!theirs(value)) return;
            const before = JSON.stringify(value);
            const result = validate(value);
            expect(result.issues).toBe(undefined);
            expect(result.value).toBe(value);
            expect(JSON.stringify(value)).toBe(before);
          }),
          runs,
        );
      }
    });

    it("is stricter only where a listed name could pass as no name", () => {
      const own = definitions.filter(({ node }) => hasNameless(node)).map(({ name }) => name);
      const nameless = ["AuthMethod", "McpServer", "MultiSelectItems", "SetSessionConfigOptionRequest"];
      expect(own.sort()).toEqual(edition.name === "v2" ? ["MultiSelectItems"] : nameless);
    });

    it("gives what the published schema takes, whatever it overlooks", () => {
      for (const definition of definitions) {
        const theirs = ajv.compile({ $ref: `acp#/$defs/${definition.name}` });
        const values = valuesOf(definition, byName, { unlisted: false });
        const { validate } = validator(definition.name)["~standard"];
        fc.assert(
          fc.property(values, (value) => {
            const before = JSON.stringify(value);
            const result = validate(value);
            // A list that must not be empty is, where all of its items have been skipped. So it is with the SDK.
            if (result.issues === undefined && !theirs(result.value))
              expect(theirs.errors?.map(({ keyword }) => keyword)).toContain("minItems");
            expect(JSON.stringify(value)).toBe(before);
          }),
          runs,
        );
      }
    });

    it("takes what the SDK takes", async () => {
      const zods = (await import(new URL(`dist/${edition.zod}`, SDK).href)) as Record<
        string,
        Zod | undefined
      >;
      let compared = 0;
      for (const definition of comparable) {
        const theirs = zods[`z${definition.name}`];
        if (theirs === undefined) continue;
        const { validate } = validator(definition.name)["~standard"];
        fc.assert(
          fc.property(valuesOf(definition, byName, { unlisted: false }), (value) => {
            if (theirs.safeParse(value).success) expect(validate(value).issues).toBe(undefined);
            compared++;
          }),
          { numRuns: 50 },
        );
      }
      expect(compared).toBeGreaterThan(5000);
    });
  });
}
