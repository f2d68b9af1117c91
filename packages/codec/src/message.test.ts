import * as fc from "fast-check";
import { expect, it } from "vitest";
import { acp, codex, jsonrpc, lsp, mcp, type Dialect } from "./dialect.ts";
import { DecodeError } from "./error.ts";
import { DECODE_LIMITS } from "./limits.ts";
import { classify, parseMessage, type Batch, type Message } from "./message.ts";

const parse = (text: string, dialect: Dialect = jsonrpc): Message | Batch =>
  parseMessage(text, dialect, DECODE_LIMITS);

/** A message in a few words: `request 1 sum`, `invalid -32600 id null`; a batch as a list of them. */
function words(message: Message | Batch): unknown {
  switch (message.kind) {
    case "batch":
      return message.messages.map(words);
    case "request":
      return `request ${JSON.stringify(message.id)} ${message.method}`;
    case "notification":
      return `notification ${message.method}`;
    case "result":
      return `result ${JSON.stringify(message.id)} ${JSON.stringify(message.result)}`;
    case "error":
      return `error ${JSON.stringify(message.id)} ${message.error.code} ${message.error.message}`;
    default:
      return `invalid ${message.error.code} id ${JSON.stringify(message.id)}${message.answers ? " answer" : ""}`;
  }
}
const read = (text: string, dialect?: Dialect): unknown => words(parse(text, dialect));
const spec = (members: string): string => `{"jsonrpc":"2.0",${members}}`;

function ruleOf(text: string, dialect?: Dialect): string {
  const message = parse(text, dialect);
  return message.kind === "invalid" ? message.error.rule : message.kind;
}

it.each([
  ['{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}', "request 1 subtract"],
  ['{"jsonrpc": "2.0", "result": 19, "id": 1}', "result 1 19"],
  [
    '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
    "request 3 subtract",
  ],
  ['{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', "notification update"],
  ['{"jsonrpc": "2.0", "method": "foobar"}', "notification foobar"],
  ['{"jsonrpc": "2.0", "method": "foobar", "id": "1"}', 'request "1" foobar'],
  [
    '{"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "1"}',
    'error "1" -32601 Method not found',
  ],
  ['{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', "invalid -32700 id null"],
  ['{"jsonrpc": "2.0", "method": 1, "params": "bar"}', "invalid -32600 id null"],
  [
    '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"}, {"jsonrpc": "2.0", "method"',
    "invalid -32700 id null",
  ],
  ["[]", "invalid -32600 id null"],
  ["[1]", ["invalid -32600 id null"]],
  ["[1,2,3]", ["invalid -32600 id null", "invalid -32600 id null", "invalid -32600 id null"]],
  [
    `[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
      {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
      {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
      {"foo": "boo"},
      {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
      {"jsonrpc": "2.0", "method": "get_data", "id": "9"}]`,
    [
      'request "1" sum',
      "notification notify_hello",
      'request "2" subtract',
      "invalid -32600 id null",
      'request "5" foo.get',
      'request "9" get_data',
    ],
  ],
])("JSON-RPC 7: %s", (text, expected) => {
  expect(read(text)).toEqual(expected);
});

it("a message that is no object is refused with id null", () => {
  for (const text of ["1", '"text"', "null", "true"]) expect(read(text)).toBe("invalid -32600 id null");
  for (const value of [[], undefined, () => 1, Symbol("s"), 1n])
    expect(words(classify(value, jsonrpc, DECODE_LIMITS))).toBe("invalid -32600 id null");
});

it("JSON-RPC 5.1: text that is not JSON is -32700", () => {
  for (const text of [
    "",
    " ",
    "{bad",
    "{",
    "nul",
    "[1,]",
    "\ufeff{}",
    '{"a":"\u0000"}',
    '{"a":"\n"}',
    "{}{}",
  ])
    expect(read(text)).toBe("invalid -32700 id null");
});

it.each([
  ["missing", '{"id":7,"method":"m"}'],
  ["1.0", '{"jsonrpc":"1.0","id":7,"method":"m"}'],
  ["a number", '{"jsonrpc":2.0,"id":7,"method":"m"}'],
])("JSON-RPC 4: a version that is %s is refused with the id that could be read", (_, text) => {
  expect(read(text)).toBe("invalid -32600 id 7");
});

it("an answer with a wrong version still fails the call it was meant for", () => {
  expect(read('{"id":7,"result":1}')).toBe("invalid -32600 id 7 answer");
});

