import type { Transport, TransportError } from "@sluice/transport";

/** A transport that was started: what it has said so far, and what it says in the end. */
export interface Watched {
  readonly transport: Transport;
  /** All bytes so far, as text. */
  text: string;
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
  let drain: () => void = () => {};
  let end: () => void = () => {};
  let close: (error?: TransportError) => void = () => {};
  const watched: Watched = {
    transport,
    text: "",
    said: (text) =>
      new Promise((resolve) => (watched.text === text ? resolve() : waiting.push({ text, resolve }))),
    drained: new Promise((resolve) => (drain = resolve)),
    ended: new Promise((resolve) => (end = resolve)),
    closed: new Promise((resolve) => (close = resolve)),
  };
  transport.start({
    onData(chunk) {
      watched.text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
      waiting = waiting.filter(({ text, resolve }) => (watched.text === text ? resolve() : true));
    },
    onDrain: () => drain(),
    onEnd: () => end(),
    onClose: (error) => close(error),
  });
  return watched;
}

export const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
