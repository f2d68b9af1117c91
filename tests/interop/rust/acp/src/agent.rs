//! An agent that does in a turn what the prompt's words say.
use crate::echo::{Echo, Echoed, Note};
use crate::turn::{Turn, content, text_of};
use agent_client_protocol::schema::ProtocolVersion;
use agent_client_protocol::v1::schema::{
    AgentCapabilities, CancelNotification, CurrentModeUpdate, Implementation, InitializeRequest,
    InitializeResponse, LoadSessionRequest, LoadSessionResponse, NewSessionRequest,
    NewSessionResponse, PromptRequest, SessionMode, SessionModeState, SessionNotification,
    SessionUpdate, SetSessionModeRequest, SetSessionModeResponse,
};
use agent_client_protocol::{Agent, Error, Result, Stdio};
use futures::channel::oneshot;
use serde_json::json;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

#[derive(Default)]
pub struct Session {
    cwd: PathBuf,
    /// What a load replays.
    pub history: Vec<SessionUpdate>,
    /// Cancels the turn that runs.
    cancel: Option<oneshot::Sender<()>>,
}

#[derive(Default)]
pub struct State {
    sessions: Mutex<HashMap<String, Session>>,
    pub notes: AtomicU64,
}

impl State {
    pub fn with<T>(&self, id: &str, act: impl FnOnce(&mut Session) -> T) -> Result<T> {
        use agent_client_protocol::v1::schema::Error as V1Error;
        match self.sessions.lock().unwrap().get_mut(id) {
            Some(session) => Ok(act(session)),
            None => Err(V1Error::resource_not_found(Some(id.to_owned())).into()),
        }
    }
}

pub async fn run() -> Result<()> {
    let state = Arc::new(State::default());
    let (new, load, mode, prompt) = (state.clone(), state.clone(), state.clone(), state.clone());
    let (cancel, note) = (state.clone(), state);
    Agent
        .v1()
        .name("rust-agent")
        .on_receive_request(
            async move |_: InitializeRequest, responder, _| {
                responder.respond(
                    InitializeResponse::new(ProtocolVersion::V1)
                        .agent_info(Implementation::new("rust-agent", "5.0.0"))
                        .agent_capabilities(AgentCapabilities::new().load_session(true)),
                )
            },
            agent_client_protocol::on_receive_request!(),
        )
        .on_receive_request(
            async move |request: NewSessionRequest, responder, _| {
                if request
                    .meta
                    .is_some_and(|meta| meta.get("test") == Some(&json!("refuse")))
                {
                    return responder.respond_with_error(Error::new(1235, "asked to refuse"));
                }
                let mut sessions = new.sessions.lock().unwrap();
                let id = format!("session {}", sessions.len() + 1);
                let session = Session {
                    cwd: request.cwd,
                    ..Session::default()
                };
                sessions.insert(id.clone(), session);
                let modes = vec![
                    SessionMode::new("ask", "ask"),
                    SessionMode::new("code", "code"),
                ];
                responder
                    .respond(NewSessionResponse::new(id).modes(SessionModeState::new("ask", modes)))
            },
            agent_client_protocol::on_receive_request!(),
        )
        .on_receive_request(
            async move |request: LoadSessionRequest, responder, cx| {
                let id = request.session_id;
                for update in load.with(&id.0, |session| session.history.clone())? {
                    cx.send_notification(SessionNotification::new(id.clone(), update))?;
                }
                responder.respond(LoadSessionResponse::new())
            },
            agent_client_protocol::on_receive_request!(),
        )
        .on_receive_request(
            async move |request: SetSessionModeRequest, responder, cx| {
                let id = request.session_id;
                mode.with(&id.0, |_| ())?;
                let update =
                    SessionUpdate::CurrentModeUpdate(CurrentModeUpdate::new(request.mode_id));
                cx.send_notification(SessionNotification::new(id, update))?;
                responder.respond(SetSessionModeResponse::new())
            },
            agent_client_protocol::on_receive_request!(),
        )
        .on_receive_request(
            async move |request: PromptRequest, responder, cx| {
                let (cancel, cancelled) = oneshot::channel();
                let text = text_of(&request.prompt);
                let cwd = prompt.with(&request.session_id.0, |session| {
                    session.cancel = Some(cancel);
                    session
                        .history
                        .push(SessionUpdate::UserMessageChunk(content(&text)));
                    session.cwd.clone()
                })?;
                let turn = Turn {
                    state: prompt.clone(),
                    id: request.session_id.0.to_string(),
                    cwd,
                    cx: cx.clone(),
                    meta: request.meta,
                    abandoned: responder.cancellation(),
                };
                cx.spawn(
                    async move { responder.respond_with_result(turn.run(&text, cancelled).await) },
                )
            },
            agent_client_protocol::on_receive_request!(),
        )
        .on_receive_notification(
            async move |notice: CancelNotification, _| {
                let running = cancel.with(&notice.session_id.0, |session| session.cancel.take())?;
                if let Some(running) = running {
                    let _ = running.send(());
                }
                Ok(())
            },
            agent_client_protocol::on_receive_notification!(),
        )
        .on_receive_request(
            async move |request: Echo, responder, _| {
                responder.respond(Echoed {
                    value: request.value,
                })
            },
            agent_client_protocol::on_receive_request!(),
        )
        .on_receive_notification(
            async move |_: Note, _| {
                note.notes.fetch_add(1, Ordering::SeqCst);
                Ok(())
            },
            agent_client_protocol::on_receive_notification!(),
        )
        .connect_to(Stdio::new())
        .await
}
