import { mkdir, readFile, realpath, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { AcpErrorCode, ReadTextFileRequest, resourceNotFound, WriteTextFileRequest } from "@sluice/acp";
import { RpcError } from "@sluice/session";
import type { Builder, ConnectionTo } from "@sluice/session/builder";

/** Lets the agent read and write files below `root`, and none elsewhere. */
export function withFiles<Cx extends ConnectionTo>(builder: Builder<Cx>, root: string): Builder<Cx> {
  return builder
    .onReceiveRequest(ReadTextFileRequest, async ({ path, line, limit }, responder) => {
      const text = await readFile(await below(root, path), "utf8").catch(() => {
        throw resourceNotFound(path);
      });
      const from = (line ?? 1) - 1;
      const lines = text.split("\n").slice(from, typeof limit !== "number" ? undefined : from + limit);
      responder.respond({ content: lines.join("\n") });
    })
    .onReceiveRequest(WriteTextFileRequest, async ({ path, content }, responder) => {
      const file = await below(root, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
      responder.respond({});
    });
}

/** The file itself, links followed. @throws RpcError -32602 where it is not below `root`. */
async function below(root: string, path: string): Promise<string> {
  if (!isAbsolute(path)) throw refused("a path must be absolute");
  const real = await realpath(root);
  const file = await realOf(resolve(path));
  const way = relative(real, file);
  if (way.startsWith("..") || isAbsolute(way)) throw refused("only files below the client's folder");
  return file;
}

// A file that is not there yet is where its folder is.
async function realOf(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch {
    const folder = dirname(file);
    return folder === file ? file : resolve(await realOf(folder), relative(folder, file));
  }
}

function refused(why: string): RpcError {
  return new RpcError(AcpErrorCode.invalidParams, why);
}
