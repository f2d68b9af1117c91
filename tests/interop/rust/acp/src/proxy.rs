use agent_client_protocol::v1::schema::{ContentBlock, SessionNotification, SessionUpdate};
use agent_client_protocol::{Agent, Client, Proxy, Result, Stdio};

pub async fn run() -> Result<()> {
    Proxy
        .v1()
        .name("arrow")
        .on_receive_notification_from(
            Agent,
            async move |mut told: SessionNotification, cx| {
                if let SessionUpdate::AgentMessageChunk(chunk) = &mut told.update
                    && let ContentBlock::Text(content) = &mut chunk.content
                {
                    content.text.insert(0, '>');
                }
                cx.send_notification_to(Client, told)
            },
            agent_client_protocol::on_receive_notification!(),
        )
        .connect_to(Stdio::new())
        .await
}
