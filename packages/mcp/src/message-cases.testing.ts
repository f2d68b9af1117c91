import { describe, expect, it } from "vitest";
import { error, status, failure, result, bytes, first, type Staging } from "./cases.testing.ts";
import type { Clock } from "./clock.ts";
import type { McpError } from "./mcp-error.ts";
import { event, json, live, sse, VERSION, type Seen } from "./stage.testing.ts";

export function messageCases({ name, faults, stage, opening }: Staging): void {
  describe(`over ${name}: a message`, () => {
    it("is posted with what MCP wants in its headers, and the answer comes back", async () => {
      const made = await opening(
        first("tools/call", () => json(result(1, { n: 1 }))),
        {
          headers: { "X-One": "1", authorization: "Basic x", accept: "nothing" },
          token: async () => "secret",
        },
      );
      await made.send(1);
      expect(await made.answer(1)).toMatchObject({ result: { n: 1 } });
      const names = ["x-one", "authorization", "mcp-session-id", "mcp-protocol-version"];
      const headers = (seen: Seen): unknown[] => names.map((one) => seen.headers.get(one));
      expect(headers(made.seen[0]!)).toEqual(["1", "Bearer secret", null, null]);
      const call = made.seen.find(({ what }) => what === "tools/call")!;
      expect(headers(call)).toEqual(["1", "Bearer secret", "s", VERSION]);
      expect(call.headers.get("accept")).toBe("text/event-stream, application/json");
      expect(call.headers.get("content-type")).toBe("application/json");
      expect([made.http.sessionId, made.http.protocolVersion]).toEqual(["s", VERSION]);
    });

    it("is answered by a stream, with notifications and requests before the answer", async () => {
      const made = await opening(
        first("tools/call", () =>
          sse([
            ": hello\n\n",
            event({ method: "notifications/progress", params: { progress: 1 } }),
            event({ id: 7, method: "ping" }),
            event(result(1, { text: "ä€😀\n" })),
          ]),
        ),
      );
      await made.send(1);
      expect(await made.answer(1)).toMatchObject({ result: { text: "ä€😀\n" } });
      expect(made.heard).toEqual([0, "notifications/progress", "ping", 1]);
      await made.http.send({ jsonrpc: "2.0", id: 7, result: {} });
      expect(made.whats.at(-1)).toBe("answer 7");
    });

    it("is taken where the server says 202, 204, or 200 without a body", async () => {
      const codes = [202, 204, 200];
      const made = await opening((seen) =>
        seen.what === "notifications/x" ? new Response(null, { status: codes.shift()! }) : undefined,
      );
      for (let n = 0; n < 3; n++) await made.http.send({ jsonrpc: "2.0", method: "notifications/x" });
      expect(codes).toEqual([]);
    });

    it("is answered by the JSON-RPC error that a failure brings", async () => {
      const made = await opening(first("tools/call", (seen) => failure(seen, 400)));
      await made.send(1);
      expect(await made.answer(1)).toMatchObject({ error: { code: -32000, message: "busy" } });
    });

    it("is answered by what has no id, from a server that could not read one", async () => {
      const made = await opening(
        first(
          "tools/call",
          () => json({ id: null, error: { code: -32700, message: "not JSON" } }),
          () => sse([event({ id: null, error: { code: -32700, message: "not JSON" } })]),
        ),
      );
      for (const id of [1, 2]) {
        await made.send(id);
        expect(await made.answer(id)).toMatchObject({ error: { code: -32700 } });
      }
      expect(made.errors).toEqual([]);
    });

    it("fails with the status and the beginning of the body otherwise", async () => {
      const made = await opening((seen) =>
        seen.what === "tools/call" ? status(400, bytes(9000)) : undefined,
      );
      await expect(made.send(1)).rejects.toEqual(error("status", { status: 400, mayHaveRun: false }));
      const [told] = made.errors as McpError[];
      expect(told?.body).toBe(bytes(8192));
      expect(told?.message).not.toContain("xx");
    });

    it("fails with the status in time, though the body neither comes nor ends", async () => {
      const body = live([], "stay", { status: 500 });
      const made = await opening((seen) => (seen.what === "tools/call" ? body.response : undefined));
      made.clock.bounds = "at once";
      await expect(made.send(1)).rejects.toEqual(error("status", { status: 500, body: "" }));
      await body.cancelled;
    });

    it("fails where the answer is neither JSON nor an event stream, or none at all", async () => {
      const made = await opening(
        first(
          "tools/call",
          () => status(200, "<html>", { "content-type": "text/html" }),
          () => status(200, "[]", { "content-type": "application/json" }),
          () => status(202, ""),
          () => json(result(99)),
        ),
      );
      for (const code of [200, 200, 202, undefined])
        await expect(made.send(1)).rejects.toEqual(error("content", { status: code }));
    });

    it.skipIf(faults.includes("posts twice"))(
      "fails where the connection is cut before the response, and is not sent again: a tool may have run",
      async () => {
        const made = await opening(first("tools/call", () => "cut"));
        await expect(made.send(1)).rejects.toEqual(error("failed", { mayHaveRun: true }));
        expect(made.whats.filter((what) => what === "tools/call")).toHaveLength(1);
        await made.send(2);
        await made.answer(2);
      },
    );

    it("lets go of its response when its signal aborts, before the headers and after", async () => {
      const body = live([event({ method: "notifications/progress" })]);
      let asked = (): void => {};
      const slow = new Promise<Response>((resolve) => (asked = () => resolve(status(200))));
      const made = await opening((seen) =>
        seen.message?.id === 1 ? body.response : seen.message?.id === 2 ? slow : undefined,
      );
      const abort = new AbortController();
      let ends = 0;
      const options = { requestSignal: abort.signal, onRequestStreamEnd: () => void ends++ };
      await made.http.send({ id: 1, method: "tools/call" }, options);
      await made.until(() => made.heard.includes("notifications/progress"));
      const sent = made.http.send({ id: 2, method: "tools/call" }, options);
      await made.until(() => made.whats.filter((what) => what === "tools/call").length === 2);
      abort.abort(new Error("enough"));
      await expect(sent).rejects.toThrow("enough");
      await body.cancelled;
      asked();
      expect([made.errors, ends]).toEqual([[], 0]);
      expect(made.heard).not.toContain(1);
    });

    it("is given up by its timeouts, before the headers and in the body", async () => {
      const body = live(['{"jsonrpc":'], "stay", { headers: { "content-type": "application/json" } });
      let go = (): void => {};
      const held = new Promise<Response>((resolve) => (go = () => resolve(status(200))));
      const timeout: unknown = expect.objectContaining({ kind: "timeout" });
      const slow = await stage(() => held, { timeouts: { headers: 1 } });
      await expect(slow.send(1, "x")).rejects.toEqual(error("failed", { cause: timeout, mayHaveRun: true }));
      go();
      const silent = await stage(() => body.response, { timeouts: { idle: 1 } });
      await expect(silent.send(1, "x")).rejects.toEqual(error("failed", { cause: timeout }));
      await body.cancelled;
    });

    it("is given up in the middle of its answer", async () => {
      const headers = { "content-type": "application/json" };
      const body = live(['{"jsonrpc":'], "stay", { headers });
      const made = await opening((seen) => (seen.what === "tools/call" ? body.response : undefined));
      const abort = new AbortController();
      const sent = made.http.send({ id: 1, method: "tools/call" }, { requestSignal: abort.signal });
      await body.read;
      abort.abort(new Error("enough"));
      await expect(sent).rejects.toThrow("enough");
      await body.cancelled;
      expect(made.errors).toEqual([]);
    });

    it("lets go of its response some time after it was cancelled, or answered", async () => {
      const bodies = [live([event({ method: "notifications/progress" })]), live([event(result(2))])];
      const made = await opening((seen) => bodies[(seen.message?.id as number) - 1]?.response);
      await made.send(1);
      await made.http.send({ method: "notifications/cancelled", params: { requestId: 1 } });
      await bodies[0]!.cancelled;
      await made.send(2);
      await bodies[1]!.cancelled;
      await made.answer(2);
      expect(made.clock.pauses).toEqual([1000, 1000]);
      expect(made.errors).toEqual([]);
    });

    it("leaves no wait behind when its response has ended", async () => {
      const waits: AbortSignal[] = [];
      const clock: Clock = {
        now: () => 0,
        pause: (_ms, signal) => {
          waits.push(signal);
          return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
        },
      };
      const body = live();
      const made = await opening((seen) => (seen.what === "tools/call" ? body.response : undefined), {
        clock,
      });
      let ended = (): void => {};
      const end = new Promise<void>((resolve) => (ended = resolve));
      await made.send(1);
      body.send(event(result(1)));
      await made.answer(1);
      body.send(event({ method: "late" }));
      await made.until(() => made.heard.includes("late"));
      expect(waits.map(({ aborted }) => aborted)).toEqual([false]);
      waits[0]!.addEventListener("abort", ended);
      body.end();
      await end;
    });

    it("is refused beyond limits.pending, before start, and after close", async () => {
      const body = live();
      const made = await stage((seen) => (seen.what === "x" ? body.response : undefined), {
        limits: { pending: 1 },
      });
      await made.send(1, "x");
      await expect(made.send(2, "x")).rejects.toEqual(error("overflow", { mayHaveRun: false }));
      await made.http.close();
      await body.cancelled;
      await expect(made.send(3, "x")).rejects.toEqual(error("closed"));
      expect(made.whats).toEqual(["x"]);
      await expect(made.http.start()).rejects.toEqual(error("closed"));
    });
  });

  describe(`over ${name}: who may`, () => {
    it("is told by a challenge with 401, and no session is opened for it", async () => {
      const made = await opening(
        first("tools/call", () =>
          status(401, "no", { "www-authenticate": 'Basic realm="x", Bearer scope="read, write"' }),
        ),
      );
      const refused = made.send(1);
      await expect(refused).rejects.toEqual(error("unauthorized", { status: 401, scope: "read, write" }));
      await expect(refused).rejects.toMatchObject({
        challenges: [{ scheme: "basic" }, { scheme: "bearer" }],
      });
      expect(made.whats.filter((what) => what === "initialize")).toHaveLength(1);
    });

    it("is not told by 401 without a challenge", async () => {
      const made = await opening(first("tools/call", () => status(401)));
      await expect(made.send(1)).rejects.toEqual(error("status", { status: 401, mayHaveRun: false }));
    });

    it("is told by 403 where the token has too little scope, in whichever challenge", async () => {
      const value =
        'Basic realm="a \\" b", Bearer realm="x", error="insufficient_scope", scope="files:write"';
      const made = await opening(
        first(
          "tools/call",
          () => status(403, "no", { "www-authenticate": value }),
          () => status(403, "no", { "www-authenticate": 'Bearer error="invalid_token"' }),
        ),
      );
      await expect(made.send(1)).rejects.toEqual(error("scope", { status: 403, scope: "files:write" }));
      await expect(made.send(2)).rejects.toEqual(error("status", { status: 403 }));
    });
  });
}
