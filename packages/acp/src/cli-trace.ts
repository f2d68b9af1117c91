import { closeSync, openSync, writeSync } from "node:fs";
import type { Trace } from "./trace.ts";

/** A trace that is written to a file as it happens, so that nothing of it is lost where the process is killed. */
export interface TraceFile extends Disposable {
  readonly trace: Trace;
}

/** Writes over what is at `path`. Where it cannot be written to any more, `failed` is told and the rest is left out. @throws Error where it cannot be opened. */
export function traceFile(path: string, failed: (error: unknown) => void): TraceFile {
  const file = openSync(path, "w");
  let state: "open" | "closed" = "open";
  const close = (): void => {
    if (state === "closed") return;
    state = "closed";
    closeSync(file);
  };
  const trace: Trace = (event) => {
    if (state === "closed") return;
    try {
      writeSync(file, `${JSON.stringify(event)}\n`);
    } catch (error) {
      close();
      failed(error);
    }
  };
  return { trace, [Symbol.dispose]: close };
}
