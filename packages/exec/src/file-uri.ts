import { fileURLToPath, pathToFileURL } from "node:url";
import { invalidParams, invalidRequest } from "./executor-error.ts";

/** The path a `file:` URI names on this machine. @throws RpcError -32602, or -32600 where it is another machine's. */
export function pathOf(uri: string): string {
  const url = URL.parse(uri);
  if (url === null) throw invalidParams("invalid URI: relative URL without a base");
  const { protocol, hostname } = url;
  if (protocol !== "file:") throw invalidParams(`unsupported path URI scheme \`${protocol.slice(0, -1)}\``);
  if (hostname !== "" && process.platform !== "win32") throw invalidRequest(notHere(uri));
  try {
    const path = fileURLToPath(url);
    if (!path.includes("\0")) return path;
  } catch {
    // said below
  }
  throw invalidParams(notHere(uri));
}

export function uriOf(path: string): string {
  return pathToFileURL(path).href;
}

function notHere(uri: string): string {
  return `'${uri}' is invalid on '${platformOs()}'`;
}

/** As codex names it. */
export function platformOs(): string {
  return PLATFORMS[process.platform] ?? process.platform;
}

const PLATFORMS: Readonly<Record<string, string>> = { win32: "windows", darwin: "macos" };
