import { describe, expect, it } from "vitest";
import { type ClientCapabilities, MetaCapability } from "./index.ts";

const tabs = new MetaCapability("editor.test", "tabs");

describe("a vendor's capability", () => {
  it("is added beside its version, in a copy that keeps all else", () => {
    const before: ClientCapabilities = {
      terminal: true,
      _meta: { "other.test": 1, "editor.test": { panes: true } },
    };
    const after = tabs.addTo(before);
    expect(after).toEqual({
      terminal: true,
      _meta: { "other.test": 1, "editor.test": { panes: true, version: "1.0", tabs: true } },
    });
    expect(before).toEqual({ terminal: true, _meta: { "other.test": 1, "editor.test": { panes: true } } });
    expect(tabs.isIn(before)).toBe(false);
    expect(tabs.isIn(after)).toBe(true);
  });

  it("is added where there was nothing, or something else", () => {
    const expected = { _meta: { "editor.test": { version: "2.0", tabs: true } } };
    const newer = new MetaCapability("editor.test", "tabs", "2.0");
    expect(newer.addTo({})).toEqual(expected);
    expect(newer.addTo({ _meta: null })).toEqual(expected);
    expect(newer.addTo({ _meta: { "editor.test": "yes" } })).toEqual(expected);
  });

  it("is there with any value but false and null", () => {
    const having = (value: unknown): boolean => tabs.isIn({ _meta: { "editor.test": { tabs: value } } });
    expect([true, {}, "", 0].map(having)).toEqual([true, true, true, true]);
    expect([false, null, undefined].map(having)).toEqual([false, false, false]);
  });

  it("is not there where its place is taken by something else", () => {
    for (const at of [undefined, null, {}, { _meta: null }, { _meta: { "editor.test": null } }])
      expect(tabs.isIn(at)).toBe(false);
    expect(tabs.isIn({ _meta: { "editor.test": [true] } })).toBe(false);
    expect(new MetaCapability("constructor", "name").isIn({ _meta: {} })).toBe(false);
    expect(new MetaCapability("editor.test", "toString").isIn({ _meta: { "editor.test": {} } })).toBe(false);
  });

  it("is removed in a copy; where it was not, nothing is", () => {
    const before = { _meta: { "editor.test": { version: "1.0", tabs: true, panes: true }, "other.test": 1 } };
    const after = tabs.removeFrom(before);
    expect(after).toEqual({ _meta: { "editor.test": { version: "1.0", panes: true }, "other.test": 1 } });
    expect(tabs.isIn(before)).toBe(true);
    expect(tabs.removeFrom(after)).toBe(after);
    const none: ClientCapabilities = {};
    expect(tabs.removeFrom(none)).toBe(none);
  });
});
