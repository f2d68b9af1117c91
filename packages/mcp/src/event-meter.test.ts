import { describe, expect, it } from "vitest";
import { EventMeter } from "./event-meter.ts";
import { readEvents } from "./read-events.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** How many bytes of these chunks are taken. */
function taken(most: number, ...chunks: string[]): number {
  const meter = new EventMeter(most);
  return chunks.reduce((sum, chunk) => sum + meter.take(encode(chunk)), 0);
}

/** Whether all of it is taken, in one chunk and in every two, and byte by byte. */
function fits(most: number, text: string): boolean {
  const places = Array.from({ length: text.length }, (_, i) => i);
  const splits = [[text], text.split(""), ...places.map((i) => [text.slice(0, i), text.slice(i)])];
  const all = splits.map((chunks) => taken(most, ...chunks) === encode(text).length);
  expect(new Set(all).size).toBe(1);
  return all[0]!;
}

describe("an event", () => {
  it.each([
    ["LF", "\n"],
    ["CR", "\r"],
    ["CRLF", "\r\n"],
  ])("has the size of its lines, wherever its chunks end, with %s", (_, end) => {
    const text = `data: 123${end}${end}`;
    expect(fits(9, text.repeat(3))).toBe(true);
    expect(fits(8, text)).toBe(false);
  });

  it("is taken at the limit exactly, and the byte behind it is not", () => {
    expect(taken(10, "data: 1234\n\n")).toBe(12);
    expect(taken(10, "data: 12345\n\n")).toBe(10);
  });

  it("of several lines counts one byte for each line end between them", () => {
    expect(fits(15, "data: 1\r\ndata: 2\r\n\r\n")).toBe(true);
    expect(fits(14, "data: 1\r\ndata: 2\r\n\r\n")).toBe(false);
  });

  it("counts bytes, and not characters", () => {
    expect(taken(10, "data: ä€\n\n")).toBe(10);
    expect(taken(11, "data: ä€\n\n")).toBe(13);
  });

  it("counts no comment that is complete", () => {
    expect(fits(9, ": 123456\n: 123456\n: 123456\n\n")).toBe(true);
    expect(fits(9, ": 123456\ndata: 123\n: 1\n\n")).toBe(false);
    expect(fits(12, ": 123456\ndata: 123\n: 1\n\n")).toBe(false);
    expect(fits(13, ": 123456\ndata: 123\n: 1\n\n")).toBe(true);
  });

  it("does not begin anew behind a comment", () => {
    expect(fits(15, "data: 1\n: 1\ndata: 2\n\n")).toBe(true);
    expect(fits(14, "data: 1\n: 1\ndata: 2\n\n")).toBe(false);
  });

  it("counts a comment that does not end", () => {
    expect(taken(10, ": 12345", "67890")).toBe(10);
  });

  it("counts fields that are no data, and lines without a colon", () => {
    expect(fits(10, "id: 123\nxx\n\n")).toBe(true);
    expect(fits(9, "id: 123\nxx\n\n")).toBe(false);
  });

  it("may have any size where there is no limit", () => {
    expect(taken(Infinity, "data: ".padEnd(100_000, "x"))).toBe(100_000);
  });

  it("that is too large is the last: nothing is taken any more", () => {
    const meter = new EventMeter(4);
    expect([meter.take(encode("data: 1\n\n")), meter.state]).toEqual([4, "beyond"]);
    expect([meter.take(encode("a\n\n")), meter.take(encode("\n")), meter.state]).toEqual([0, 0, "beyond"]);
  });
});

describe("the events of a body", () => {
  async function read(most: number, ...chunks: string[]): Promise<readonly string[]> {
    const events: string[] = [];
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(encode(chunk));
        controller.close();
      },
    });
    const hints = { onId: () => {}, onRetry: () => {} };
    try {
      for await (const { data } of readEvents(body, most, new AbortController().signal, hints))
        events.push(data);
    } catch (error) {
      events.push((error as { kind: string }).kind);
    }
    return events;
  }

  it("come before the one that is too large, though it is in the same chunk", async () => {
    expect(await read(7, "data: 1\n\ndata: 2\n\ndata: 34\n\ndata: 5\n\n")).toEqual(["1", "2", "overflow"]);
  });

  it("come as they are, and one that is cut off is none", async () => {
    expect(await read(9, "data: €", "x\r", "\n\r\nda", "ta: 2\r\rdata: 3")).toEqual(["overflow"]);
    expect(await read(10, "data: €", "x\r", "\n\r\nda", "ta: 2\n\ndata: 3")).toEqual(["€x", "2"]);
  });
});
