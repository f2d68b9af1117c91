// A tap: what an observer sees is enough to tell the whole conversation again.
import { expect, it } from "vitest";
import type { ControlFrame, Message } from "@sluice/codec";
import { collect, failure, pair, text } from "./features.testing.ts";
import type { Observer, SessionOptions } from "./index.ts";

type Seen = readonly [kind: string, direction: string, ...rest: unknown[]];

class Tap {
  readonly seen: Seen[] = [];
  readonly options: SessionOptions;
  readonly observer: Observer = {
    frame: (direction, frame) => void this.seen.push(["frame", direction, frame]),
    call: (direction, event, id, method) => void this.seen.push(["call", direction, event, id, method]),
    stream: (event, half) => void this.seen.push(["stream", half.kind, event, half.id]),
    credit: (direction, id, offset) => void this.seen.push(["credit", direction, id, offset]),
  };

  constructor(options: SessionOptions = {}) {
    this.options = { ...options, observer: this.observer };
  }

  of(kind: string): unknown[] {
    return this.seen.filter(([what]) => what === kind).map(([, ...rest]) => rest);
  }

  /** What was said one way, as JSON-RPC and stream frames. */
  said(direction: "in" | "out"): string[] {
    return this.seen
      .filter(([kind, way]) => kind === "frame" && way === direction)
      .map(([, , frame]) => describe(frame as Message | ControlFrame | string));
  }
}

function describe(frame: Message | ControlFrame | string): string {
  if (typeof frame === "string") {
    const { id, method, error } = JSON.parse(frame) as { id?: number; method?: string; error?: unknown };
    return method === undefined
      ? `${error === undefined ? "result" : "error"} ${id}`
      : `${method} ${id ?? ""}`.trim();
  }
  if ("kind" in frame) {
    if (frame.kind === "request") return `${frame.method} ${frame.id}`;
    if (frame.kind === "notification") return frame.method;
    return `${frame.kind} ${frame.id}`;
  }
  return "id" in frame ? `${frame.type} of ${frame.id}` : frame.type;
}

it.each(["frames", "json"] as const)(
  "both ends' taps tell the same conversation, in %s",
  async (encoding) => {
    const [here, there] = [
      new Tap(),
      new Tap({
        handlers: {
          upper: ({ body }: { body: ReadableStream<Uint8Array<ArrayBuffer>> }) => ({
            text: (async function* upper() {
              yield (await new Response(body).text()).toUpperCase();
            })(),
          }),
          hang: () => new Promise(() => {}),
        },
      }),
    ];
    const { a, b } = await pair(here.options, there.options, { encoding });
    const { text: back } = await a.call<{ text: AsyncIterable<string> }>("upper", {
      body: new Blob(["quiet"]).stream(),
    });
    expect(await collect(back)).toEqual(["QUIET"]);
    await a.notify("heard", { it: true });
    const hung = a.request("hang");
    await failure(a.call("none"));
    hung.cancel();
    await failure(a.call("none"));
    await a.close("enough");
    await b.closed;

    // Each frame that one end let out the other took in, in the same order.
    expect(there.said("in")).toEqual(here.said("out"));
    expect(here.said("in").filter((said) => said !== "drain")).toEqual(
      there.said("out").filter((said) => said !== "drain"),
    );
    for (const said of ["$/hello 1", "upper 2", "heard", "hang 3", "none 4", "$/cancelRequest"])
      expect(here.said("out")).toContain(said);
    expect(here.said("out").some((said) => said.startsWith("data of 1"))).toBe(true);
    expect(there.said("out").some((said) => said.startsWith("data of 2"))).toBe(true);

    // Calls, as each side saw them begin and end.
    expect(here.of("call").filter(([, , id]: any) => id === 2)).toEqual([
      ["out", "start", 2, "upper"],
      ["out", "end", 2, "upper"],
    ]);
    expect(there.of("call").filter(([, , id]: any) => id === 3)).toEqual([
      ["in", "start", 3, "hang"],
      ["in", "cancel", 3, "hang"],
    ]);
    // Streams, opened and over on both ends.
    const streams = (tap: Tap, id: number): unknown[] =>
      tap.of("stream").filter(([, , of]: any) => of === id);
    expect(streams(here, 1)).toEqual([
      ["send", "open", 1],
      ["send", "over", 1],
    ]);
    expect(streams(there, 1)).toEqual([
      ["receive", "open", 1],
      ["receive", "over", 1],
    ]);
    expect(streams(here, 2)).toEqual([
      ["receive", "open", 2],
      ["receive", "over", 2],
    ]);
  },
);

it("credit is seen by both ends as it moves", async () => {
  const [here, there] = [
    new Tap(),
    new Tap({
      handlers: { read: async ({ body }) => (await collect(body)).length },
      limits: { window: 4096 },
    }),
  ];
  const { a } = await pair(here.options, there.options);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let i = 0; i < 10; i++) controller.enqueue(text("x".repeat(1000)));
      controller.close();
    },
  });
  await a.call("read", { body });
  const granted = there.of("credit").map(([direction, id, offset]: any) => [direction, id, offset]);
  expect(granted.length).toBeGreaterThan(0);
  expect(
    here
      .of("credit")
      .filter(([direction]: any) => direction === "in")
      .map(([, ...rest]: any) => rest),
  ).toEqual(
    granted
      .filter(([direction]) => direction === "out")
      .map(([, ...rest]) => rest)
      .slice(0, here.of("credit").length),
  );
  await a.close();
});
