import type { Transport, TransportError } from "@sluice/transport";

/** A transport that was started: what it has said so far, and what it says in the end. */
export interface Watched {
  readonly transport: Transport;
  /** Bytes of all messages so far. */
  readonly received: number;
  /** All messages so far, as one text. */
  readonly text: string;
  /** Resolves when `text` is this. */
  said(text: string): Promise<void>;
  /** The first time it says that there is room again. */
  readonly drained: Promise<void>;
  readonly ended: Promise<void>;
  readonly closed: Promise<TransportError | undefined>;
}

export function watch(transport: Transport): Watched {
  const decoder = new TextDecoder();
  let waiting: { text: string; resolve: () => void }[] = [];
  const [drained, drain] = promise<void>();
  const [ended, end] = promise<void>();
  const [closed, close] = promise<TransportError | undefined>();
  const seen = { text: "", received: 0 };
  transport.start({
    onData(chunk) {
      seen.received += chunk.length;
      if (seen.received < 100_000)
        seen.text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
      waiting = waiting.filter(({ text, resolve }) => (seen.text === text ? resolve() : true));
    },
    onDrain: drain,
    onEnd: end,
    onClose: close,
  });
  return {
    transport,
    get received() {
      return seen.received;
    },
    get text() {
      return seen.text;
    },
    said: (text) =>
      new Promise((resolve) => (seen.text === text ? resolve() : waiting.push({ text, resolve }))),
    drained,
    ended,
    closed,
  };
}

function promise<T>(): [Promise<T>, (value: T) => void] {
  let settle!: (value: T) => void;
  return [new Promise<T>((resolve) => (settle = resolve)), settle];
}

export const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
