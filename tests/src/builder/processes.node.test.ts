// A Builder and a process on the other side of its standard streams: what bytes and half-closed pipes add to what is tested in
// memory.
import { notification, request, Untyped, type ConnectionTo } from "@sluice/session/builder";
import { spawn } from "@sluice/stdio";
import { spawn as start } from "node:child_process";
import { describe, expect, it } from "vitest";
import { program } from "./fixtures/runtime.ts";

type Json = Record<string, unknown>;

const Echo = request("echo");

/** What a program says on its standard output, line by line, to these bytes and the end of its input; and how it ends. */
async function replies(
  chunks: readonly (string | Uint8Array)[],
  limits: object = {},
): Promise<{
  readonly lines: readonly Json[];
  readonly log: readonly string[];
  readonly code: number | null;
}> {
  const [command, args] = program("agent", JSON.stringify(limits));
  const child = start(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  child.stdout.on("data", (chunk: Uint8Array) => out.push(chunk));
  child.stderr.on("data", (chunk: Uint8Array) => err.push(chunk));
  for (const chunk of chunks) child.stdin.write(chunk);
  child.stdin.end();
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  const text = (of: readonly Uint8Array[]): string => new TextDecoder().decode(Buffer.concat(of));
  const lines = text(out)
    .split("\n")
    .filter((line) => line !== "");
  const last = text(err).trim().split("\n").at(-1) ?? "";
  return {
    lines: lines.map((line) => JSON.parse(line) as Json),
    log: last.startsWith("[") ? (JSON.parse(last) as string[]) : [last],
    code,
  };
}

const call = (id: unknown, method: string, params?: unknown): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });
const line = (...of: Parameters<typeof call>): string => `${call(...of)}\n`;

describe("an agent whose input ends", () => {
  it("writes the answers of the handlers that still run, then ends by itself with code 0", async () => {
    const { lines, log, code } = await replies([
      line(1, "echo", { n: 1 }),
      line(2, "slow", { turns: 200 }),
      line(3, "echo", { n: 3 }),
    ]);
    expect(lines).toMatchObject([
      { id: 1, result: { n: 1 } },
      { id: 2, result: { turns: 200 } },
      { id: 3, result: { n: 3 } },
    ]);
    expect([log, code]).toEqual([["closed"], 0]);
  });

  it("writes the whole of a large answer", async () => {
    const { lines, code } = await replies([line(1, "big", { bytes: 5_000_000 })]);
    expect([String(lines[0]!["result"]).length, code]).toEqual([5_000_000, 0]);
  });

  it("answers -32603 what its handler has not answered when the grace is over, and ends", async () => {
    const { lines, code } = await replies([line(1, "never"), line(2, "echo", {})], { grace: 50 });
    expect(lines).toMatchObject([{ id: 2 }, { id: 1, error: { code: -32603 } }]);
    expect(code).toBe(0);
  });

  it("in the middle of a message reports the loss, and has run what came before", async () => {
    const { lines, code } = await replies([line(1, "echo", { n: 1 }), '{"jsonrpc":"2.0","id":2,"meth']);
    expect(lines).toMatchObject([{ id: 1, result: { n: 1 } }]);
    expect(code).not.toBe(0);
  });
});

describe("on a wire of bytes", () => {
  it("blank lines, CRLF and a byte order mark at the beginning are passed over", async () => {
    const { lines, code } = await replies([
      new Uint8Array([0xef, 0xbb, 0xbf]),
      line(1, "echo", { n: 1 }),
      "\n   \n\r\n\t\n",
      `${call(2, "echo", { n: 2 })}\r\n`,
    ]);
    expect(lines).toMatchObject([
      { id: 1, result: { n: 1 } },
      { id: 2, result: { n: 2 } },
    ]);
    expect(code).toBe(0);
  });

  it("what is no UTF-8 is answered -32700, and the next line is read", async () => {
    const bad = new Uint8Array([
      ...new TextEncoder().encode('{"jsonrpc":"2.0","id":1,"method":"echo","params":["'),
      0xff,
      0x22,
      0x5d,
      0x7d,
      0x0a,
    ]);
    const { lines, code } = await replies([bad, line(2, "echo", { n: 2 })]);
    expect(lines).toMatchObject([
      { id: null, error: { code: -32700 } },
      { id: 2, result: { n: 2 } },
    ]);
    expect(code).toBe(0);
  });

  it("a line of 33 MiB is answered with an error and its id, is not kept, and the next line is read", async () => {
    const part = new Uint8Array(1024 * 1024).fill(0x78);
    const { lines, code } = await replies([
      '{"jsonrpc":"2.0","id":1,"method":"echo","params":["',
      ...Array.from({ length: 33 }, () => part),
      '"]}\n',
      line(2, "echo", { n: 2 }),
    ]);
    expect(lines).toMatchObject([
      { id: 1, error: { code: -32600 } },
      { id: 2, result: { n: 2 } },
    ]);
    expect(code).toBe(0);
  });

  it("characters and messages are put together from wherever they are cut", async () => {
    const text = "naïve 🦀 …";
    const bytes = new TextEncoder().encode(line(1, "echo", { text }) + line(2, "echo", { text }));
    const { lines } = await replies(Array.from(bytes, (byte) => new Uint8Array([byte])));
    expect(lines).toMatchObject([{ result: { text } }, { result: { text } }]);
  });
});

