import { createParser, type EventSourceMessage } from "eventsource-parser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeEvent, encodeRetry, KEEP_ALIVE } from "./sse.ts";

function parse(text: string): EventSourceMessage[] {
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => void events.push(event) });
  parser.feed(text);
  return events;
}

describe("an event", () => {
  it("has its id, its type and its data, and ends with an empty line", () => {
    expect(encodeEvent({ id: "a_1", type: "end", data: "{}" })).toBe("id: a_1\nevent: end\ndata: {}\n\n");
  });

  it("without data is an event whose data is empty", () => {
    expect(parse(encodeEvent({ id: "a_0", data: "" }))).toEqual([{ id: "a_0", event: undefined, data: "" }]);
  });

  it("is one event with one id, whatever its data holds", () => {
    const nasty = fc.constantFrom(
      "\n",
      "\r",
      "\r\n",
      "\n\n",
      "\u2028",
      "\u0000",
      "data: x",
      "id: 9",
      "event: end",
      ": ",
      " ",
    );
    const data = fc.array(fc.oneof(nasty, fc.string())).map((parts) => parts.join(""));
    fc.assert(
      fc.property(data, (text) => {
        const [event, ...more] = parse(encodeEvent({ id: "s_1", data: text }));
        expect(more).toEqual([]);
        expect(event).toEqual({ id: "s_1", event: undefined, data: text.replace(/\r\n|\r/g, "\n") });
      }),
    );
  });

  it("refuses an id or a type that would end its line", () => {
    for (const bad of ["a\nb", "a\rb", "a\0b"]) {
      expect(() => encodeEvent({ id: bad, data: "" })).toThrow(TypeError);
      expect(() => encodeEvent({ type: bad, data: "" })).toThrow(TypeError);
    }
  });
});

it("what is no event is none to a reader", () => {
  const retries: number[] = [];
  const parser = createParser({
    onEvent: () => expect.unreachable("a comment or a retry came as an event"),
    onRetry: (ms) => void retries.push(ms),
  });
  parser.feed(KEEP_ALIVE + encodeRetry(12.5) + KEEP_ALIVE);
  expect(retries).toEqual([13]);
});
