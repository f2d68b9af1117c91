import process from "node:process";

/** Reads the command line by `read`. Where that throws, says why and ends the process with 2. */
export function readArguments<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    console.error((error as Error).message);
    return process.exit(2);
  }
}
