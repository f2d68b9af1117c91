import process from "node:process";
import { styleText } from "node:util";

/** Colours a text, where there is a terminal that shows it. */
export function paint(style: Parameters<typeof styleText>[0], text: string): string {
  if (!process.stdout.isTTY || process.env["NO_COLOR"] !== undefined) return text;
  return styleText(style, text, { validateStream: false });
}
