import { describe, expect, it } from "vitest";
import { judge, type Closing } from "./verdict.ts";

const closing = (given: Partial<Closing>): Closing => ({
  code: 1000,
  reason: "",
  cause: undefined,
  sent: 0,
  sending: "open",
  receiving: "open",
  label: "the far end",
  ...given,
});
const verdict = (given: Partial<Closing>): string | undefined => judge(closing(given))?.message;

describe("W3: a Close that is received", () => {
  it.each([
    ["1000", { code: 1000 }],
    ["no code at all", { code: 1005 }],
    ["1001 after an empty message", { code: 1001, receiving: "ended" }],
    ["1001 after an empty message, from a standard WebSocket", { code: 4001, receiving: "ended" }],
    ["any code once both directions have ended", { code: 1011, sending: "ended", receiving: "ended" }],
    ["a loss once both directions have ended", { code: 1006, sending: "ended", receiving: "ended" }],
    ["our own code, sent back", { code: 1008, sent: 1008, sending: "ended" }],
    ["a loss after our Close", { code: 1006, sent: 1000, sending: "ended" }],
  ] satisfies [string, Partial<Closing>][])("is an orderly end with %s", (_, given) => {
    expect(judge(closing(given))).toBeUndefined();
  });

  it.each([
    [1001, "the far end closed with 1001 (going away)"],
    [1002, "the far end closed with 1002 (protocol error)"],
    [1003, "the far end closed with 1003 (unsupported data)"],
    [1008, "the far end closed with 1008 (policy violation)"],
    [1009, "the far end closed with 1009 (message too big)"],
    [1011, "the far end closed with 1011 (internal error)"],
    [1012, "the far end closed with 1012 (service restart)"],
    [3000, "the far end closed with 3000"],
    [4000, "the far end closed with 4000"],
    [4002, "the far end closed with 1002 (protocol error)"],
  ])("is a failure that names its code with %i", (code, message) => {
    const error = judge(closing({ code }));
    expect([error?.code, error?.message]).toEqual(["closed", message]);
  });

  it("is a failure where only we had ended, or only the far end", () => {
    expect(verdict({ code: 1001, sending: "ended" })).toContain("1001");
    expect(verdict({ code: 1011, receiving: "ended" })).toContain("1011");
    expect(verdict({ code: 1006, receiving: "ended" })).toContain("was lost");
  });

  it("is quoted with its reason, without control characters", () => {
    expect(verdict({ code: 4999, reason: "out of\r\npaper\x1b" })).toBe(
      "the far end closed with 4999: out of  paper",
    );
  });
});

describe("W3: a connection that is dropped", () => {
  it.each([1006, 4006])("is a failure of reading, with its cause (%i)", (code) => {
    const cause = new Error("ECONNRESET");
    const error = judge(closing({ code, cause }));
    expect([error?.code, error?.message, error?.cause]).toEqual([
      "read",
      "the connection to the far end was lost",
      cause,
    ]);
    expect(judge(closing({ code }))).not.toHaveProperty("cause");
  });

  it("because a rule of WebSocket was broken is a failure of the far end, where the runtime says so", () => {
    const code = "WS_ERR_EXPECTED_MASK";
    const node = Object.assign(new RangeError("Invalid WebSocket frame: MASK must be set"), { code });
    const bun = Object.assign(
      new Error("WebSocket connection to 'ws://h/?t=secret' failed: unexpected mask"),
      {
        code,
      },
    );
    for (const [cause, rule] of [
      [node, "Invalid WebSocket frame: MASK must be set"],
      [bun, "unexpected mask"],
    ] as const) {
      const error = judge(closing({ code: 1006, cause }));
      expect([error?.code, error?.message, error?.cause]).toEqual([
        "protocol",
        `the far end broke a rule of WebSocket: ${rule}`,
        cause,
      ]);
    }
  });

  it("is a failure, too, where we had closed for another reason than that all is done", () => {
    expect(verdict({ code: 1006, sent: 1002, sending: "ended" })).toContain("was lost");
  });
});