const withAgent = <T>(
  main: (cx: ConnectionTo) => T | PromiseLike<T>,
  seen: (json: Json) => void = () => {},
): Promise<T> => {
  const [command, args] = program("agent");
  return Untyped.builder()
    .onReceiveNotification(notification<Json>("flood"), (params) => seen(params))
    .onReceiveRequest(request("answer"), (params, responder) => responder.respond(params))
    .connectWith(spawn(command, args), main);
};

describe("a main function over a child", () => {
  it("what it said right before it returns has arrived: the child has run it, and ended by itself", async () => {
    const said: string[] = [];
    const [command, args] = program("agent");
    const child = spawn(command, args, { onStderrLine: (text) => said.push(text) });
    const value = await Untyped.builder().connectWith(child, async (cx) => {
      await cx.sendRequest(Echo, {}).result();
      for (let n = 0; n < 100; n++) void cx.sendNotification(notification("log"), { text: `${n}` });
      return "returned";
    });
    expect(value).toBe("returned");
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(JSON.parse(said.at(-1)!)).toEqual([...Array.from({ length: 100 }, (_, n) => `${n}`), "closed"]);
  });

  it("much goes both ways at once, and all of it arrives, in order", async () => {
    let expected = 0;
    const count = await withAgent(
      async (cx) => {
        const flood = cx.sendRequest(request("flood"), { count: 5000, bytes: 2000 }).result();
        for (let n = 0; n < 5000; n++)
          await cx.sendNotification(notification("log"), { text: `${n}${"x".repeat(2000)}` });
        return flood;
      },
      ({ n }) => {
        if (n !== expected++) throw new Error("out of order");
      },
    );
    expect([count, expected]).toEqual([5000, 5000]);
  });

  it("asks, and is asked back", async () => {
    const results = await withAgent((cx) =>
      Promise.all(Array.from({ length: 20 }, (_, n) => cx.sendRequest(request("ask back"), { n }).result())),
    );
    expect(results).toEqual(Array.from({ length: 20 }, (_, n) => ({ n })));
  });

  it("ends with how the child ended, where that was not in order, and what is pending fails with it", async () => {
    const pending: unknown[] = [];
    for (const [how, exit] of [
      ["exit", { code: 70, signal: null }],
      ["die", { code: null, signal: "SIGKILL" }],
    ] as const) {
      const over = withAgent(async (cx) => {
        await cx.sendRequest(Echo, {}).result();
        void cx
          .sendRequest(request("never"), {})
          .result()
          .catch((error: unknown) => pending.push(error));
        if (how === "die") void cx.sendNotification(notification("die"), {});
        else cx.sendRequest(request("exit"), { code: 70 }).detach();
        await new Promise(() => {});
      });
      await expect(over).rejects.toMatchObject({ _tag: "SessionError", code: "lost", cause: { exit } });
    }
    expect(pending).toMatchObject([{ _tag: "SessionError" }, { _tag: "SessionError" }]);
  });

  it("a program that cannot be started is what it rejects with", async () => {
    const over = Untyped.builder().connectWith(spawn("/no/such/program"), (cx) =>
      cx.sendRequest(Echo, {}).result(),
    );
    await expect(over).rejects.toMatchObject({ _tag: "SessionError", code: "lost" });
  });
});
