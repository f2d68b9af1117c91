import { describe, expect, it } from "vitest";
import { error, status, failure, first, Forgetful, type Staging } from "./cases.testing.ts";
import { INITIALIZE, opened, VERSION } from "./stage.testing.ts";

export function sessionCases({ name, stage, opening }: Staging): void {
  describe(`over ${name}: a session that the server has forgotten`, () => {
    it("is opened again with the same params, and what failed is sent once more", async () => {
      const server = new Forgetful();
      const made = await opening(server.answer);
      let reopened = 0;
      made.hear({ onreopen: () => void reopened++ });
      server.forget();
      await made.send(1);
      await made.answer(1);
      const again = made.seen.filter(({ what }) => what === "initialize")[1]!;
      expect(again.message?.params).toEqual(INITIALIZE.params);
      expect(again.headers.get("mcp-session-id")).toBeNull();
      expect(again.headers.get("mcp-protocol-version")).toBeNull();
      const rest = made.seen.filter(({ headers }) => headers.get("mcp-session-id") === "s3");
      expect(rest.map(({ what }) => what).filter((what) => what !== "GET")).toEqual([
        "notifications/initialized",
        "tools/call",
      ]);
      expect(rest.every(({ headers }) => headers.get("mcp-protocol-version") === VERSION)).toBe(true);
      expect(made.heard).toEqual([0, 1]);
      expect([made.http.sessionId, reopened, made.errors]).toEqual(["s3", 1, []]);
    });

    it("is opened again once for all that fail together", async () => {
      const server = new Forgetful();
      const made = await opening(server.answer);
      server.forget();
      await Promise.all([1, 2, 3, 4].map((id) => made.send(id)));
      for (const id of [1, 2, 3, 4]) await made.answer(id);
      expect(made.whats.filter((what) => what === "initialize")).toHaveLength(2);
    });

    it("is opened again where notifications/initialized finds it forgotten, and is told so once", async () => {
      const server = new Forgetful();
      const made = await stage(server.answer);
      await made.http.send(INITIALIZE);
      server.forget();
      await made.http.send({ jsonrpc: "2.0", method: "notifications/initialized" });
      expect(made.whats.filter((what) => what !== "GET")).toEqual([
        "initialize",
        "notifications/initialized",
        "initialize",
        "notifications/initialized",
      ]);
      expect(made.http.sessionId).toBe("s3");
    });

    it("is opened again with patience: its initialize is sent three times", async () => {
      let refusals = 0;
      const server = new Forgetful((seen) =>
        seen.what === "initialize" && server.sessions > 0 && refusals++ < 2 ? failure(seen, 503) : undefined,
      );
      const made = await opening(server.answer);
      server.forget();
      await made.send(1);
      await made.answer(1);
      expect(made.whats.filter((what) => what === "initialize")).toHaveLength(4);
      expect(made.clock.pauses).toEqual([250, 1000]);
    });

    it("is opened again once only for one message, and again for the next", async () => {
      const server = new Forgetful((seen) => (seen.message?.id === 1 ? status(404) : undefined));
      const made = await opening(server.answer);
      await expect(made.send(1)).rejects.toEqual(error("expired", { status: 404, mayHaveRun: false }));
      expect(made.whats.filter((what) => what === "initialize")).toHaveLength(2);
      expect(made.whats.filter((what) => what === "tools/call")).toHaveLength(2);
      server.forget();
      await made.send(2);
      await made.answer(2);
      expect(made.whats.filter((what) => what === "initialize")).toHaveLength(3);
    });

    it("is not opened again after 500, nor where it has no name", async () => {
      const made = await opening(first("tools/call", () => status(500)));
      await expect(made.send(1)).rejects.toEqual(error("status", { status: 500 }));
      const nameless = await opening((seen) =>
        seen.what === "initialize" ? opened(seen) : seen.what === "tools/call" ? status(404) : undefined,
      );
      await expect(nameless.send(1)).rejects.toEqual(error("status", { status: 404 }));
      for (const { whats } of [made, nameless])
        expect(whats.filter((what) => what === "initialize")).toHaveLength(1);
    });

    it("stays lost where the server opens no other, or one that speaks another version", async () => {
      const server = new Forgetful((seen) =>
        seen.what !== "initialize" || server.sessions === 0
          ? undefined
          : server.sessions === 2
            ? failure(seen, 400)
            : opened(seen, `s${++server.sessions}`, "2025-06-18"),
      );
      const made = await opening(server.answer);
      server.sessions = 2;
      await expect(made.send(1)).rejects.toEqual(error("expired"));
      server.sessions = 3;
      await expect(made.send(2)).rejects.toEqual(error("expired"));
    });

    it("is not waited for when the message is given up", async () => {
      let hold = (): void => {};
      const held = new Promise<Response>((_, reject) => (hold = () => reject(new Error("held"))));
      const server = new Forgetful((seen) =>
        seen.what === "initialize" && server.sessions > 0 ? held : undefined,
      );
      const made = await opening(server.answer);
      server.forget();
      const abort = new AbortController();
      const sent = made.http.send({ id: 1, method: "tools/call" }, { requestSignal: abort.signal });
      await made.until(() => made.whats.filter((what) => what === "initialize").length === 2);
      abort.abort(new Error("enough"));
      await expect(sent).rejects.toThrow("enough");
      await made.http.close();
      hold();
    });

    it("is one a later client may go on with, by its name", async () => {
      const server = new Forgetful();
      server.forget();
      const made = await stage(server.answer, { sessionId: "s1", protocolVersion: VERSION });
      await made.send(1);
      await made.answer(1);
      server.forget();
      await expect(made.send(2)).rejects.toEqual(error("expired"));
    });
  });

  describe(`over ${name}: the end`, () => {
    it("is said to the server by DELETE", async () => {
      for (const code of [200, 204, 405, 404]) {
        const made = await opening((seen) =>
          seen.what === "DELETE" ? new Response(null, { status: code }) : undefined,
        );
        await made.http.terminateSession();
        const { method, headers } = made.seen.at(-1)!;
        expect([method, headers.get("mcp-session-id"), headers.get("mcp-protocol-version")]).toEqual([
          "DELETE",
          "s",
          VERSION,
        ]);
        expect(made.http.sessionId).toBeUndefined();
        await made.http.terminateSession();
        expect(made.whats.filter((what) => what === "DELETE")).toHaveLength(1);
      }
    });

    it("fails to be said where the server does not take it", async () => {
      const made = await opening((seen) => (seen.what === "DELETE" ? status(500) : undefined));
      await expect(made.http.terminateSession()).rejects.toEqual(error("status", { status: 500 }));
      expect(made.http.sessionId).toBe("s");
    });

    it("comes with the end of its scope, once", async () => {
      const made = await opening(() => undefined);
      let closes = 0;
      made.hear({ onclose: () => void closes++ });
      await made.http[Symbol.asyncDispose]();
      await made.http.close();
      expect(made.whats.at(-1)).toBe("DELETE");
      expect(closes).toBe(1);
    });

    it("by close alone leaves the session at the server", async () => {
      const made = await opening(() => undefined);
      await made.http.close();
      expect(made.whats).not.toContain("DELETE");
    });
  });
}