it("JSON-RPC 4.1: a method is a string, within its limit", () => {
  for (const bad of ["1", "null", "{}", "[]", "true"])
    expect(read(spec(`"id":1,"method":${bad}`))).toBe("invalid -32600 id 1");
  const long = "m".repeat(DECODE_LIMITS.method);
  expect(read(spec(`"id":1,"method":"${long}"`))).toBe(`request 1 ${long}`);
  expect(ruleOf(spec(`"id":1,"method":"${long}m"`))).toBe("limits.method");
  expect(read(spec(`"id":1,"method":"${"m".repeat(10_000_000)}"`))).toBe("invalid -32600 id 1");
});

it("methods that are names of something else are only names", () => {
  for (const name of ["", "rpc.discover", "$/x", "__proto__", "constructor", "toString"])
    expect(read(spec(`"id":1,"method":"${name}"`))).toBe(`request 1 ${name}`);
});

it("JSON-RPC 4.2: params are an object or an array; null counts as absent", () => {
  for (const bad of ['"text"', "1", "true", "false", "0", '""'])
    expect(ruleOf(spec(`"id":1,"method":"m","params":${bad}`))).toBe("JSON-RPC 4.2");
  expect(read(spec('"method":"m","params":1'))).toBe("invalid -32600 id null");
  expect(parse(spec('"id":1,"method":"m","params":null'))).toMatchObject({ params: undefined });
  expect(parse(spec('"id":1,"method":"m","params":{"a":1}'))).toMatchObject({ params: { a: 1 } });
  expect(parse(spec('"id":1,"method":"m","params":[]'))).toMatchObject({ params: [] });
});

it("ids that cannot be echoed exactly are refused with id null", () => {
  const bad = ["{}", "[]", "true", "false", "1e400", "-1e400", "9007199254740992", "1152921504606846977"];
  for (const id of bad) expect(read(spec(`"id":${id},"method":"m"`))).toBe("invalid -32600 id null");
});

it("ids that can be are taken as they are, and a string is not a number", () => {
  const good = ["0", "-1", '"1"', "1", '""', '"__proto__"', "9007199254740991"];
  for (const id of good) expect(read(spec(`"id":${id},"method":"m"`))).toBe(`request ${id} m`);
  expect(parse(spec('"id":-0,"method":"m"'))).toMatchObject({ kind: "request" });
  expect(parse(spec('"id":1e-400,"method":"m"'))).toMatchObject({ id: 0 });
});

it("a string id within its limit is taken, one above it refused", () => {
  const id = "i".repeat(DECODE_LIMITS.id);
  expect(read(spec(`"id":"${id}","method":"m"`))).toBe(`request "${id}" m`);
  for (const long of [`${id}i`, "i".repeat(1_000_000)]) {
    expect(read(spec(`"id":"${long}","method":"m"`))).toBe("invalid -32600 id null");
    expect(read(spec(`"id":"${long}","result":1`))).toBe("invalid -32600 id null answer");
  }
});

it.each([
  ['"id":1,"result":1,"error":{"code":1,"message":"m"}', "both result and error"],
  ['"id":1', "neither"],
  ['"id":1,"error":"text"', "an error that is text"],
  ['"id":1,"error":null', "an error that is null"],
  ['"id":1,"error":[]', "an error that is an array"],
  ['"id":1,"error":{"code":"-1","message":"m"}', "a code that is text"],
  ['"id":1,"error":{"code":1.5,"message":"m"}', "a code that is no integer"],
  ['"id":1,"error":{"code":1}', "no message"],
  ['"id":1,"error":{"code":1,"message":1}', "a message that is a number"],
])("JSON-RPC 5: an answer {%s} fails the waiting call (%s)", (members) => {
  expect(read(spec(members))).toBe("invalid -32600 id 1 answer");
});

it("an answer without a usable id is an answer nobody waits for", () => {
  expect(read(spec('"result":1'))).toBe("invalid -32600 id null answer");
  expect(read(spec('"id":{},"result":1'))).toBe("invalid -32600 id null answer");
  expect(read(spec('"id":null,"error":{"code":-32700,"message":"Parse error"}'))).toBe(
    "error null -32700 Parse error",
  );
});

it("a null beside the member that counts is what many peers write", () => {
  expect(read(spec('"id":1,"result":null,"error":{"code":1,"message":"m"}'))).toBe("error 1 1 m");
  expect(read(spec('"id":1,"result":2,"error":null'))).toBe("result 1 2");
  expect(read(spec('"id":1,"result":null'))).toBe("result 1 null");
});

