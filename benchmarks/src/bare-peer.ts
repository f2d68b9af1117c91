// The limit over a pipe, the child's side: `calls` echoes NDJSON, `bytes` writes as many bytes as it is told and ends.
import process from "node:process";

const [mode = "calls"] = process.argv.slice(2);
if (mode === "calls") echo();
else flood(Number(mode));

function echo(): void {
  let rest = "";
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const { id, params } = JSON.parse(line) as { id: number; params: unknown };
      process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, result: params })}\n`);
    }
  });
}

function flood(total: number): void {
  const chunk = new Uint8Array(64 * 1024).fill(7);
  let left = total;
  const write = (): void => {
    while (left > 0) {
      left -= chunk.length;
      if (!process.stdout.write(chunk)) return void process.stdout.once("drain", write);
    }
    process.stdout.end();
  };
  write();
}
