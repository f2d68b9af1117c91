import { describe, expect, it } from "vitest";
import { dialFailed, labelOf, wsUrl } from "./dial-options.ts";

describe("a URL to dial", () => {
  it.each([
    ["ws://host/", "ws://host/"],
    ["wss://host:1/a?b=c", "wss://host:1/a?b=c"],
    ["http://host/a", "ws://host/a"],
    ["https://host/a", "wss://host/a"],
    ["ws://host/a#part", "ws://host/a"],
  ])("may be %s", (given, url) => {
    expect([wsUrl(given).href, wsUrl(new URL(given)).href]).toEqual([url, url]);
  });

  it("of another kind is refused, and the caller's is left as it is", () => {
    expect(() => wsUrl("ftp://host/")).toThrow(
      new TypeError("a WebSocket's URL begins with ws: or wss:, not ftp:"),
    );
    expect(() => wsUrl("somewhere")).toThrow(TypeError);
    const given = new URL("http://host/#part");
    wsUrl(given);
    expect(given.href).toBe("http://host/#part");
  });

  it("is named in errors without what may be secret in it", () => {
    const url = wsUrl("ws://user:secret@host:8/path?token=secret");
    expect(labelOf(url)).toBe("ws://host:8/path");
    expect(dialFailed(url, "nobody there").message).toBe("cannot connect to ws://host:8/path: nobody there");
  });
});
