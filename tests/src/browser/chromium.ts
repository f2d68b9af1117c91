// The system's Chromium: no browser is downloaded, and it has no business with anything outside.
import { existsSync } from "node:fs";
import process from "node:process";

export const launchOptions: { readonly executablePath: string; readonly args: string[] } = {
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

/** Says that there is none, and what to do; undefined where there is one. */
export function absence(): string | undefined {
  const { executablePath } = launchOptions;
  if (existsSync(executablePath)) return undefined;
  return `Chromium is not installed: there is no ${executablePath}. Install it (apt-get install chromium), or name it by CHROMIUM=/path/to/it`;
}
