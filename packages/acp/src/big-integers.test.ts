import { memoryPair } from "@sluice/transport";
import { expect, it } from "vitest";
import { Agent, Client, Conductor, Proxy, SessionNotification } from "./index.ts";

const params =
  '{"sessionId":"s","update":{"sessionUpdate":"usage_update","used":12345678901234567890,"size":20,"_meta":{"exact":-9007199254740993}}}';

/** An agent that answers everything with an update that no JavaScript program could have written. */
function agent(): ReturnType<typeof memoryPair>[0] {
  const [theirs, ours] = memoryPair({ unit: "messages" });
  ours.start({
    onData(chunk) {
      const { id } = JSON.parse(String(chunk)) as { id: number };
      ours.write([
        `{"jsonrpc":"2.0","method":"session/update","params":${params}}`,
        `{"jsonrpc":"2.0","id":${id},"result":{"exact":12345678901234567890}}`,
      ]);
    },
    onDrain() {},
    onEnd: () => ours.close(),
    onClose() {},
  });
  return theirs;
}

it("integers past 2^53 survive proxies and a conductor, also where a proxy has a handler", async () => {
  const used: unknown[] = [];
  const typed = Proxy.builder().onReceiveNotificationFrom(Agent, SessionNotification, (update, cx) => {
    used.push((update.update as { used?: unknown }).used);
    return cx.sendNotificationTo(Client, SessionNotification, update);
  });
  for (const proxies of [[], [Proxy.builder()], [Proxy.builder(), Proxy.builder(), Proxy.builder()]]) {
    const texts = await through(Conductor.agent({ proxies, agent: agent() }));
    expect(texts).toContain(params);
    expect(texts).toContain('"result":{"exact":12345678901234567890}');
  }
  const texts = await through(Conductor.agent({ proxies: [typed], agent: agent() }));
  expect(texts).toContain('"size":20');
  expect(used).toEqual([Number("12345678901234567890")]); // as near as a number comes
});

/** What a client hears, as text. */
async function through(conductor: Conductor): Promise<string> {
  const [theirs, ours] = memoryPair({ unit: "messages" });
  const over = conductor.connectTo(theirs);
  let texts = "";
  await new Promise<void>((resolve) => {
    ours.start({
      onData(chunk) {
        texts += String(chunk);
        if (texts.includes('"result"')) resolve();
      },
      onDrain() {},
      onEnd: () => ours.close(),
      onClose() {},
    });
    ours.write(['{"jsonrpc":"2.0","id":"a","method":"initialize","params":{"protocolVersion":1}}']);
  });
  ours.close();
  await over;
  return texts;
}
