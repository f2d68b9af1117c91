// The MCP project's own test server, in a process of its own.
import { spawn } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(
  new URL("../../node_modules/@modelcontextprotocol/server-everything/dist/index.js", import.meta.url),
);

export interface Everything {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts it on this runtime, over Streamable HTTP. Resolves when it listens. */
export async function everything(): Promise<Everything> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      // Whoever else runs on the machine may have taken the port before the server did.
      if (attempt === 5 || !String(error).includes("already in use")) throw error;
    }
  }
}

async function start(port: number): Promise<Everything> {
  const args = "Deno" in globalThis ? ["run", "-A", PROGRAM] : [PROGRAM];
  const child = spawn(process.execPath, [...args, "streamableHttp"], {
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const url = `http://127.0.0.1:${port}/mcp`;
  let said = "";
  const listens = new Promise<void>((resolve) => {
    child.stderr.on("data", (chunk: Uint8Array) => {
      said += new TextDecoder().decode(chunk);
      if (said.includes("listening on port")) resolve();
    });
  });
  const ended = exited.then(() => {
    throw new Error(`the server ended: ${said}`);
  });
  await Promise.race([listens, ended]);
  // It says so before it finds that the port is taken, and ends then, whoever answers there.
  const answers = fetch(url, { method: "DELETE" }).then((response) => response.body?.cancel());
  await Promise.race([answers.catch(() => ended), ended]);
  if (said.includes("already in use")) await ended;
  return {
    url,
    async close() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** One that was free a moment ago: the server takes it as a number. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, () => resolve()));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
