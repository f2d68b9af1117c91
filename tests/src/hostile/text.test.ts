// Text that is none (reliability.md 2.1).
import { expect } from "vitest";
import { mcp } from "@sluice/session";
import { error, perform, type Row } from "./row.ts";
import { BYTES } from "./wire.ts";

const call = (id: unknown, method = "echo", params?: unknown): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });
const bytes = (...codes: number[]): Uint8Array => Uint8Array.from(codes);
const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
const NOT_JSON = "JSON-RPC 5.1";
const NOT_UTF8 = "RFC 8259 8.1";

const rows: readonly Row[] = [
  {
    row: 1,
    what: "a line that is not JSON is answered -32700 with id null",
    says: ["{bad"],
    answers: [error(null, -32700)],
    faults: [NOT_JSON],
  },
  {
    row: 2,
    what: "a bad line before good ones in one chunk costs none of them",
    over: BYTES,
    says: ({ peer }) => peer.raw(`{bad\n${call(101)}\n${call(102)}\n`),
    answers: [error(null, -32700), { id: 101 }, { id: 102 }],
    faults: [NOT_JSON],
  },
  {
    row: 2,
    what: "a bad line behind good ones in one chunk costs none of them",
    over: BYTES,
    says: ({ peer }) => peer.raw(`${call(101)}\n${call(102)}\n{bad\n`),
    answers: [{ id: 101 }, { id: 102 }, error(null, -32700)],
    faults: [NOT_JSON],
  },
  {
    row: 3,
    what: "blank lines and CR LF at a line's end are passed over in silence",
    over: BYTES,
    says: ({ peer }) => peer.raw(`\n\r\n\n${call(101)}\r\n\r\n`),
    answers: [{ id: 101 }],
  },
  {
    row: 4,
    what: "a byte order mark is taken at the very start, and answered -32700 later",
    over: BYTES,
    opens: (peer) => peer.raw('\ufeff{"jsonrpc":"2.0","method":"hi"}\n'),
    says: [`\ufeff${call(101)}`],
    answers: [error(null, -32700)],
    faults: [NOT_JSON],
  },
  {
    row: 5,
    what: "bytes that are no UTF-8 are answered -32700 and never become U+FFFD",
    says: ({ peer, kind }) => {
      const end = kind === "memory, in messages" ? [] : [0x0a];
      for (const bad of [
        [0xff, 0xfe],
        [0xc0, 0xaf],
        [0xed, 0xa0, 0x80],
        [0x22, 0xe2, 0x82, 0x22],
      ])
        peer.raw(bytes(...bad, ...end));
    },
    answers: [error(null, -32700), error(null, -32700), error(null, -32700), error(null, -32700)],
    faults: [NOT_UTF8, NOT_UTF8, NOT_UTF8, NOT_UTF8],
  },
  {
    row: 6,
    what: "a message split at every byte arrives byte-exact",
    over: BYTES,
    says: ({ peer }) => {
      for (const byte of Buffer.from(`${call(101, "echo", ["€🌍é"])}\n`)) peer.raw(bytes(byte));
    },
    answers: [{ id: 101, result: ["€🌍é"] }],
  },
  {
    row: 7,
    what: "UTF-16 is answered -32700, and its last half a character is a stray byte",
    over: BYTES,
    says: ({ peer }) => {
      peer.raw(new Uint8Array(Buffer.from(`${call(101)}\n`, "utf16le")));
      peer.raw("\n");
    },
    answers: [error(null, -32700)],
    faults: [NOT_JSON, NOT_JSON],
  },
  {
    row: 7,
    what: "headers that name another charset close the session",
    over: BYTES,
    options: { framing: "headers" },
    says: ({ peer }) =>
      peer.raw("Content-Length: 2\r\nContent-Type: application/json; charset=utf-16le\r\n\r\n{}"),
    closes: { code: "protocol", by: "peer", rule: "LSP base protocol" },
  },
  {
    row: 8,
    what: "NUL and raw control characters are answered -32700",
    says: ['{"jsonrpc":"2.0",\0"id":1}', '{"jsonrpc":"2.0","id":1,"method":"a\u0007b"}'],
    answers: [error(null, -32700), error(null, -32700)],
    faults: [NOT_JSON, NOT_JSON],
  },
  {
    row: 9,
    what: "half a surrogate pair in an escape comes back as it went",
    says: ['{"jsonrpc":"2.0","id":101,"method":"echo","params":["\\ud800"]}'],
    answers: [{ id: 101, result: ["\ud800"] }],
  },
  {
    row: 10,
    what: "numbers past what a double holds are taken as JSON.parse does, but not as ids",
    says: [
      '{"jsonrpc":"2.0","id":101,"method":"echo","params":[1e400,-0,9007199254740993,1e-400]}',
      '{"jsonrpc":"2.0","id":1152921504606846977,"method":"echo"}',
    ],
    answers: [{ id: 101, result: [null, 0, 9007199254740992, 0] }, error(null, -32600)],
    faults: ["JSON-RPC 4"],
  },
  {
    row: 11,
    what: "of an id that stands twice the last counts, once",
    says: ['{"jsonrpc":"2.0","id":101,"id":102,"method":"echo"}'],
    answers: [{ id: 102 }],
  },
  {
    row: 12,
    what: "`__proto__` and `constructor` are keys of their own, and nothing inherits from them",
    says: [
      '{"jsonrpc":"2.0","id":101,"method":"echo","params":{"__proto__":{"bad":1},"constructor":{"prototype":{"bad":1}}}}',
    ],
    check: ({ peer }) => {
      expect(Object.keys(peer.answers[0]!["result"] as object)).toEqual(["__proto__", "constructor"]);
      expect(({} as Record<string, unknown>)["bad"]).toBe(undefined);
    },
    answers: [{ id: 101 }],
  },
  {
    row: 13,
    what: "methods named like what every object inherits are not found",
    says: ["__proto__", "constructor", "toString", "hasOwnProperty", ""].map((method, i) =>
      call(101 + i, method),
    ),
    answers: [101, 102, 103, 104, 105].map((id) => error(id, -32601)),
  },
  {
    row: 14,
    what: "nesting of 100 is taken, of 10,000 and of 1,000,000 answered -32600 to its caller",
    says: [100, 10_000, 1_000_000].map(
      (depth, i) => `{"jsonrpc":"2.0","id":${101 + i},"method":"hold","params":{"x":${nested(depth)}}}`,
    ),
    answers: [error(102, -32600), error(103, -32600)],
    faults: ["limits.depth", "limits.depth"],
  },
  {
    row: 14,
    what: "a result that nests deeper than JSON can write is answered -32603",
    handlers: { deep: () => JSON.parse(nested(5000)) as unknown },
    says: [call(101, "deep")],
    answers: [error(101, -32603)],
    faults: ["limits.depth"],
  },
  {
    row: 15,
    what: "a line of the limit is taken; one of a byte more is skipped, and its caller answered -32600",
    over: BYTES,
    options: { limits: { message: 4096 } },
    says: ({ peer }) => {
      const pad = 4096 - call(101, "echo", [""]).length;
      peer.message(call(101, "echo", ["x".repeat(pad)]));
      peer.message(call(102, "echo", ["x".repeat(pad + 1)]));
    },
    answers: [{ id: 101 }, error(102, -32600)],
    faults: ["limits.message"],
  },
  {
    row: 15,
    what: "a length above the limit closes the session before anything of it has come",
    over: BYTES,
    options: { framing: "headers" },
    says: ({ peer }) => peer.raw("Content-Length: 1073741824\r\n\r\n"),
    closes: { code: "limit", by: "peer", rule: "limits.message" },
  },
  {
    row: 15,
    what: "a frame of 1 GiB closes the session before anything of it has come (F4)",
    via: "frames",
    says: ({ peer }) => peer.raw(bytes(0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
    closes: { code: "limit", by: "peer", rule: "F4" },
  },
  {
    row: 16,
    what: "a line without an end is dropped at the limit and answered once (PROTOCOL knows no frame timeout)",
    over: BYTES,
    options: { limits: { message: 64 * 1024 } },
    says: ({ peer }) => {
      peer.raw("[");
      for (let i = 0; i < 512; i++) peer.raw("x".repeat(32 * 1024));
      peer.raw("\n");
    },
    answers: [error(null, -32600)],
    faults: ["limits.message"],
  },
  ...["-1", "NaN", "1.5", "0x10", "9".repeat(40), "+5", "1 2", ""].map((length): Row => ({
    row: 17,
    what: `Content-Length: ${length.slice(0, 10)} closes the session at once`,
    over: ["memory, in bytes"],
    options: { framing: "headers" },
    says: ({ peer }) => peer.raw(`Content-Length: ${length}\r\n\r\n`),
    closes: { code: "protocol", by: "peer", rule: "LSP base protocol" },
  })),
  ...(["Content-Length: 2\r\nContent-Length: 2", "X-Length: 2"] as const).map((header): Row => ({
    row: 17,
    what: `${header.startsWith("X") ? "no Content-Length" : "Content-Length twice"} closes the session at once`,
    over: BYTES,
    options: { framing: "headers" },
    says: ({ peer }) => peer.raw(`${header}\r\n\r\n{}`),
    closes: { code: "protocol", by: "peer", rule: "LSP base protocol" },
  })),
  ...[-1, 1].map((off): Row => ({
    row: 18,
    what: `Content-Length one too ${off < 0 ? "short" : "long"} closes the session at the next header`,
    over: BYTES,
    options: { framing: "headers" },
    says: ({ peer }) => {
      const body = call(101);
      for (let i = 0; i < 2; i++) peer.raw(`Content-Length: ${body.length + off}\r\n\r\n${body}`);
    },
    closes: { code: "protocol", by: "peer", rule: "LSP base protocol" },
  })),
  ...([`X: ${"x".repeat(9000)}`, "X: 1\r\n".repeat(33)] as const).map((block): Row => ({
    row: 19,
    what: `a header block ${block.length > 8192 ? "above 8 KiB" : "of 33 headers"} without a blank line closes the session`,
    over: BYTES,
    options: { framing: "headers" },
    says: ({ peer }) => peer.raw(block),
    closes: { code: "protocol", by: "peer", rule: "LSP base protocol" },
  })),
  {
    row: 20,
    what: "a print between messages is counted and not answered",
    says: ["Debugger listening on ws://127.0.0.1:9229", call(101)],
    answers: [{ id: 101 }],
    faults: [NOT_JSON],
  },
  {
    row: 20,
    what: "a print between headers closes the session, and a process's own words are quoted",
    over: BYTES,
    options: { framing: "headers" },
    says: ({ peer }) => peer.raw("Debugger \u001b[31mlistening\n"),
    closes: { code: "protocol", rule: "LSP base protocol" },
    check: async ({ session, kind }) => {
      const { message } = await session.closed;
      if (kind === "stdio") expect(message).toContain('it begins "Debugger \\u001b[31mlistening');
      else expect(message).not.toContain("Debugger");
    },
  },
  {
    row: 21,
    what: "a print in the middle of a message spoils it, and half a message never runs",
    over: BYTES,
    says: ({ peer }) => peer.raw('{"jsonrpc":"2.0","id":101,"meHELLO\nthod":"echo"}\n'),
    answers: [error(null, -32700), error(null, -32700)],
    faults: [NOT_JSON, NOT_JSON],
  },
  {
    row: 22,
    what: "a last line that is cut off ends the session as lost, and every call is told",
    over: BYTES,
    says: ({ peer }) => {
      peer.raw('{"jsonrpc":"2.0","id":101,"met');
      peer.wire.end();
    },
    closes: { code: "lost", by: "transport", rule: "L2", message: "the peer's last message was cut off" },
  },
  {
    row: 23,
    what: "terminal commands, line breaks and bidirectional marks are told escaped, and only of a process",
    says: ["{bad \u001b[31m \u202e", call(101, "\u001b[31m\n")],
    answers: [error(null, -32700), error(101, -32601)],
    faults: [NOT_JSON],
    check: ({ faults, kind }) =>
      expect(faults[0]!.excerpt).toBe(kind === "stdio" ? "{bad \\u001b[31m \\u202e" : undefined),
  },
  {
    row: 26,
    what: "a batch where the dialect has none is answered -32600 once",
    options: { dialect: mcp },
    says: [`[${call(101)},${call(102)}]`],
    answers: [error(null, -32600)],
    faults: ["dialect mcp"],
  },
];

perform(rows);
