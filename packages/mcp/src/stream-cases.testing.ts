import { describe, expect, it } from "vitest";
import { error, status, result, first, Forgetful, type Staging } from "./cases.testing.ts";
import { INITIALIZE, event, live, opened, sse, VERSION } from "./stage.testing.ts";

export function streamCases({ name, faults, opening }: Staging): void {
  describe(`over ${name}: a stream`, () => {
    it.skipIf(faults.includes("loses beginnings"))(
      "that is cut is gone on with behind its last event, by GET, and nothing comes twice",
      async () => {
        const made = await opening((seen) => {
          if (seen.what === "tools/call")
            return sse([event({ method: "a" }, "e1"), event({ method: "b" }, "e2"), "data: half"], "cut");
          if (seen.what !== "GET" || seen.headers.get("last-event-id") === null) return undefined;
          return seen.headers.get("last-event-id") === "e2"
            ? sse([event({ method: "c" }, "e3")], "cut")
            : sse([event(result(1))]);
        });
        const tokens: string[] = [];
        await made.http.send(
          { id: 1, method: "tools/call" },
          { onresumptiontoken: (token) => tokens.push(token) },
        );
        await made.answer(1);
        expect(made.heard).toEqual([0, "a", "b", "c", 1]);
        expect(tokens).toEqual(["e1", "e2", "e3"]);
        const gets = made.seen.filter(({ what, headers }) => what === "GET" && headers.has("last-event-id"));
        expect(
          gets.map(({ headers }) => [headers.get("last-event-id"), headers.get("mcp-session-id")]),
        ).toEqual([
          ["e2", "s"],
          ["e3", "s"],
        ]);
        expect(made.errors).toEqual([]);
      },
    );

    it("that the server ends to be asked again is, after the time it says", async () => {
      const made = await opening((seen) => {
        if (seen.what === "tools/call") return sse(["retry: 4711\nid: e1\ndata:\n\n"]);
        return seen.headers.has("last-event-id") ? sse([event(result(1))]) : undefined;
      });
      await made.send(1);
      await made.answer(1);
      expect(made.clock.pauses[0]).toBe(4711);
      expect(made.heard).toEqual([0, 1]);
    });

    it("that cannot be gone on with answers its request by an error", async () => {
      const made = await opening(
        first(
          "tools/call",
          () => sse([event({ method: "a" })], "cut"),
          () => sse([event({ method: "b" })]),
        ),
      );
      let ends = 0;
      const onRequestStreamEnd = (): void => {
        ends++;
        made.look();
      };
      for (const id of [1, 2]) {
        await made.http.send({ id, method: "tools/call" }, { onRequestStreamEnd });
        expect(await made.answer(id)).toMatchObject({
          error: { code: -32001, data: { kind: "lost", mayHaveRun: true } },
        });
      }
      await made.until(() => ends === 2);
      expect(made.errors).toEqual([error("lost"), error("lost")]);
    });

    it.skipIf(faults.includes("loses beginnings"))(
      "is asked for so often as limits.resumes says while nothing comes",
      async () => {
        const made = await opening(
          (seen) =>
            seen.what === "tools/call"
              ? sse([event({ method: "a" }, "e1")], "cut")
              : seen.headers.has("last-event-id")
                ? status(503)
                : undefined,
          { limits: { resumes: 3, backoff: [1000, 3000] } },
        );
        await made.send(1);
        expect(await made.answer(1)).toMatchObject({ error: { data: { kind: "lost" } } });
        expect(made.seen.filter(({ headers }) => headers.has("last-event-id"))).toHaveLength(3);
        const least = [500, 500, 1000, 1500];
        for (const [n, ms] of made.clock.pauses.entries())
          expect([ms >= least[n]!, ms <= 3000]).toEqual([true, true]);
      },
    );

    it.skipIf(faults.includes("loses beginnings"))(
      "that is cut again and again before anything comes is lost, one that brings something each time is not",
      async () => {
        let cuts = 0;
        const made = await opening(
          (seen) => {
            const last = seen.headers.get("last-event-id");
            if (seen.message?.id === 1) return sse([event({ method: "a" }, "silent")], "end");
            if (seen.message?.id === 2) return sse([event({ method: "a" }, "e0")], "end");
            if (last === "silent") return sse([": nothing\n\n"], "cut");
            if (last?.startsWith("e") !== true) return undefined;
            return ++cuts < 6 ? sse([event({ method: "a" }, `e${cuts}`)], "cut") : sse([event(result(2))]);
          },
          { limits: { resumes: 2 } },
        );
        await made.send(1);
        expect(await made.answer(1)).toMatchObject({ error: { data: { kind: "lost" } } });
        expect(made.seen.filter(({ headers }) => headers.get("last-event-id") === "silent")).toHaveLength(3);
        await made.send(2);
        expect(await made.answer(2)).toMatchObject({ result: {} });
      },
    );

    it("whose session is forgotten answers its request by an error, and the next message opens another", async () => {
      const server = new Forgetful((seen) =>
        seen.what === "tools/call" && seen.message?.id === 1 ? body.response : undefined,
      );
      const body = live([event({ method: "a" }, "e1")]);
      const made = await opening(server.answer);
      await made.send(1);
      await made.until(() => made.heard.includes("a"));
      server.forget();
      body.cut();
      expect(await made.answer(1)).toMatchObject({ error: { data: { kind: "expired" } } });
      await made.send(2);
      await made.answer(2);
      expect(made.http.sessionId).toBe("s3");
    });

    it("of an earlier client is gone on with by its token, and its answer gets the id of who asks", async () => {
      const made = await opening((seen) =>
        seen.headers.get("last-event-id") === "e9"
          ? sse([event({ method: "a" }), event(result(5), "e10")])
          : undefined,
      );
      await made.http.send({ id: 12, method: "tools/call" }, { resumptionToken: "e9" });
      expect(await made.answer(12)).toMatchObject({ result: {} });
      expect(made.whats).not.toContain("tools/call");
    });

    it("that brings what is no message goes on", async () => {
      const made = await opening(
        first("tools/call", () => sse(["data: {\n\n", "event: other\ndata: x\n\n", event(result(1))])),
      );
      await made.send(1);
      await made.answer(1);
      expect(made.errors).toEqual([error("content")]);
    });

    it("whose reader takes its time waits for it", async () => {
      const made = await opening(
        first("tools/call", () => sse([event({ method: "a" }), event({ method: "b" }), event(result(1))])),
      );
      let go = (): void => {};
      const { onmessage } = made.http;
      made.hear({
        onmessage: (message) => {
          void onmessage?.(message);
          return message.method === "a" ? new Promise((resolve) => (go = resolve)) : undefined;
        },
      });
      await made.send(1);
      await made.until(() => made.heard.includes("a"));
      expect(made.heard).toEqual([0, "a"]);
      go();
      await made.answer(1);
      expect(made.heard).toEqual([0, "a", "b", 1]);
    });
  });

  describe(`over ${name}: what the server says by itself`, () => {
    it("comes by GET, which is asked for once the session is open", async () => {
      const body = live();
      const made = await opening((seen) => (seen.what === "GET" ? body.response : undefined));
      await made.until(() => made.whats.includes("GET"));
      expect(made.whats).toEqual(["initialize", "notifications/initialized", "GET"]);
      const { headers } = made.seen[2]!;
      expect(
        ["accept", "mcp-session-id", "mcp-protocol-version", "last-event-id"].map((one) => headers.get(one)),
      ).toEqual(["text/event-stream", "s", VERSION, null]);
      body.send(event({ method: "notifications/message" }));
      await made.until(() => made.heard.includes("notifications/message"));
      await made.http.close();
      await body.cancelled;
    });

    it("is not heard twice: what is opened anew takes the place of the old stream", async () => {
      const bodies = [live([event({ method: "a" })]), live([event({ method: "b" })])];
      const all = [...bodies];
      const made = await opening((seen) => (seen.what === "GET" ? all.shift()?.response : undefined));
      await made.until(() => made.heard.includes("a"));
      await made.http.send(INITIALIZE);
      await bodies[0]!.cancelled;
      await made.http.send({ jsonrpc: "2.0", method: "notifications/initialized" });
      await made.until(() => made.heard.includes("b"));
      expect(made.heard).toEqual([0, "a", 0, "b"]);
    });

    it("does not come where the server has no such stream", async () => {
      for (const code of [405, 404]) {
        const made = await opening((seen) =>
          seen.what === "initialize" ? opened(seen) : seen.what === "GET" ? status(code) : undefined,
        );
        await made.until(() => made.whats.includes("GET"));
        await made.send(1);
        await made.answer(1);
        expect(made.errors).toEqual([]);
      }
    });

    it.skipIf(faults.includes("loses beginnings"))(
      "goes on when its stream is cut or ended, with an id to go on from or without",
      async () => {
        const third = live([event({ method: "c" })]);
        const bodies = [
          sse([event({ method: "a" })], "cut"),
          sse([event({ method: "b" }, "e1")]),
          third.response,
        ];
        const made = await opening((seen) => (seen.what === "GET" ? bodies.shift() : undefined));
        await made.until(() => made.heard.includes("c"));
        expect(made.heard).toEqual([0, "a", "b", "c"]);
        expect(
          made.seen.filter(({ what }) => what === "GET").map(({ headers }) => headers.get("last-event-id")),
        ).toEqual([null, null, "e1"]);
      },
    );

    it("is heard again with another session, where a GET learns that the old one is forgotten", async () => {
      const bodies = [live([event({ method: "a" })]), live([event({ method: "b" })])];
      const all = [...bodies];
      const server = new Forgetful((seen) => (seen.what === "GET" ? all.shift()?.response : undefined));
      const made = await opening(server.answer);
      await made.until(() => made.heard.includes("a"));
      server.forget();
      bodies[0]!.cut();
      await made.until(() => made.heard.includes("b"));
      expect(made.whats.filter((what) => what === "initialize")).toHaveLength(2);
      expect(made.errors).toEqual([]);
    });

    it("is given up, and said so, where the server refuses", async () => {
      const made = await opening((seen) => (seen.what === "GET" ? status(400) : undefined));
      await made.until(() => made.errors.length > 0);
      expect(made.errors).toEqual([error("status", { status: 400 })]);
      expect(made.whats.filter((what) => what === "GET")).toHaveLength(1);
    });
  });
}
