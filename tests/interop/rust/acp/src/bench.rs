//! What a case is given: a connection to the agent, and all the agent tells and asks.
use agent_client_protocol::schema::ProtocolVersion;
use agent_client_protocol::v1::ConnectionTo;
use agent_client_protocol::v1::schema::{
    ClientCapabilities, ContentBlock, FileSystemCapabilities, InitializeRequest,
    InitializeResponse, Meta, NewSessionRequest, PromptRequest, PromptResponse,
    SessionNotification, SessionUpdate, StopReason, TextContent,
};
use agent_client_protocol::{Agent, Result};
use futures::channel::oneshot;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What the client does when it is asked.
#[derive(Default)]
pub struct Answers {
    /// The option to select; `None` waits for `Bench::cancel` and answers "cancelled".
    pub select: Option<&'static str>,
    /// What a file holds; `None` is an error.
    pub file: Option<&'static str>,
    /// What a terminal puts out; `None` is a method that is not there.
    pub terminal: Option<&'static str>,
}

/// All the agent has told and asked.
#[derive(Default)]
pub struct Seen {
    pub updates: Vec<SessionNotification>,
    pub asked: Vec<String>,
    /// The params of what it asked, as JSON.
    pub params: Vec<Value>,
    pub notes: Vec<String>,
    watchers: Vec<oneshot::Sender<()>>,
    pub permission: Option<oneshot::Sender<()>>,
}

pub struct Bench {
    pub cx: ConnectionTo<Agent>,
    pub seen: Arc<Mutex<Seen>>,
    pub answers: Arc<Mutex<Answers>>,
    pub arrows: usize,
}

pub struct Turn {
    pub stop: StopReason,
    pub meta: Option<Meta>,
    pub texts: Vec<String>,
}

pub fn folder() -> PathBuf {
    std::env::temp_dir()
}

impl Bench {
    pub async fn initialize(&self) -> Result<InitializeResponse> {
        let fs = FileSystemCapabilities::new()
            .read_text_file(true)
            .write_text_file(true);
        let capabilities = ClientCapabilities::new().fs(fs).terminal(true);
        let request = InitializeRequest::new(ProtocolVersion::V1).client_capabilities(capabilities);
        self.cx.send_request(request).block_task().await
    }

    pub async fn new_session(&self) -> Result<String> {
        let request = NewSessionRequest::new(folder());
        Ok(self
            .cx
            .send_request(request)
            .block_task()
            .await?
            .session_id
            .to_string())
    }

    pub async fn session(&self) -> Result<String> {
        self.initialize().await?;
        self.new_session().await
    }

    pub fn request(&self, session: &str, text: &str) -> PromptRequest {
        PromptRequest::new(
            session.to_owned(),
            vec![ContentBlock::Text(TextContent::new(text))],
        )
    }

    pub async fn prompt(&self, session: &str, text: &str) -> Result<Turn> {
        let from = self.seen.lock().unwrap().updates.len();
        let sent = self.cx.send_request(self.request(session, text));
        Ok(self.turn(session, from, sent.block_task().await?))
    }

    pub fn turn(&self, session: &str, from: usize, answer: PromptResponse) -> Turn {
        Turn {
            stop: answer.stop_reason,
            meta: answer.meta,
            texts: self.texts(session, from),
        }
    }

    /// The texts of a session's agent message chunks, from the update at `from` on.
    pub fn texts(&self, session: &str, from: usize) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let of = seen.updates[from..]
            .iter()
            .filter(|told| &*told.session_id.0 == session);
        of.filter_map(|told| match &told.update {
            SessionUpdate::AgentMessageChunk(chunk) => text_of(&chunk.content),
            _ => None,
        })
        .collect()
    }

    /// A text of the agent's, as it arrives here.
    pub fn said(&self, text: &str) -> String {
        ">".repeat(self.arrows) + text
    }

    /// Waits until what has been seen is as it should be.
    pub async fn saw(&self, is: impl Fn(&Seen) -> bool) {
        loop {
            let (tell, told) = oneshot::channel();
            {
                let mut seen = self.seen.lock().unwrap();
                if is(&seen) {
                    return;
                }
                seen.watchers.push(tell);
            }
            let _ = told.await;
        }
    }

    /// Answers the permission that is waited for with "cancelled".
    pub fn cancel_permission(&self) {
        if let Some(permission) = self.seen.lock().unwrap().permission.take() {
            let _ = permission.send(());
        }
    }
}

pub fn text_of(content: &ContentBlock) -> Option<String> {
    match content {
        ContentBlock::Text(content) => Some(content.text.clone()),
        _ => None,
    }
}

pub fn tell(seen: &mut Seen) {
    for watcher in seen.watchers.drain(..) {
        let _ = watcher.send(());
    }
}
