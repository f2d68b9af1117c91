// The server whose bodies are fetched. /bytes?n writes n bytes, /small a few, /sent tells how many bytes /bytes has written so far.
import http from "node:http";
import type { AddressInfo } from "node:net";

const CHUNK = Buffer.alloc(64 * 1024, "x");
let sent = 0;

const server = http.createServer((request, response) => {
  const { pathname, search } = new URL(request.url ?? "/", "http://origin");
  if (pathname === "/bytes") write(response, Number(search.slice(1)));
  else if (pathname === "/sent") response.end(String(sent));
  else response.end("small");
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

function write(response: http.ServerResponse, bytes: number): void {
  let left = bytes;
  response.writeHead(200, { "content-length": bytes });
  const more = (): void => {
    while (left > 0) {
      const chunk = CHUNK.subarray(0, Math.min(CHUNK.length, left));
      left -= chunk.length;
      sent += chunk.length;
      if (!response.write(chunk)) return void response.once("drain", more);
    }
    response.end();
  };
  more();
}
