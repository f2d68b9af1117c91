// Standard output is the wire, so a print that lands there breaks a message. Prints go to standard error from then on,
// and for good: when the transport has closed, standard output is closed, too.
import { Console } from "node:console";

let diverted = false;

/** Sends `console.*` and `process.stdout` of this process to its standard error. */
export function divertPrints(): void {
  if (diverted) return;
  diverted = true;
  const prints = new Console({ stdout: process.stderr, stderr: process.stderr }) as unknown as Record<
    string,
    unknown
  >;
  const global = console as unknown as Record<string, unknown>;
  for (const name of Object.keys(global)) {
    const print = prints[name];
    if (typeof print === "function" && name !== "Console") global[name] = print.bind(prints);
  }
  process.stdout.write = process.stderr.write.bind(process.stderr);
}
