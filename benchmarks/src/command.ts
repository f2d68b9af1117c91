/** The command that runs a program of ours on the runtime this runs on. */
export function command(file: string, ...args: string[]): string[] {
  const run = "Deno" in globalThis ? ["run", "-A"] : [];
  return [process.execPath, ...run, file, ...args];
}
