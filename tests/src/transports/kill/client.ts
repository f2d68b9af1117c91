// A client of `server.ts`, with everything under way both ways. Says what it saw of the end, and ends by itself: so
// nothing of the session is left then, no timer and no socket.
// --kind "ws sluice.v1" --url URL [--doom JSON] [--leave]
import { connect } from "@sluice/session";
import process from "node:process";
import { parseArgs } from "node:util";
import { kinds, type KindName } from "../kinds.ts";
import { countDown, startClock, type Doom } from "./doom.ts";
import { LIMITS, neverOpened, Traffic, type Report } from "./traffic.ts";

const { values } = parseArgs({
  options: {
    kind: { type: "string" },
    url: { type: "string", default: "" },
    doom: { type: "string" },
    leave: { type: "boolean", default: false },
  },
});

const quiet = { limits: LIMITS, onHandlerError: () => {} };

async function run(): Promise<Report> {
  const doom = values.doom === undefined ? undefined : (JSON.parse(values.doom) as Doom);
  const traffic = new Traffic();
  try {
    if (doom !== undefined) startClock(doom);
    const transport = await kinds[values.kind as KindName].dial(values.url);
    if (doom !== undefined) countDown(transport, doom);
    const session = await connect(transport, { ...quiet, handlers: traffic.handlers });
    if (values.leave) {
      await session.call("add", { a: 1, b: 1 });
      void session.close();
    } else traffic.begin(session);
    return await traffic.judge(session);
  } catch (error) {
    return neverOpened(error);
  }
}

process.stdout.write(`${JSON.stringify(await run())}\n`);
