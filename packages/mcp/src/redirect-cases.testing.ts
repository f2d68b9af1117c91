import { describe, expect, it } from "vitest";
import { error, result, first, type Staging } from "./cases.testing.ts";
import { json } from "./stage.testing.ts";

export function redirectCases({ name, opening }: Staging): void {
  describe(`over ${name}: a redirect`, () => {
    const to = (code: number, location: string): Response =>
      new Response(null, { status: code, headers: { location } });

    it("within the origin is followed, with the message and its headers", async () => {
      for (const code of [307, 308]) {
        const made = await opening(
          (seen) =>
            seen.what === "tools/call" && seen.url.pathname !== "/there" ? to(code, "/there") : undefined,
          { token: "t" },
        );
        await made.send(1);
        await made.answer(1);
        const last = made.seen.findLast(({ what }) => what === "tools/call")!;
        expect([
          last.url.pathname,
          last.headers.get("authorization"),
          last.headers.get("mcp-session-id"),
        ]).toEqual(["/there", "Bearer t", "s"]);
      }
    });

    it("with 303, or 301 and 302 after a POST, is followed by a GET without a body", async () => {
      for (const code of [301, 302, 303]) {
        const made = await opening((seen) =>
          seen.what === "tools/call"
            ? to(code, "/there")
            : seen.url.pathname === "/there"
              ? json(result(1))
              : undefined,
        );
        await made.send(1);
        await made.answer(1);
        const last = made.seen.findLast(({ url }) => url.pathname === "/there")!;
        expect([last.method, last.headers.get("content-type"), last.headers.get("mcp-session-id")]).toEqual([
          "GET",
          null,
          "s",
        ]);
      }
    });

    it("to another origin is not followed", async () => {
      const made = await opening(
        first(
          "tools/call",
          () => to(307, "http://127.0.0.1:1/mcp"),
          () => to(307, "https://localhost/"),
          () => to(307, "http://["),
        ),
      );
      for (const id of [1, 2, 3])
        await expect(made.send(id)).rejects.toEqual(error("redirect", { status: 307 }));
    });

    it("is the eleventh that is too many", async () => {
      let hops = 0;
      const made = await opening((seen) =>
        seen.what === "tools/call" && hops++ < 10 ? to(307, `/${hops}`) : undefined,
      );
      await made.send(1);
      await made.answer(1);
      hops = -1;
      await expect(made.send(2)).rejects.toEqual(error("redirect"));
    });
  });
}
