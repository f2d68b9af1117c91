//! A turn: what the prompt's first word says.
use crate::agent::State;
use crate::echo::{Echo, Note};
use agent_client_protocol::v1::ConnectionTo;
use agent_client_protocol::v1::schema::{
    ContentBlock, ContentChunk, CreateTerminalRequest, EnvVariable, Meta, PermissionOption,
    PermissionOptionKind, PromptResponse, ReadTextFileRequest, ReleaseTerminalRequest,
    RequestPermissionOutcome, RequestPermissionRequest, SessionNotification, SessionUpdate,
    StopReason, TerminalOutputRequest, TextContent, ToolCallUpdate, ToolCallUpdateFields,
    WaitForTerminalExitRequest, WriteTextFileRequest,
};
use agent_client_protocol::{Client, Error, RequestCancellation, Result};
use futures::channel::oneshot;
use futures::future::{Either, select};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub struct Turn {
    pub state: Arc<State>,
    pub id: String,
    pub cwd: PathBuf,
    pub cx: ConnectionTo<Client>,
    pub meta: Option<Meta>,
    /// Marked by `$/cancel_request`.
    pub abandoned: RequestCancellation,
}

impl Turn {
    /// `cancelled` is told by `session/cancel`.
    pub async fn run(
        self,
        text: &str,
        mut cancelled: oneshot::Receiver<()>,
    ) -> Result<PromptResponse> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let mut stop = StopReason::EndTurn;
        match word {
            "echo" => self.say(rest)?,
            "updates" => {
                for n in 1..=number(rest)? {
                    self.say(&n.to_string())?;
                }
            }
            "large" => self.say(&"x".repeat(number(rest)?))?,
            "meta" => self.update(chunk("meta"), self.meta.clone())?,
            "notes" => self.say(&self.state.notes.load(Ordering::SeqCst).to_string())?,
            "error" => {
                return Err(Error::new(1234, "asked to fail").data(json!({ "word": "error" })));
            }
            "permission" => self.permission().await?,
            "fs" => self.fs().await?,
            "terminal" => self.terminal().await?,
            "ext" => self.ext(rest).await?,
            "wait" => {
                self.say("waiting")?;
                let abandoned = Box::pin(self.abandoned.cancelled());
                match select(&mut cancelled, abandoned).await {
                    Either::Left(_) => stop = StopReason::Cancelled,
                    Either::Right(_) => return Err(Error::request_cancelled()),
                }
            }
            _ => return Err(Error::invalid_params().data("the prompt's first word is unknown")),
        }
        if matches!(cancelled.try_recv(), Ok(Some(()))) {
            stop = StopReason::Cancelled;
        }
        Ok(PromptResponse::new(stop).meta(self.meta))
    }

    fn say(&self, text: &str) -> Result<()> {
        self.update(chunk(text), None)
    }

    fn update(&self, update: SessionUpdate, meta: Option<Meta>) -> Result<()> {
        self.state
            .with(&self.id, |session| session.history.push(update.clone()))?;
        self.cx
            .send_notification(SessionNotification::new(self.id.clone(), update).meta(meta))
    }

    async fn permission(&self) -> Result<()> {
        let call = ToolCallUpdate::new(
            "call",
            ToolCallUpdateFields::new().title("A call".to_owned()),
        );
        let options = vec![
            PermissionOption::new("allow", "Allow", PermissionOptionKind::AllowOnce),
            PermissionOption::new("reject", "Reject", PermissionOptionKind::RejectOnce),
        ];
        let request = RequestPermissionRequest::new(self.id.clone(), call, options);
        let answer = self.cx.send_request(request).block_task().await?;
        match answer.outcome {
            RequestPermissionOutcome::Selected(selected) => {
                self.say(&format!("selected {}", selected.option_id))
            }
            _ => self.say("cancelled"),
        }
    }

    async fn fs(&self) -> Result<()> {
        let read = ReadTextFileRequest::new(self.id.clone(), self.cwd.join("in.txt"))
            .line(2)
            .limit(1);
        let content = self.cx.send_request(read).block_task().await?.content;
        let write =
            WriteTextFileRequest::new(self.id.clone(), self.cwd.join("out.txt"), content.clone());
        self.cx.send_request(write).block_task().await?;
        self.say(&content)
    }

    async fn terminal(&self) -> Result<()> {
        let create = CreateTerminalRequest::new(self.id.clone(), "print")
            .args(vec!["a b".to_owned(), "c".to_owned()])
            .env(vec![EnvVariable::new("NAME", "value")])
            .cwd(self.cwd.clone());
        let id = self.cx.send_request(create).block_task().await?.terminal_id;
        let wait = WaitForTerminalExitRequest::new(self.id.clone(), id.clone());
        let exit = self.cx.send_request(wait).block_task().await?.exit_status;
        let output = TerminalOutputRequest::new(self.id.clone(), id.clone());
        let output = self.cx.send_request(output).block_task().await?;
        let release = ReleaseTerminalRequest::new(self.id.clone(), id);
        self.cx.send_request(release).block_task().await?;
        let code = exit
            .exit_code
            .map_or("null".to_owned(), |code| code.to_string());
        self.say(&format!("{} {} {code}", output.output, output.truncated))
    }

    async fn ext(&self, value: &str) -> Result<()> {
        self.cx.send_notification(Note {
            value: value.to_owned(),
        })?;
        let echoed = self
            .cx
            .send_request(Echo {
                value: value.to_owned(),
            })
            .block_task()
            .await?;
        self.say(&echoed.value)
    }
}

fn number(text: &str) -> Result<usize> {
    text.parse()
        .map_err(|_| Error::invalid_params().data("the word needs a number"))
}

pub fn text_of(blocks: &[ContentBlock]) -> String {
    let texts = blocks.iter().map(|block| match block {
        ContentBlock::Text(content) => content.text.as_str(),
        _ => "",
    });
    texts.collect()
}

pub fn content(text: &str) -> ContentChunk {
    ContentChunk::new(ContentBlock::Text(TextContent::new(text)))
}

fn chunk(text: &str) -> SessionUpdate {
    SessionUpdate::AgentMessageChunk(content(text))
}
