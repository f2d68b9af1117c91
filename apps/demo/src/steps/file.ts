import { createHash } from "node:crypto";
import { bytes } from "@sluice/session";
import { hashed, openSource } from "../source.ts";
import { round, type Outcome, type Stage, type Step } from "../step.ts";

const MIB = 1024 * 1024;

export const file: Step = {
  name: "file",
  title: "A real file as a stream, its checksum taken on both ends",
  async run({ session, args, screen }: Stage): Promise<Outcome> {
    const source = await openSource(args.source, args.size, (total) => screen.bar(total));
    try {
      screen.line(`streaming ${source.name}`);
      const bar = screen.bar(source.size ?? 0);
      const hash = createHash("sha256");
      let sent = 0;
      const begun = performance.now();
      const body = hashed(source.chunks(), hash, (n) => {
        sent += n;
        bar.update(sent / MIB);
      });
      const there = await session.call<{ bytes: number; sha256: string }>("file/receive", {
        body: bytes(body),
      });
      const speed = sent / MIB / ((performance.now() - begun) / 1000);
      bar.stop();
      const here = hash.digest("hex");
      const ok = here === there.sha256 && sent === there.bytes;
      return {
        ok,
        says: `${round(sent / MIB, 1)} MiB at ${Math.round(speed)} MiB/s, SHA-256 ${ok ? "the same" : "NOT the same"} on both ends: ${here.slice(0, 16)}…`,
        figures: {
          bytes: sent,
          bytes_there: there.bytes,
          mib_per_s: round(speed, 1),
          sha256: here,
          sha256_there: there.sha256,
          checksum_ok: here === there.sha256,
        },
      };
    } finally {
      await source.dispose();
    }
  },
};