it("an error's data is kept, and left out where there is none", () => {
  const answer = parse(spec('"id":1,"error":{"code":1,"message":"m","data":null,"more":1}'));
  expect(answer).toEqual({ kind: "error", id: 1, error: { code: 1, message: "m", data: null } });
});

it("of a member written twice the last counts, for everyone", () => {
  expect(read(spec('"id":1,"id":2,"method":"a","method":"b"'))).toBe("request 2 b");
});

it("a request keeps its other members where the session finds them (C5)", () => {
  const message = parse(spec('"id":1,"method":"m","deadline":5'));
  expect(message.kind === "request" && message.raw["deadline"]).toBe(5);
});

it("`__proto__` and `constructor` are members like any other, and no object inherits from them", () => {
  const message = parse(spec('"id":1,"method":"m","params":{"__proto__":{"x":1},"constructor":{"y":2}}'));
  const params = (message as { params: Record<string, unknown> }).params;
  expect(Object.keys(params)).toEqual(["__proto__", "constructor"]);
  expect(params["x"]).toBe(undefined);
  expect(Object.getPrototypeOf(params)).toBe(Object.prototype);
  // A message inherits nothing from what it carries.
  expect(read('{"__proto__":{"jsonrpc":"2.0","id":1,"method":"m"}}')).toBe("invalid -32600 id null");
  expect(read(spec('"__proto__":{"method":"m","id":1}'))).toBe("invalid -32600 id null");
  expect(({} as Record<string, unknown>)["x"]).toBe(undefined);
});

it("lone surrogates and odd numbers in params are data", () => {
  const message = parse(spec('"method":"m","params":["\\ud800",1e400,1e-400,-0,9007199254740993]'));
  expect(message).toMatchObject({ params: ["\ud800", Infinity, 0, -0, 9007199254740992] });
});

it("a batch above the limit runs nothing", () => {
  const one = spec('"id":1,"method":"m"');
  const batchOf = (n: number): string => `[${Array.from({ length: n }, () => one).join(",")}]`;
  expect((parse(batchOf(DECODE_LIMITS.batch)) as Batch).messages.length).toBe(DECODE_LIMITS.batch);
  expect(read(batchOf(DECODE_LIMITS.batch + 1))).toBe("invalid -32600 id null");
  expect(ruleOf(batchOf(100_000))).toBe("limits.batch");
});

it("a batch in a batch is no message", () => {
  expect(read(`[[${spec('"method":"m"')}],${spec('"method":"m"')}]`)).toEqual([
    "invalid -32600 id null",
    "notification m",
  ]);
});

it("depth: refused above the limit, before a tree is built", () => {
  const nested = (depth: number): string =>
    spec(`"method":"m","params":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}`);
  expect(read(nested(DECODE_LIMITS.depth))).toBe("notification m");
  expect(ruleOf(nested(DECODE_LIMITS.depth + 1))).toBe("limits.depth");
  for (const depth of [200_000, 1_000_000]) {
    expect(ruleOf(nested(depth))).toBe("limits.depth");
    expect(ruleOf("[".repeat(depth))).toBe("limits.depth");
    expect(ruleOf('{"a":'.repeat(depth))).toBe("limits.depth");
  }
});

it("depth: a user who raises the limit still gets a message or an error, and no overflow", () => {
  const limits = { ...DECODE_LIMITS, depth: 1_000_000 };
  const text = spec(`"method":"m","params":${"[".repeat(200_000)}${"]".repeat(200_000)}`);
  expect(["notification", "invalid"]).toContain(parseMessage(text, jsonrpc, limits).kind);
});

// What each dialect says to the inputs they disagree on.
it.each([
  [jsonrpc, ["request null m", "request 1.5 m", "batch", "invalid"]],
  [lsp, ["invalid -32600 id null", "request 1.5 m", "invalid", "invalid"]],
  [acp, ["request null m", "request 1.5 m", "batch", "invalid"]],
  [mcp, ["invalid -32600 id null", "invalid -32600 id null", "invalid", "invalid"]],
  [codex, ["invalid -32600 id null", "request 1.5 m", "invalid", "request"]],
])("dialect $name", (dialect, [nullId, fractional, batch, unversioned]) => {
  expect(read(spec('"id":null,"method":"m"'), dialect)).toBe(nullId);
  expect(read(spec('"id":1.5,"method":"m"'), dialect)).toBe(fractional);
  expect(parse(`[${spec('"id":1,"method":"m"')}]`, dialect).kind).toBe(batch);
  expect(parse('{"id":1,"method":"m"}', dialect).kind).toBe(unversioned);
  expect(read(spec('"id":1,"method":"m"'), dialect)).toBe("request 1 m");
  expect(read(spec('"id":null,"error":{"code":1,"message":"m"}'), dialect)).toBe("error null 1 m");
});

