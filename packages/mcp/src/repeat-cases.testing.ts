import { describe, expect, it } from "vitest";
import { error, status, failure, result, bytes, first, type Staging } from "./cases.testing.ts";
import { event, INITIALIZE, json, live, sse, type Answer, type Seen } from "./stage.testing.ts";

export function repeatCases({ name, faults, stage, opening }: Staging): void {
  describe(`over ${name}: what is sent again`, () => {
    it.skipIf(faults.includes("posts twice"))("is initialize, when no response comes", async () => {
      const made = await stage(first("initialize", () => "cut"));
      await made.http.send(INITIALIZE);
      expect(made.whats).toEqual(["initialize", "initialize"]);
      expect(made.clock.pauses).toEqual([250]);
      expect(made.heard).toEqual([0]);
    });

    it("is initialize, after each status that passes, with a JSON-RPC error in it or without", async () => {
      for (const code of [408, 429, 500, 502, 503, 504])
        for (const answer of [(): Response => status(code), (seen: Seen): Response => failure(seen, code)]) {
          const made = await stage(first("initialize", answer, answer));
          await made.http.send(INITIALIZE);
          expect(made.whats).toHaveLength(3);
          expect(made.clock.pauses).toEqual([250, 1000]);
        }
    });

    it("is it no more after three times", async () => {
      const made = await stage((seen) => failure(seen, 503));
      await expect(made.http.send(INITIALIZE)).rejects.toEqual(error("status", { status: 503 }));
      expect(made.whats).toHaveLength(3);
      expect(made.messages).toEqual([]);
    });

    it("is not initialize after a status that stays", async () => {
      const made = await stage(first("initialize", () => status(400)));
      await expect(made.http.send(INITIALIZE)).rejects.toEqual(error("status", { status: 400 }));
      expect(made.whats).toHaveLength(1);
    });

    it("is notifications/initialized", async () => {
      const made = await opening(first("notifications/initialized", () => status(503)));
      expect(made.whats.filter((what) => what === "notifications/initialized")).toHaveLength(2);
    });

    it("is tools/list, after a status, with a JSON-RPC error or without, and where its body is cut", async () => {
      const half = (): Response =>
        live(['{"jsonrpc"'], "cut", { headers: { "content-type": "application/json" } }).response;
      const answers = [
        (): Response => status(503),
        (seen: Seen): Response => failure(seen, 503),
        half,
        (): Response => sse([": half"], "cut"),
      ];
      for (const answer of answers) {
        const made = await opening(first("tools/list", answer));
        await made.send(1, "tools/list");
        expect(await made.answer(1)).toMatchObject({ result: {} });
        expect(made.whats.filter((what) => what === "tools/list")).toHaveLength(2);
        expect(made.errors).toEqual([]);
      }
    });

    it("is never a tool", async () => {
      const made = await opening(first("tools/call", () => status(503)));
      await expect(made.send(1)).rejects.toEqual(error("status", { status: 503, mayHaveRun: true }));
      expect(made.whats.filter((what) => what === "tools/call")).toHaveLength(1);
    });
  });

  describe(`over ${name}: a response`, () => {
    const size = JSON.stringify({ jsonrpc: "2.0", ...result(1, { x: bytes(100) }) }).length;
    const chunked = (id: number): Response =>
      live([JSON.stringify({ jsonrpc: "2.0", ...result(id, { x: bytes(100) }) })], "end", {
        headers: { "content-type": "application/json" },
      }).response;
    const long: Answer = (seen) => {
      const id = seen.message?.id as number;
      if (id === 1) return json(result(id, { x: bytes(100) }));
      if (id === 2) return chunked(id);
      return id === 3 ? sse([event(result(3, { x: bytes(100) }))]) : undefined;
    };

    it("is taken up to limits.message, declared, in chunks or as an event", async () => {
      const made = await opening(long, { limits: { message: size + "data: ".length } });
      for (const id of [1, 2, 3]) {
        await made.send(id);
        expect(await made.answer(id)).toMatchObject({ result: { x: bytes(100) } });
      }
    });

    it("is refused where it declares more, unread, and not asked for again", async () => {
      const made = await opening(
        (seen) => (seen.what === "tools/list" ? long({ ...seen, message: { id: 1 } }) : undefined),
        { limits: { message: size - 1 } },
      );
      await expect(made.send(1, "tools/list")).rejects.toEqual(error("overflow"));
      expect(made.whats.filter((what) => what === "tools/list")).toHaveLength(1);
    });

    it("is refused by what it declares before anything has come", async () => {
      const headers = { "content-type": "application/json", "content-length": String(size) };
      const body = live([], "stay", { headers });
      const made = await opening(
        first("tools/call", () => body.response),
        { limits: { message: size - 1 } },
      );
      await expect(made.send(1)).rejects.toEqual(error("overflow", { status: 200 }));
      await body.cancelled;
    });

    it("is refused where it brings more", async () => {
      const made = await opening(long, { limits: { message: size - 1 } });
      await expect(made.send(2)).rejects.toEqual(error("overflow", { mayHaveRun: true }));
    });

    it("answers its request by an error where an event is too large", async () => {
      const body = live([event({ method: "notifications/progress" }), `data: ${bytes(200)}`]);
      const made = await opening(
        first("tools/call", () => body.response),
        { limits: { message: 150 } },
      );
      await made.send(1);
      expect(await made.answer(1)).toMatchObject({
        error: { code: -32001, data: { kind: "overflow", mayHaveRun: true } },
      });
      expect(made.heard).toContain("notifications/progress");
      expect(made.errors).toEqual([error("overflow")]);
      await body.cancelled;
    });

    it("may have any size where limits.message is Infinity", async () => {
      const big = bytes(3 * 1024 * 1024);
      const made = await opening(
        (seen) =>
          seen.message?.id === 1
            ? json(result(1, { big }))
            : seen.message?.id === 2
              ? sse([event(result(2, { big }))])
              : undefined,
        { limits: { message: Infinity } },
      );
      for (const id of [1, 2]) {
        await made.send(id);
        expect(await made.answer(id)).toMatchObject({ result: { big } });
      }
    });

    it("that is not wanted is let go of, though it never ends", async () => {
      const bodies = [404, 401, 403, 202, 503].map((code) =>
        live(["more"], "stay", {
          status: code,
          headers: { "www-authenticate": 'Bearer error="insufficient_scope"' },
        }),
      );
      const made = await opening((seen) => bodies[(seen.message?.id as number) - 1]?.response, {
        limits: { preview: 2 },
      });
      for (const [n, body] of bodies.entries()) {
        await expect(made.send(n + 1, n === 0 ? "x" : "y")).rejects.toBeDefined();
        await body.cancelled;
      }
    });
  });
}
