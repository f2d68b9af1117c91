import { spawn } from "node:child_process";
import { command } from "./command.ts";

export interface StartedServer {
  readonly url: string;
  stop(): void;
}

/** Starts a program of ours that prints its URL as its first line. */
export async function startServer(file: string, ...args: string[]): Promise<StartedServer> {
  const [program, ...rest] = command(file, ...args);
  const child = spawn(program!, rest, { stdio: ["ignore", "pipe", "inherit"] });
  child.stdout.setEncoding("utf8");
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (line: string) => resolve(line.trim()));
    child.once("exit", (code) => reject(new Error(`${file} ended with ${code}`)));
  });
  return { url, stop: () => void child.kill() };
}
