import { describe, expect, it } from "vitest";
import { lenient, lenientList, object, optional, tagged } from "./check-object.ts";
import * as check from "./check.ts";
import { type Check, Fault, INVALID } from "./check.ts";

/** What a check gives: the value, or where and why not. */
function run(what: Check, value: unknown): unknown {
  const fault = new Fault();
  const read = what(value, fault);
  return read === INVALID ? [fault.path.join("."), fault.message] : read;
}

const twice: Check = (value, fault) =>
  value === "old" ? "new" : typeof value === "string" ? value : fault.is("must be a string");

describe("single values", () => {
  it.each([
    [check.any, undefined, undefined],
    [check.boolean, false, false],
    [check.boolean, 0, ["", "must be true or false"]],
    [check.nothing, null, null],
    [check.nothing, undefined, ["", "must be null"]],
    [check.string, "", ""],
    [check.string, null, ["", "must be a string"]],
    [check.stringFrom(2), "ab", "ab"],
    [check.stringFrom(2), "a", ["", "must be a string of 2 characters at least"]],
    [check.number(), 0.5, 0.5],
    [check.number(), NaN, ["", "must be a number"]],
    [check.number(), "1", ["", "must be a number"]],
    [check.number(0, 1), 1.5, ["", "must be a number from 0 to 1"]],
    [check.integer(), 2 ** 60, 2 ** 60],
    [check.integer(), 0.5, ["", "must be an integer"]],
    [check.integer(), Infinity, ["", "must be an integer"]],
    [check.integer(0), -1, ["", "must be an integer from 0"]],
    [check.integer(0, 9), 10, ["", "must be an integer from 0 to 9"]],
    [check.nullable(check.string), null, null],
    [check.nullable(check.string), 5, ["", "must be a string"]],
    [check.emptyIfNull(check.list(check.string), () => []), null, []],
    [check.emptyIfNull(check.list(check.string), () => []), 5, ["", "must be a list"]],
    [check.emptyIfAbsent(object({})), undefined, {}],
    [check.emptyIfAbsent(object({})), 5, ["", "must be an object"]],
  ])("%# is as it should be", (what, value, expected) => {
    expect(run(what, value)).toEqual(expected);
  });
});

describe("lists", () => {
  it("are given back as they came, and copied where an item is not", () => {
    const fine = ["a", "b"];
    expect(run(check.list(twice), fine)).toBe(fine);
    const old = ["a", "old"];
    expect(run(check.list(twice), old)).toEqual(["a", "new"]);
    expect(old).toEqual(["a", "old"]);
  });

  it("name the item that is wrong", () => {
    expect(run(check.list(check.string), ["a", 5])).toEqual(["1", "must be a string"]);
    expect(run(check.list(check.list(check.string)), [[], ["a", 5]])).toEqual(["1.1", "must be a string"]);
    expect(run(check.list(check.string, 1), [])).toEqual(["", "must be a list of 1 at least"]);
    expect(run(check.list(check.string), { length: 1, 0: "a" })).toEqual(["", "must be a list"]);
  });

  it("of valid items leave out the others", () => {
    const fine = ["a", "b"];
    expect(run(check.listOfValid(twice), fine)).toBe(fine);
    expect(run(check.listOfValid(twice), ["a", 5, "old", null])).toEqual(["a", "new"]);
    expect(run(check.listOfValid(twice), "a")).toEqual(["", "must be a list"]);
    expect(run(check.listOfValid(twice, 1), [5])).toEqual(["", "must be a list of 1 at least"]);
  });
});

describe("records", () => {
  it("are given back as they came, and copied where a value is not", () => {
    const fine = { a: "x", constructor: "y" };
    expect(run(check.record(twice), fine)).toBe(fine);
    const old = JSON.parse('{"a":"x","__proto__":"old"}') as object;
    const copy = run(check.record(twice), old) as object;
    expect(JSON.stringify(copy)).toBe('{"a":"x","__proto__":"new"}');
    expect(JSON.stringify(old)).toBe('{"a":"x","__proto__":"old"}');
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });

  it("do not tell the names of their entries", () => {
    expect(run(check.record(check.string), { secret: 5 })).toEqual([
      "",
      "has an entry that must be a string",
    ]);
    const deep = object({ all: check.record(object({ list: check.list(check.string) })) });
    expect(run(deep, { all: { secret: { list: ["a", 5] } } })).toEqual([
      "all",
      "has an entry whose list.1 must be a string",
    ]);
    expect(run(check.record(check.string), [])).toEqual(["", "must be an object"]);
  });
});

