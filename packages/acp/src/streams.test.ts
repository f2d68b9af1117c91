import { expect, it } from "vitest";
import type { Component } from "@sluice/session/builder";
import { Agent, Client, Conductor, InitializeRequest, PromptRequest, Proxy } from "./index.ts";
import { ReadFileRequest, streams, TerminalStreamRequest, WriteFileRequest } from "./streams.ts";

const KIB = 1024;

/** Reads a file of the client's when it is prompted, as far as the prompt says, and answers how many bytes it got. */
const reader = () =>
  Agent.builder()
    .onReceiveRequest(InitializeRequest, ({ clientCapabilities }, responder) => {
      const declared = streams.isIn(clientCapabilities);
      responder.respond({ protocolVersion: 1, agentCapabilities: declared ? streams.addTo({}) : {} });
    })
    .onReceiveRequest(PromptRequest, ({ sessionId, prompt }, responder, cx) => {
      cx.spawn(async () => {
        const [block] = prompt;
        const enough = Number((block as { text: string }).text);
        const { content } = await cx.sendRequest(ReadFileRequest, { sessionId, path: "/large" }).result();
        let got = 0;
        for await (const chunk of content) {
          got += chunk.length;
          if (got >= enough) break;
        }
        responder.respond({ stopReason: "end_turn", _meta: { got } });
      });
    });

interface Produced {
  bytes: number;
  ended: Promise<"closed" | "cancelled">;
}

/** A file of so many bytes that counts what is read of it. */
function file(size: number, produced: Produced): ReadableStream<Uint8Array> {
  let end!: (how: "closed" | "cancelled") => void;
  produced.ended = new Promise((resolve) => (end = resolve));
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(16 * KIB).fill(7));
      produced.bytes += 16 * KIB;
      if (produced.bytes < size) return;
      controller.close();
      end("closed");
    },
    cancel: () => end("cancelled"),
  });
}

async function drive(target: Component, size: number, enough: number): Promise<[number, number, string]> {
  const produced: Produced = { bytes: 0, ended: Promise.resolve("closed") };
  const client = Client.builder().onReceiveRequest(ReadFileRequest, (_, responder) =>
    responder.respond({ content: file(size, produced) }),
  );
  return client.connectWith(
    target,
    async (cx) => {
      const clientCapabilities = streams.addTo({});
      const { agentCapabilities } = await cx
        .sendRequest(InitializeRequest, { protocolVersion: 1, clientCapabilities })
        .result();
      expect(streams.isIn(agentCapabilities)).toBe(true);
      const prompt = [{ type: "text" as const, text: String(enough) }];
      const response = await cx.sendRequest(PromptRequest, { sessionId: "s", prompt }).result();
      const { _meta: meta } = response;
      return [meta?.["got"] as number, produced.bytes, await produced.ended];
    },
    { streams: true },
  );
}

it("a file of the client's is read as a stream, whole", async () => {
  expect(await drive(reader(), 2048 * KIB, Number.POSITIVE_INFINITY)).toEqual([
    2048 * KIB,
    2048 * KIB,
    "closed",
  ]);
});

it("an agent that has read enough stops the file where it is", async () => {
  const [got, produced, how] = await drive(reader(), 1024 * 1024 * KIB, 64 * KIB);
  expect([got, how]).toEqual([64 * KIB, "cancelled"]);
  expect(produced).toBeLessThan(2048 * KIB); // a window ahead, not the file
});

it("streams go through a conductor and a proxy, and are stopped through them", async () => {
  const chain = () => Conductor.agent({ proxies: [Proxy.builder()], agent: reader() }, { streams: true });
  expect(await drive(chain(), 2048 * KIB, Number.POSITIVE_INFINITY)).toEqual([
    2048 * KIB,
    2048 * KIB,
    "closed",
  ]);
  const [got, produced, how] = await drive(chain(), 1024 * 1024 * KIB, 64 * KIB);
  expect([got, how]).toEqual([64 * KIB, "cancelled"]);
  expect(produced).toBeLessThan(8192 * KIB); // a window for each hop
});

it("the other way: a file is written by an agent, and a terminal's output read", async () => {
  const agent = Agent.builder().onReceiveRequest(PromptRequest, ({ sessionId }, responder, cx) => {
    cx.spawn(async () => {
      const content = new Blob(["written"]).stream();
      await cx.sendRequest(WriteFileRequest, { sessionId, path: "/new", content }).result();
      const { output } = await cx.sendRequest(TerminalStreamRequest, { sessionId, terminalId: "t" }).result();
      responder.respond({ stopReason: "end_turn", _meta: { output: await new Response(output).text() } });
    });
  });
  const written: string[] = [];
  const client = Client.builder()
    .onReceiveRequest(WriteFileRequest, async ({ content }, responder) => {
      written.push(await new Response(content).text());
      responder.respond({});
    })
    .onReceiveRequest(TerminalStreamRequest, (_, responder) =>
      responder.respond({ output: new Blob(["printed"]).stream() }),
    );
  const response = await client.connectWith(
    agent,
    (cx) => cx.sendRequest(PromptRequest, { sessionId: "s", prompt: [] }).result(),
    { streams: true },
  );
  expect([written, response]).toEqual([
    ["written"],
    { stopReason: "end_turn", _meta: { output: "printed" } },
  ]);
});

it("a client that did not ask for streams says nothing of ours, and streams are refused", async () => {
  const agent = Agent.builder().onReceiveRequest(PromptRequest, async ({ sessionId }, responder, cx) => {
    const content = new Blob(["x"]).stream();
    const sent = cx.sendRequest(WriteFileRequest, { sessionId, path: "/new", content });
    responder.respond({
      stopReason: "end_turn",
      _meta: { why: await sent.result().catch(({ rule }: { rule: string }) => rule) },
    });
  });
  const seen: string[] = [];
  const response = await Client.builder().connectWith(
    agent,
    (cx) => cx.sendRequest(PromptRequest, { sessionId: "s", prompt: [] }).result(),
    { observer: { frame: (_direction, frame) => void seen.push(JSON.stringify(frame)) } },
  );
  expect(response).toMatchObject({ _meta: { why: "H2" } });
  expect(seen.filter((frame) => frame.includes("$/"))).toEqual([]);
});