it("a dialect that writes a version and does not demand one reads both", () => {
  const lenient: Dialect = { ...jsonrpc, version: "sent" };
  expect(read('{"id":1,"method":"m"}', lenient)).toBe("request 1 m");
  expect(read(spec('"id":1,"method":"m"'), lenient)).toBe("request 1 m");
});

it("an error's message holds nothing of the peer's data; its excerpt quotes it", () => {
  const secret = "hunter2";
  const members = [
    `"id":"${secret}","method":1`,
    `"id":{"${secret}":1},"method":"m"`,
    `"id":1,"method":"${secret.repeat(1000)}"`,
    `"id":1,"method":"m","params":"${secret}"`,
    `"id":1,"error":"${secret}"`,
    `"id":1,"${secret}":1`,
  ];
  const texts = [secret, `{"${secret}`, `"${secret}"`, `["${secret}"`, `["${secret}",${"[".repeat(1000)}`];
  for (const text of [...texts, ...members.map(spec)]) {
    const message = parse(text);
    expect(message.kind).toBe("invalid");
    const { error } = message as { error: DecodeError };
    expect(JSON.stringify([error.message, error.stack, Object.entries(error)])).not.toContain(secret);
  }
  expect((parse(`{"${secret}`) as { error: DecodeError }).error.excerpt()).toBe(`{"${secret}`);
});

// Totality.

const dialects = fc.constantFrom(jsonrpc, lsp, acp, mcp, codex);

function isId(id: unknown): boolean {
  return id === null || typeof id === "string" || (typeof id === "number" && Number.isFinite(id));
}

function inContract(message: Message | Batch): boolean {
  switch (message.kind) {
    case "batch":
      return message.messages.length > 0 && message.messages.every((one) => inContract(one));
    case "request":
      return isId(message.id) && typeof message.method === "string" && isParams(message.params);
    case "notification":
      return typeof message.method === "string" && isParams(message.params);
    case "result":
      return isId(message.id) && message.result !== undefined;
    case "error":
      return (
        isId(message.id) && Number.isInteger(message.error.code) && typeof message.error.message === "string"
      );
    default:
      return isId(message.id) && message.error instanceof DecodeError && !message.error.fatal;
  }
}
function isParams(params: unknown): boolean {
  return params === undefined || (typeof params === "object" && params !== null);
}

it("any text is a message, a batch or an invalid message", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), dialects, (text, dialect) => {
      expect(inContract(parse(text, dialect))).toBe(true);
    }),
  );
});

const member = fc.constantFrom("jsonrpc", "id", "method", "params", "result", "error", "__proto__", "x");
const value = fc.oneof(
  fc.constantFrom("2.0", 1, 1.5, null, "m", {}, [], { code: 1, message: "m" }, { code: "1" }, 2 ** 53, true),
  fc.jsonValue(),
);
const nearly = fc.array(fc.tuple(member, value), { maxLength: 6 }).map((members) => {
  const written = members.map(([name, of]) => `${JSON.stringify(name)}:${JSON.stringify(of)}`);
  return `{${written.join(",")}}`;
});

it("anything that is nearly a message is too", () => {
  fc.assert(
    fc.property(fc.array(nearly, { minLength: 1, maxLength: 3 }), dialects, (texts, dialect) => {
      for (const text of [...texts, `[${texts.join(",")}]`])
        expect(inContract(parse(text, dialect))).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

it("a valid message with any of its characters changed is too", () => {
  const valid = spec('"id":12,"method":"sum","params":{"a":[1,2,{"b":null}]}');
  const edit = fc.tuple(fc.nat(valid.length), fc.nat(3), fc.string({ maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), dialects, (edits, dialect) => {
      let text = valid;
      for (const [at, gone, put] of edits) text = text.slice(0, at) + put + text.slice(at + gone);
      expect(inContract(parse(text, dialect))).toBe(true);
    }),
    { numRuns: 1000 },
  );
});
