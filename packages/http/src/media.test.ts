import { expect, it } from "vitest";
import { accepts, isJson } from "./media.ts";

it.each([
  "application/json",
  "text/html, application/json",
  "Application/JSON;q=0.5",
  "application/*",
  "*/*;q=0.1",
])("Accept: %s takes JSON", (header) => {
  expect(accepts(header, "application/json")).toBe(true);
});

it.each([
  null,
  "",
  "text/event-stream",
  "application/jsonx",
  "xapplication/json",
  "application/json;q=0",
  "*/*; q=0.0",
  "text/*",
])("Accept: %s takes no JSON", (header) => {
  expect(accepts(header, "application/json")).toBe(false);
});

it.each([
  "application/json",
  "Application/Json",
  'application/json; charset="UTF-8"',
  "application/json;charset=utf-8;x=y",
])("Content-Type: %s is JSON in UTF-8", (header) => {
  expect(isJson(header)).toBe(true);
});

it.each([
  null,
  "",
  "text/plain",
  "application/json; charset=utf-16",
  "text/json",
  "application/json-seq",
  "application/x-www-form-urlencoded",
  "text/plain; application/json",
])("Content-Type: %s is not", (header) => {
  expect(isJson(header)).toBe(false);
});
