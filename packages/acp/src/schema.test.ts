import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BLOCKS, EXAMPLES, examples, METHODS, type Outcome, UPDATES } from "./examples.testing.ts";
import { PromptRequest, SessionNotification } from "./index.ts";

const EACH = examples();
const SECRET = "hunter2";

const update = (value: unknown): Outcome =>
  SessionNotification.params!["~standard"].validate({ sessionId: "s", update: value }) as Outcome;

describe("examples", () => {
  it("there is one for every method of ACP, its params and its result", () => {
    expect(Object.keys(EXAMPLES).sort()).toEqual(Object.keys(METHODS).sort());
    for (const [method, { params, results }] of Object.entries(EXAMPLES)) {
      expect(params.length).toBeGreaterThan(0);
      expect((results ?? []).length > 0).toBe(METHODS[method]!.kind === "request");
    }
  });

  it.each(EACH)("$name is valid, and given back as the same object", ({ value, validate }) => {
    const before = JSON.stringify(value);
    expect(validate(value)).toEqual({ value });
    expect((validate(value) as { value: unknown }).value).toBe(value);
    expect(JSON.stringify(value)).toBe(before);
  });

  it.each(EACH)("$name is valid when it is frozen, for nothing is written to it", ({ value, validate }) => {
    const frozen = frozenCopy(value);
    expect((validate(frozen) as { value: unknown }).value).toBe(frozen);
  });
});

describe("members and variants that are not known", () => {
  const unknowns = fc.dictionary(
    fc.constantFrom("_vendor", "later", "constructor", "hasOwnProperty"),
    fc.jsonValue(),
    { minKeys: 1, maxKeys: 3 },
  );

  it("members that are not known survive at every depth", () => {
    fc.assert(
      fc.property(fc.constantFrom(...EACH), unknowns, ({ value, validate }, members) => {
        const widened = widen(value, members);
        const result = validate(widened);
        expect(result.issues).toBe(undefined);
        expect((result as { value: unknown }).value).toBe(widened);
      }),
      { numRuns: 500 },
    );
  });

  it("an update of an unknown kind survives with all that is in it", () => {
    const names = fc.string().filter((name) => UPDATES.every((known) => known["sessionUpdate"] !== name));
    fc.assert(
      fc.property(names, fc.dictionary(fc.string(), fc.jsonValue()), (sessionUpdate, members) => {
        const value = { ...members, sessionUpdate };
        expect((update(value) as { value: { update: unknown } }).value.update).toBe(value);
      }),
    );
  });

  it.each([
    [
      "a block of content",
      { sessionUpdate: "agent_message_chunk", content: { type: "hologram", at: [1, 2] } },
    ],
    ["what a tool call shows", { ...UPDATES[3], content: [{ type: "chart", rows: [] }] }],
    ["a tool's kind", { ...UPDATES[3], kind: "dream" }],
    ["a tool call's status", { ...UPDATES[4], status: "paused" }],
    [
      "a plan's priority and status",
      { ...UPDATES[5], entries: [{ content: "", priority: "p0", status: "_x" }] },
    ],
    ["a category", { ...UPDATES[8], configOptions: [{ ...onOff(), category: "_mine" }] }],
    ["a kind of option", { ...UPDATES[8], configOptions: [{ ...onOff(), type: "slider", currentValue: 5 }] }],
  ])("%s of an unknown name is valid", (_, value) => {
    expect((update(value) as { value: { update: unknown } }).value.update).toBe(value);
  });

  it.each([
    ["session/prompt", "result", { stopReason: "out_of_paper" }],
    ["session/request_permission", "result", { outcome: { outcome: "deferred", until: 5 } }],
    ["session/new", "params", { cwd: "/", mcpServers: [{ type: "acp", name: "a", serverId: "s" }] }],
    ["elicitation/create", "params", { mode: "_voice", message: "?", sessionId: "s", loud: true }],
    ["elicitation/create", "result", { action: "later" }],
  ] as const)("an unknown name in %s, its %s, is valid", (method, what, value) => {
    const described = METHODS[method] as unknown as Record<
      string,
      { "~standard": { validate(v: unknown): Outcome } }
    >;
    expect((described[what]!["~standard"].validate(value) as { value: unknown }).value).toBe(value);
  });
});

