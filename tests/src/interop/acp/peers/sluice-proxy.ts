// Puts a `>` before every text of the agent's.
import { Agent, Client, Proxy, SessionNotification } from "@sluice/acp";
import { parent } from "@sluice/stdio";

await Proxy.builder()
  .name("arrow")
  .onReceiveNotificationFrom(Agent, SessionNotification, (told, cx) => {
    const { update } = told;
    if (update.sessionUpdate !== "agent_message_chunk" || update.content.type !== "text")
      return cx.sendNotificationTo(Client, SessionNotification, told);
    const content = { ...update.content, text: `>${update.content.text}` };
    return cx.sendNotificationTo(Client, SessionNotification, { ...told, update: { ...update, content } });
  })
  .connectTo(parent());
