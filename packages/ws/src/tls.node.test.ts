import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dial } from "@sluice/ws";
import type { Transport } from "@sluice/transport";
import { remoteCases } from "@sluice/transport/compliance";
import { describe, expect, it } from "vitest";
import { start } from "./fixtures/runtimes.ts";
import { served } from "./pairs.testing.ts";

const file = (name: string): string => fileURLToPath(new URL(`./fixtures/tls/${name}`, import.meta.url));
const read = (name: string): string => readFileSync(file(name), "utf8");
/** For localhost and 127.0.0.1, by an authority made for these tests. */
const tls = { cert: read("cert.pem"), key: read("key.pem") };
/** How each runtime is told to trust that authority. */
const TRUST = { NODE_EXTRA_CA_CERTS: file("ca.pem"), DENO_CERT: file("ca.pem") };

describe("a server with tls", () => {
  const names = ["what is sent comes back in order, whatever its size", "64 MiB come in unharmed"];
  for (const { name, run } of remoteCases.filter(({ name }) => names.includes(name))) {
    it(`${name}, from a client that trusts it`, async () => {
      await using all = await served({ tls });
      expect(all.server.url).toBe(`wss://127.0.0.1:${all.server.port}/`);
      await run(async () => {
        const dialler = start("dial-compliance", [all.server.url], undefined, TRUST);
        const gone = dialler.exited.then((code): Transport => {
          throw new Error(`the dialler ended with ${code} before it was accepted`);
        });
        const near = await Promise.race([all.accepted(), gone]);
        gone.catch(() => {});
        return { near, dispose: () => dialler.kill() };
      });
    });
  }

  it("is not spoken to by a client that does not trust it", async () => {
    await using all = await served({ tls });
    await expect(dial(all.server.url)).rejects.toMatchObject({ code: "connect" });
    expect(all.server.sessions).toBe(0);
  });

  it("is not there for a client without tls", async () => {
    await using all = await served({ tls, limits: { handshake: 1000 } });
    await expect(dial(all.server.url.replace("wss", "ws"))).rejects.toMatchObject({ code: "connect" });
  });
});
