// The programs the model explores: short ones in the tests, longer ones by `npm run sim -- --model`.
import type { Program, Stream } from "./rules.ts";

const sent: Stream = { in: "request", writer: "A" };
const asked: Stream = { in: "request", writer: "B" };
const given: Stream = { in: "answer", writer: "B" };
const taken: Stream = { in: "answer", writer: "A" };

/** By who mentions and who writes: a request's by its caller, by its handler; an answer's by the handler, by the caller. */
export const STREAMS: { readonly [K in "sent" | "asked" | "given" | "taken"]: Stream } = {
  sent,
  asked,
  given,
  taken,
};

const cancel = true;

export const SHORT: Readonly<Record<string, Program>> = {
  "a stream in the request that the caller writes": { streams: [sent], cancel, window: 2, writes: 2 },
  "a stream in the request that the handler writes": { streams: [asked], cancel, window: 2, writes: 2 },
  "a stream in the answer that the handler writes": { streams: [given], cancel, window: 2, writes: 2 },
  "a stream in the answer that the caller writes": { streams: [taken], cancel, window: 2, writes: 2 },
};

export const LONG: Readonly<Record<string, Program>> = {
  "the caller writes, window 2, 6 writes": { streams: [sent], cancel, window: 2, writes: 6 },
  "the handler writes, window 2, 6 writes": { streams: [asked], cancel, window: 2, writes: 6 },
  "the handler writes its result, window 4, 8 writes": { streams: [given], cancel, window: 4, writes: 8 },
  "the caller writes, its window grows": { streams: [sent], cancel, window: 2, writes: 8, growth: true },
  "both write in the request": { streams: [sent, asked], cancel, window: 1, writes: 1 },
  "the caller writes in the request, the handler in the answer": {
    streams: [sent, given],
    cancel,
    window: 1,
    writes: 1,
  },
  "the handler writes in the request, the caller in the answer": {
    streams: [asked, taken],
    cancel,
    window: 1,
    writes: 1,
  },
};
