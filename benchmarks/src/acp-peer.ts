// An agent of ours: a call that does nothing, and a turn of as many updates as the prompt says.
import { Agent, PromptRequest, SessionNotification, SetSessionModeRequest } from "@sluice/acp";
import { parent } from "@sluice/stdio";

await Agent.builder()
  .onReceiveRequest(SetSessionModeRequest, (_, responder) => responder.respond({}))
  .onReceiveRequest(PromptRequest, ({ sessionId, prompt: [block] }, responder, cx) => {
    const text = "a few words of what the model says ";
    const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text } } as const;
    cx.spawn(async () => {
      const count = Number((block as { readonly text: string }).text);
      for (let i = 0; i < count; i++) await cx.sendNotification(SessionNotification, { sessionId, update });
      responder.respond({ stopReason: "end_turn" });
    });
  })
  .connectTo(parent());
