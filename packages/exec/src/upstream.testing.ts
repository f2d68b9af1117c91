// A real HTTP server that does as a test says, and knows what becomes of its responses.
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface UpstreamServer extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
  /** Responses that are neither finished nor broken off. */
  readonly open: number;
  /** Settles once there are `count` open responses. */
  reaches(count: number): Promise<void>;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export async function upstream(answer: Answer): Promise<UpstreamServer> {
  const open = new Set<ServerResponse>();
  const waiting = new Set<() => void>();
  const changed = (): void => waiting.forEach((check) => check());
  const server = http.createServer((request, response) => {
    open.add(response);
    response.on("close", () => {
      open.delete(response);
      changed();
    });
    changed();
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get open() {
      return open.size;
    },
    reaches: (count) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (open.size !== count) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
