// What any relay costs: three processes, the one in the middle passes on what an HTTP server sends, unframed, over a pipe or
// over a socket. Prints MB/s.
//   bare-relay.ts pipe|tcp <url>
import { spawn } from "node:child_process";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import process from "node:process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { command } from "./command.ts";

const [mode, url = ""] = process.argv.slice(2);
if (mode === "to-pipe") http.get(url, (response) => response.pipe(process.stdout));
else if (mode === "to-tcp") {
  const server = net.createServer((socket) => http.get(url, (response) => response.pipe(socket)));
  server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
} else {
  const [program = "", ...args] = command(fileURLToPath(import.meta.url), `to-${mode}`, url);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  if (mode === "pipe") count(child.stdout, () => {});
  else
    child.stdout.once("data", (port: Buffer) => {
      count(net.connect(Number(port), "127.0.0.1"), () => child.kill());
    });
}

function count(from: Readable, stop: () => void): void {
  let [begun, got] = [0, 0];
  from.on("data", (chunk: Buffer) => {
    if (begun === 0) begun = performance.now();
    got += chunk.length;
  });
  from.on("end", () => {
    console.log(got / 1000 / (performance.now() - begun));
    stop();
  });
}
