// The same agent on the protocol's own SDK.
import process from "node:process";
import { Readable, Writable } from "node:stream";
import { agent, methods, ndJsonStream } from "@agentclientprotocol/sdk";

const input = Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>;
agent({ name: "peer" })
  .onRequest(methods.agent.session.setMode, () => ({}))
  .onRequest(
    methods.agent.session.prompt,
    async ({
      params: {
        sessionId,
        prompt: [block],
      },
      client,
    }) => {
      const text = "a few words of what the model says ";
      const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text } } as const;
      const count = Number((block as { readonly text: string }).text);
      for (let i = 0; i < count; i++)
        await client.notify(methods.client.session.update, { sessionId, update });
      return { stopReason: "end_turn" };
    },
  )
  .connect(ndJsonStream(Writable.toWeb(process.stdout), input));
