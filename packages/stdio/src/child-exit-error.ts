import { TransportError } from "@sluice/transport";
import type { ExitStatus } from "./child.ts";
import { escapeControls } from "./stderr-tail.ts";

/** The process behind a transport ended while it was needed. Has the code `exit`. */
export class ChildExitError extends TransportError {
  readonly exit: ExitStatus;
  /** The last 4 KiB the process printed to its standard error, as it printed them. */
  readonly stderr: string;

  constructor(
    label: string,
    exit: ExitStatus,
    stderr: string,
    hint: string,
    options?: { readonly cause?: unknown },
  ) {
    const how = exit.signal === null ? `exited with code ${exit.code}` : `was ended by ${exit.signal}`;
    const printed =
      stderr.trim() === "" ? "" : `; its standard error ended with:\n${escapeControls(stderr.trimEnd())}`;
    super("exit", `${label} ${how}${hint}${printed}`, options);
    this.exit = exit;
    this.stderr = stderr;
  }
}
