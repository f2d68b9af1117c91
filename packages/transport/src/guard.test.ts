import { expect, it } from "vitest";
import { guard, isLoopback, type GuardOptions } from "./guard.ts";

const status = (
  request: { host?: string | string[]; origin?: string | null; bound?: string },
  options?: GuardOptions,
): number | undefined =>
  guard({ host: request.host, origin: request.origin, bound: request.bound }, options)?.status;

const bound = "127.0.0.1";

it.each([
  "localhost",
  "localhost:8080",
  "127.0.0.1:1",
  "127.8.0.1",
  "[::1]:99",
  "LOCALHOST",
  "app.localhost:3000",
])("a loopback server answers to %s", (host) => expect(status({ host, bound })).toBeUndefined());

it.each([
  "evil.example",
  "evil.example:8080",
  "127.0.0.1.evil.example",
  "localhost.evil.example",
  "192.168.0.1",
  "0.0.0.0",
])("a loopback server turns %s away, whatever address the name stands for", (host) =>
  expect(status({ host, bound })).toBe(403),
);

it.each([
  ["none", undefined],
  ["two", ["localhost", "evil.example"]],
  ["an empty one", ""],
  ["a path", "localhost/x"],
  ["a user", "a@localhost"],
  ["a port that is none", "localhost:x"],
  ["a space", "local host"],
])("a request with %s for a Host is malformed", (_, host) =>
  expect(status({ ...(host !== undefined && { host }), bound })).toBe(400),
);

it("where the address is not known only loopback names are served, until hosts lists others", () => {
  expect(status({ host: "app.example" })).toBe(403);
  expect(status({ host: "localhost" })).toBeUndefined();
  expect(status({ host: "App.Example:443" }, { hosts: ["app.example"] })).toBeUndefined();
  expect(status({ host: "localhost" }, { hosts: ["app.example"] })).toBe(403);
  expect(status({ host: "app.example" }, { hosts: "any" })).toBeUndefined();
});

it("a server on another address answers to any name", () => {
  expect(status({ host: "app.example", bound: "0.0.0.0" })).toBeUndefined();
  expect(status({ host: "10.0.0.1:80", bound: "::" })).toBeUndefined();
});

it("pages of the server's own origin may speak to it, others may not", () => {
  const host = "localhost:8080";
  expect(status({ host, bound, origin: "http://localhost:8080" })).toBeUndefined();
  expect(status({ host: "localhost", bound, origin: "http://localhost:80" })).toBeUndefined();
  for (const origin of [
    "https://evil.example",
    "http://localhost:8081",
    "null",
    "",
    "not a url",
    "file:///x",
  ])
    expect(status({ host, bound, origin })).toBe(403);
});

it("origins lists whose pages may speak to it", () => {
  const options: GuardOptions = { origins: ["https://app.example"] };
  const host = "localhost:8080";
  expect(status({ host, bound, origin: "https://app.example" }, options)).toBeUndefined();
  expect(status({ host, bound, origin: "https://app.example.evil" }, options)).toBe(403);
  expect(status({ host, bound, origin: "http://localhost:8080" }, options)).toBe(403);
  expect(status({ host, bound, origin: "https://evil.example" }, { origins: "any" })).toBeUndefined();
});

it("a program that is no browser sends no Origin and passes", () => {
  expect(status({ host: "localhost", bound, origin: null })).toBeUndefined();
});

it("a refusal quotes nothing of the request", () => {
  const refusal = guard({ host: "evil.example", origin: "https://evil.example", bound }, {});
  expect(refusal?.message).not.toContain("evil");
});

it("knows loopback addresses", () => {
  for (const address of ["127.0.0.1", "127.255.1.2", "::1", "[::1]", "::ffff:127.0.0.1", "localhost"])
    expect(isLoopback(address)).toBe(true);
  for (const address of ["0.0.0.0", "::", "128.0.0.1", "127.0.0.1.x", "10.0.0.1", ""])
    expect(isLoopback(address)).toBe(false);
});