describe("objects", () => {
  const person = object({
    name: twice,
    age: optional(check.integer()),
    note: lenient(twice),
    tags: lenientList(check.list(twice)),
  });

  it("are given back as they came, with members that are not known", () => {
    const fine = { name: "a", age: 5, note: "n", tags: [], more: 1 };
    expect(run(person, fine)).toBe(fine);
    const least = { name: "a", age: undefined, tags: [] };
    expect(run(person, least)).toBe(least);
  });

  it("name the member that is wrong or missing", () => {
    expect(run(person, { tags: [] })).toEqual(["name", "is missing"]);
    expect(run(person, { name: 5, tags: [] })).toEqual(["name", "must be a string"]);
    expect(run(person, { name: "a", age: null, tags: [] })).toEqual(["age", "must be an integer"]);
    expect(run(person, { name: "a" })).toEqual(["tags", "is missing"]);
    for (const value of [null, [], "x", 5, undefined])
      expect(run(person, value)).toEqual(["", "must be an object"]);
  });

  it("are copied without what the schema overlooks, and with what a check has changed", () => {
    const value = { name: "old", note: 5, tags: 7, more: 1 };
    expect(run(person, value)).toStrictEqual({ name: "new", tags: [], more: 1 });
    expect(value).toEqual({ name: "old", note: 5, tags: 7, more: 1 });
  });

  it("that are malformed in what is overlooked first are still refused for the rest", () => {
    const late = object({ note: lenient(object({ x: check.string })), name: check.string });
    expect(run(late, { note: { x: 5 }, name: 7 })).toEqual(["name", "must be a string"]);
  });
});

describe("several forms", () => {
  const shape = tagged("type", {
    circle: object({ r: check.number() }),
    square: object({ a: check.number() }),
  });

  it("are told apart by their tag; one that is not listed is kept as it is", () => {
    const circle = { type: "circle", r: 1 };
    expect(run(shape, circle)).toBe(circle);
    const other = { type: "constructor", r: "x" };
    expect(run(shape, other)).toBe(other);
    expect(run(shape, { type: "circle", a: 1 })).toEqual(["r", "is missing"]);
    expect(run(shape, { a: 1 })).toEqual(["type", "is missing"]);
    expect(run(shape, { type: null, a: 1 })).toEqual(["type", "must be a string"]);
    expect(run(shape, [])).toEqual(["", "must be an object"]);
  });

  it("may have a form without a tag, and rules for those not listed", () => {
    const open = tagged(
      "type",
      {},
      { untagged: object({ x: check.string }), other: object({ y: check.string }) },
    );
    expect(run(open, { x: 5 })).toEqual(["x", "must be a string"]);
    expect(run(open, { type: 5, x: 5 })).toEqual(["x", "must be a string"]);
    expect(run(open, { type: "z", y: 5 })).toEqual(["y", "must be a string"]);
  });

  it("without any tag, the first that fits is taken", () => {
    const either = check.union("A or B", [object({ a: twice }), object({ b: twice })]);
    expect(run(either, { a: 5, b: "old" })).toEqual({ a: 5, b: "new" });
    expect(run(either, { a: 5 })).toEqual(["", "must be A or B"]);
    expect(run(object({ x: either }), { x: 5 })).toEqual(["x", "must be A or B"]);
  });

  it("that exclude each other must not fit both", () => {
    const one = check.union("A or B", [object({ a: check.string }), object({ b: check.string })], true);
    const fine = { a: "x", b: 5 };
    expect(run(one, fine)).toBe(fine);
    expect(run(one, { a: "x", b: "y" })).toEqual(["", "must be one alone of A or B"]);
    expect(run(one, {})).toEqual(["", "must be one alone of A or B"]);
  });

  it("may all be asked for: each sees what the one before it gave", () => {
    const both = check.all(object({ a: twice }), object({ b: lenient(twice) }));
    expect(run(both, { a: "old", b: 5 })).toEqual({ a: "new" });
    expect(run(both, { a: 5 })).toEqual(["a", "must be a string"]);
  });
});