describe("what is wrong", () => {
  it.each([
    ["a chunk without content", { sessionUpdate: "agent_message_chunk" }, "update.content", "is missing"],
    ["text that is a number", chunk({ type: "text", text: 5 }), "update.content.text", "must be a string"],
    ["a block that is a string", chunk(SECRET), "update.content", "must be an object"],
    ["a block without a type", chunk({ text: SECRET }), "update.content.type", "is missing"],
    ["a type that is a number", chunk({ type: 7, text: SECRET }), "update.content.type", "must be a string"],
    [
      "an image without data",
      chunk({ type: "image", mimeType: SECRET }),
      "update.content.data",
      "is missing",
    ],
    [
      "a resource that is neither text nor blob",
      chunk({ type: "resource", resource: { uri: SECRET } }),
      "update.content.resource",
      "must be TextResourceContents or BlobResourceContents",
    ],
    [
      "a tool call without a title",
      { sessionUpdate: "tool_call", toolCallId: "c" },
      "update.title",
      "is missing",
    ],
    [
      "a negative count",
      { sessionUpdate: "usage_update", used: -1, size: 5 },
      "update.used",
      "must be an integer from 0",
    ],
    [
      "a notice without a word",
      { sessionUpdate: "notice", severity: "info", title: "" },
      "update.title",
      "must be a string of 1 characters at least",
    ],
    ["an update that is a list", [], "update", "must be an object"],
    ["no update", undefined, "update", "is missing"],
  ])("%s is named by its place", (_, value, path, message) => {
    expect(placed(update(value))).toEqual([`${path} ${message}`]);
  });

  it.each([
    [
      "session/new",
      { cwd: "/", mcpServers: [stdio(), { ...stdio(), args: [SECRET, 5] }] },
      "mcpServers.1.args.1",
    ],
    ["session/new", { cwd: "/", mcpServers: [{ type: "http", ...stdio() }] }, "mcpServers.0.url"],
    ["session/new", { cwd: "/", mcpServers: { 0: stdio() } }, "mcpServers"],
    ["session/prompt", { sessionId: "s", prompt: [...BLOCKS, null] }, `prompt.${BLOCKS.length}`],
    ["session/prompt", null, ""],
    ["initialize", { protocolVersion: 1.5 }, "protocolVersion"],
    ["initialize", { protocolVersion: 70_000 }, "protocolVersion"],
    ["session/set_config_option", { sessionId: "s", configId: "c", type: "boolean", value: SECRET }, "value"],
    ["session/set_config_option", { sessionId: "s", configId: "c", value: true }, "value"],
    ["fs/read_text_file", { sessionId: "s", path: "/", line: 2 ** 32 }, "line"],
    ["elicitation/create", { mode: "url", message: "?", sessionId: 5, elicitationId: "e", url: "u" }, ""],
  ])("%s: what a known form should not hold is refused (%#)", (method, value, path) => {
    const result = METHODS[method]!.params!["~standard"].validate(value) as Outcome;
    expect(result.issues?.map((issue) => issue.path?.join("."))).toEqual([path]);
    expect(JSON.stringify(result)).not.toContain(SECRET);
  });

  it("names that the peer has chosen are not told either", () => {
    const form = { mode: "form", message: "?", sessionId: "s" };
    const properties = { fine: { type: "string" }, [SECRET]: { type: "string", minLength: SECRET } };
    const create = METHODS["elicitation/create"]!.params!["~standard"];
    expect(placed(create.validate({ ...form, requestedSchema: { properties } }) as Outcome)).toEqual([
      "requestedSchema.properties has an entry whose minLength must be an integer from 0 to 4294967295",
    ]);
    const bare = create.validate({ ...form, requestedSchema: { properties: { [SECRET]: 5 } } }) as Outcome;
    expect(placed(bare)).toEqual(["requestedSchema.properties has an entry that must be an object"]);
  });

  it("whatever is put wherever, the issue leads to it and holds nothing of it", () => {
    const wrong = fc.constantFrom<unknown>(SECRET, { [SECRET]: SECRET }, [SECRET], 5.5, -1, true, null, []);
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...EACH), fc.nat(), wrong, ({ value, validate }, n, put) => {
        const places = placesOf(value);
        const place = places[n % places.length]!;
        const result = validate(replaced(value, place, put));
        if (result.issues === undefined) return;
        refused++;
        expect(JSON.stringify(result)).not.toContain(SECRET);
        expect(result.issues).toHaveLength(1);
        // It may be found at what holds it, or inside of it; a form that is told by its type, at what it then lacks.
        const path = (result.issues[0]!.path ?? []).map(String);
        if (place.at(-1) === "type") place.pop();
        const shorter = Math.min(path.length, place.length);
        expect(path.slice(0, shorter)).toEqual(place.slice(0, shorter).map(String));
      }),
      { numRuns: 3000 },
    );
    expect(refused).toBeGreaterThan(500);
  });
});

