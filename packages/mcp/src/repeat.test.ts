import { HttpError, type HttpErrorKind } from "@sluice/exec";
import { expect, it } from "vitest";
import { McpError } from "./mcp-error.ts";
import { isRepeatable, isTransient, repeated } from "./repeat.ts";
import { TestClock } from "./stage.testing.ts";

const failed = (kind: HttpErrorKind): McpError =>
  new McpError("failed", "no", { cause: new HttpError(kind, "no") });
const status = (code: number): McpError => new McpError("status", "no", { status: code });

it("what opens a session and tools/list may be repeated, nothing else", () => {
  const methods = ["initialize", "server/discover", "notifications/initialized", "tools/list"];
  for (const method of methods) expect(isRepeatable({ method })).toBe(true);
  for (const method of ["tools/call", "ping", "resources/list", "notifications/cancelled"])
    expect(isRepeatable({ method })).toBe(false);
  expect(isRepeatable({ id: 1, result: {} })).toBe(false);
});

it("what passes is a busy server, and a way to it or back that was cut", () => {
  for (const code of [408, 429, 500, 502, 503, 504]) expect(isTransient(status(code))).toBe(true);
  for (const code of [400, 401, 403, 404, 409, 501, 505]) expect(isTransient(status(code))).toBe(false);
  for (const kind of ["upstream", "timeout", "disconnected"] as const)
    expect(isTransient(failed(kind))).toBe(true);
  for (const kind of ["invalid", "refused", "overflow", "protocol", "cancelled"] as const)
    expect(isTransient(failed(kind))).toBe(false);
  expect(isTransient(new McpError("lost", "no"))).toBe(true);
  for (const kind of [
    "expired",
    "unauthorized",
    "scope",
    "content",
    "overflow",
    "redirect",
    "closed",
  ] as const)
    expect(isTransient(new McpError(kind, "no"))).toBe(false);
  expect(isTransient(new Error("the user's token failed"))).toBe(false);
});

it("it is tried once more after each wait, and what the last try fails with is told", async () => {
  const clock = new TestClock();
  const { signal } = new AbortController();
  let tries = 0;
  const once = async (): Promise<number> => {
    if (++tries < 3) throw status(503);
    return tries;
  };
  expect(await repeated(once, [250, 1000], clock, signal)).toBe(3);
  expect(clock.pauses).toEqual([250, 1000]);
  tries = -1;
  await expect(repeated(once, [250, 1000], clock, signal)).rejects.toMatchObject({ status: 503 });
  expect(tries).toBe(2);
});

it("it is not tried again after its signal has aborted", async () => {
  const abort = new AbortController();
  let tries = 0;
  const once = async (): Promise<never> => {
    tries++;
    throw status(503);
  };
  const clock = new TestClock();
  const pause = async (ms: number): Promise<void> => {
    await clock.pause(ms);
    abort.abort(new Error("enough"));
  };
  await expect(repeated(once, [1, 1], { now: () => 0, pause }, abort.signal)).rejects.toThrow("enough");
  expect(tries).toBe(1);
});