describe("what ACP overlooks", () => {
  it.each([
    ["a malformed `_meta`", { ...UPDATES[1], _meta: 5 }, UPDATES[1]],
    [
      "malformed annotations",
      chunk({ type: "text", text: "t", annotations: [] }),
      chunk({ type: "text", text: "t" }),
    ],
    ["a tool call's title in an update", { ...UPDATES[4], title: {} }, without(UPDATES[4]!, "title")],
    ["one malformed location", { ...UPDATES[3], locations: [{ path: "/a", line: 3 }, 5] }, UPDATES[3]],
    ["one malformed entry of a plan", { ...UPDATES[5], entries: [null, ...entries()] }, UPDATES[5]],
    ["entries that are no list", { ...UPDATES[5], entries: 5 }, { ...UPDATES[5], entries: [] }],
  ])("%s counts as absent, in a copy", (_, value, better) => {
    const before = JSON.stringify(value);
    expect(update(value)).toStrictEqual({ value: { sessionId: "s", update: better } });
    expect(JSON.stringify(value)).toBe(before);
  });

  it("the copy keeps what is not known", () => {
    const value = { ...UPDATES[1], _meta: 5, later: { x: 1 } };
    expect(update(value)).toEqual({ value: { sessionId: "s", update: { ...UPDATES[1], later: { x: 1 } } } });
  });

  it("but a list that must be there must be there", () => {
    expect(placed(update({ sessionUpdate: "plan" }))).toEqual(["update.entries is missing"]);
  });

  it.each([
    ["terminal/create", { sessionId: "s", command: "c", args: null, env: null }, { args: [], env: [] }],
    ["session/new", { cwd: "/", mcpServers: null, additionalDirectories: null }, { mcpServers: [] }],
  ])("%s: null stands for an empty list", (method, value, better) => {
    const result = METHODS[method]!.params!["~standard"].validate(value) as { value: unknown };
    expect(result.value).toMatchObject(better);
  });

  it("what requires nothing may be missing: agents answer session/load with null", () => {
    for (const method of [
      "session/load",
      "session/set_mode",
      "fs/write_text_file",
      "terminal/kill",
    ] as const) {
      const { result } = METHODS[method] as { result: (typeof PromptRequest)["result"] };
      expect(result!["~standard"].validate(null)).toEqual({ value: {} });
      expect(result!["~standard"].validate(undefined)).toEqual({ value: {} });
    }
    expect(METHODS["logout"]!.params!["~standard"].validate(undefined)).toEqual({ value: {} });
    const { issues } = METHODS["session/prompt"]!.params!["~standard"].validate(undefined) as Outcome;
    expect(issues).toHaveLength(1);
  });
});

function placed(result: Outcome): string[] | undefined {
  return result.issues?.map(({ path, message }) => `${(path ?? []).join(".")} ${message}`);
}

function chunk(content: unknown): Record<string, unknown> {
  return { sessionUpdate: "agent_message_chunk", content };
}

function onOff(): Record<string, unknown> {
  return { id: "web", name: "Web", type: "boolean", currentValue: true };
}

function stdio(): Record<string, unknown> {
  return { name: SECRET, command: SECRET, args: [], env: [] };
}

function entries(): unknown[] {
  return UPDATES[5]!["entries"] as unknown[];
}

function without(value: Record<string, unknown>, name: string): Record<string, unknown> {
  const { [name]: _, ...rest } = value;
  return rest;
}

function frozenCopy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const copy = Array.isArray(value)
    ? value.map(frozenCopy)
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, frozenCopy(item)]));
  return Object.freeze(copy);
}

/** The same with further members in each of its objects, but not where all names are the peer's. */
function widen(value: unknown, members: Record<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((item) => widen(item, members));
  if (typeof value !== "object" || value === null) return value;
  const named = ["env", "properties", ...("action" in value ? ["content"] : [])];
  const inside = Object.entries(value).map(([key, item]) => [
    key,
    named.includes(key) ? item : widen(item, members),
  ]);
  return { ...(Object.fromEntries(inside) as object), ...members };
}

/** Where everything in it is, itself left out. */
function placesOf(value: unknown, at: readonly string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return at.length === 0 ? [] : [[...at]];
  const inside = Object.entries(value).flatMap(([key, item]) => placesOf(item, [...at, key]));
  return at.length === 0 ? (inside.length === 0 ? [["more"]] : inside) : [[...at], ...inside];
}

function replaced(value: unknown, [first, ...rest]: readonly string[], put: unknown): unknown {
  if (first === undefined) return put;
  if (Array.isArray(value))
    return value.map((item, i) => (String(i) === first ? replaced(item, rest, put) : item));
  const object = value as Record<string, unknown>;
  return { ...object, [first]: replaced(object[first], rest, put) };
}
