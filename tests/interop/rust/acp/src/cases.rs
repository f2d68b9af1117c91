//! The cases of tests/src/interop/acp/cases.ts for agents that know the words, by the same names.
use crate::bench::{Bench, Turn, folder, text_of};
use crate::echo::{Echo, Note};
use agent_client_protocol::schema::ProtocolVersion;
use agent_client_protocol::v1::schema::{
    CancelNotification, LoadSessionRequest, NewSessionRequest, SessionUpdate,
    SetSessionModeRequest, StopReason,
};
use agent_client_protocol::{BoxFuture, Error, Result, UntypedMessage};
use serde_json::{Value, json};
use std::fmt::Debug;

pub type Case = fn(Bench) -> BoxFuture<'static, Result<()>>;

const MIB: usize = 1024 * 1024;

fn equal<T: PartialEq + Debug>(is: T, should: T) -> Result<()> {
    if is == should {
        Ok(())
    } else {
        Err(wrong(format!("it is {is:?}, and should be {should:?}")))
    }
}

fn wrong(what: impl Into<String>) -> Error {
    Error::internal_error().data(what.into())
}

fn code<T>(result: Result<T>) -> Result<i32> {
    match result {
        Ok(_) => Err(wrong(
            "the agent has answered with a result, not with an error",
        )),
        Err(error) => Ok(error.code.into()),
    }
}

fn ended(bench: &Bench, turn: Turn, texts: &[&str]) -> Result<()> {
    equal(turn.stop, StopReason::EndTurn)?;
    equal(
        turn.texts,
        texts.iter().map(|text| bench.said(text)).collect(),
    )
}

/// The connection is up.
async fn up(bench: &Bench, session: &str) -> Result<()> {
    ended(bench, bench.prompt(session, "echo up").await?, &["up"])
}

/// Prompts "wait", and acts once the agent says that it waits.
async fn waiting(bench: &Bench, session: &str) {
    let text = bench.said("waiting");
    let is = |update: &SessionUpdate| match update {
        SessionUpdate::AgentMessageChunk(chunk) => text_of(&chunk.content).as_ref() == Some(&text),
        _ => false,
    };
    let of = |id: &str| id == session;
    bench
        .saw(|seen| {
            seen.updates
                .iter()
                .any(|told| of(&told.session_id.0) && is(&told.update))
        })
        .await;
}

fn cancel(bench: &Bench, session: &str) -> Result<()> {
    bench
        .cx
        .send_notification(CancelNotification::new(session.to_owned()))
}

macro_rules! cases {
    ($($name:literal => |$bench:ident| $body:block)*) => {
        pub const CASES: &[(&str, Case)] = &[$(($name, |$bench: Bench| Box::pin(async move { $body }))),*];
    };
}

cases! {
    "initialize tells the version and the capabilities" => |bench| {
        let answer = bench.initialize().await?;
        equal(answer.protocol_version, ProtocolVersion::V1)?;
        equal(answer.agent_capabilities.load_session, true)
    }
    "a prompt is answered after its updates, which come in order" => |bench| {
        let session = bench.session().await?;
        let turn = bench.prompt(&session, "updates 5").await?;
        ended(&bench, turn, &["1", "2", "3", "4", "5"])
    }
    "two sessions have turns at the same time" => |bench| {
        let one = bench.session().await?;
        let other = bench.new_session().await?;
        let sent = bench.cx.send_request(bench.request(&one, "wait"));
        waiting(&bench, &one).await;
        ended(&bench, bench.prompt(&other, "echo beside it").await?, &["beside it"])?;
        cancel(&bench, &one)?;
        equal(sent.block_task().await?.stop_reason, StopReason::Cancelled)?;
        equal(bench.texts(&one, 0), vec![bench.said("waiting")])
    }
    "a permission is asked for, and what is selected comes back" => |bench| {
        bench.answers.lock().unwrap().select = Some("reject");
        let session = bench.session().await?;
        ended(&bench, bench.prompt(&session, "permission").await?, &["selected reject"])
    }
    "a turn is cancelled while a permission is asked for, which is answered cancelled" => |bench| {
        let session = bench.session().await?;
        let sent = bench.cx.send_request(bench.request(&session, "permission"));
        bench.saw(|seen| !seen.asked.is_empty()).await;
        cancel(&bench, &session)?;
        bench.cancel_permission();
        let turn = bench.turn(&session, 0, sent.block_task().await?);
        equal(turn.stop, StopReason::Cancelled)?;
        equal(turn.texts, vec![bench.said("cancelled")])
    }
    "a turn is cancelled in the middle, and the next one runs" => |bench| {
        let session = bench.session().await?;
        let sent = bench.cx.send_request(bench.request(&session, "wait"));
        waiting(&bench, &session).await;
        cancel(&bench, &session)?;
        equal(sent.block_task().await?.stop_reason, StopReason::Cancelled)?;
        up(&bench, &session).await
    }
    "a prompt is given up by $/cancel_request, and the next one runs" => |bench| {
        let session = bench.session().await?;
        let sent = bench.cx.send_request(bench.request(&session, "wait"));
        waiting(&bench, &session).await;
        sent.cancel()?;
        equal(code(sent.block_task().await)?, -32800)?;
        up(&bench, &session).await
    }
    "a file is read and written through the client" => |bench| {
        let content = "the second — ü\n";
        bench.answers.lock().unwrap().file = Some(content);
        let session = bench.session().await?;
        ended(&bench, bench.prompt(&session, "fs").await?, &[content])?;
        let params = bench.seen.lock().unwrap().params.clone();
        let read = json!({ "sessionId": session, "path": folder().join("in.txt"), "line": 2, "limit": 1 });
        let write = json!({ "sessionId": session, "path": folder().join("out.txt"), "content": content });
        equal(params, vec![read, write])
    }
    "a file the client does not have is an error of the turn alone" => |bench| {
        let session = bench.session().await?;
        code(bench.prompt(&session, "fs").await)?;
        up(&bench, &session).await
    }
    "a command runs in a terminal of the client's" => |bench| {
        bench.answers.lock().unwrap().terminal = Some("a b c");
        let session = bench.session().await?;
        ended(&bench, bench.prompt(&session, "terminal").await?, &["a b c false 3"])?;
        let seen = bench.seen.lock().unwrap();
        equal(&seen.params[0]["args"], &json!(["a b", "c"]))?;
        equal(&seen.params[0]["env"], &json!([{ "name": "NAME", "value": "value" }]))?;
        let methods = ["terminal/create", "terminal/wait_for_exit", "terminal/output", "terminal/release"];
        equal(seen.asked.clone(), methods.map(str::to_owned).to_vec())
    }
    "a load replays the session before it is answered" => |bench| {
        let session = bench.session().await?;
        bench.prompt(&session, "echo one").await?;
        bench.prompt(&session, "updates 2").await?;
        let from = bench.seen.lock().unwrap().updates.len();
        let load = LoadSessionRequest::new(session.clone(), folder());
        bench.cx.send_request(load).block_task().await?;
        let seen = bench.seen.lock().unwrap();
        let replayed = seen.updates[from..].iter().map(|told| match &told.update {
            SessionUpdate::UserMessageChunk(chunk) => ("user", text_of(&chunk.content)),
            SessionUpdate::AgentMessageChunk(chunk) => ("agent", text_of(&chunk.content)),
            _ => ("other", None),
        });
        let should = vec![
            ("user", Some("echo one".to_owned())),
            ("agent", Some(bench.said("one"))),
            ("user", Some("updates 2".to_owned())),
            ("agent", Some(bench.said("1"))),
            ("agent", Some(bench.said("2"))),
        ];
        equal(replayed.collect::<Vec<_>>(), should)
    }
    "a load of a session that is not there is refused, and the connection stays up" => |bench| {
        let session = bench.session().await?;
        let load = bench.cx.send_request(LoadSessionRequest::new("none", folder()));
        equal(code(load.block_task().await)?, -32002)?;
        up(&bench, &session).await
    }
    "a mode is set, which an update tells before the answer" => |bench| {
        let session = bench.session().await?;
        let request = SetSessionModeRequest::new(session, "code");
        bench.cx.send_request(request).block_task().await?;
        match &bench.seen.lock().unwrap().updates.first().map(|told| &told.update) {
            Some(SessionUpdate::CurrentModeUpdate(update)) => equal(&*update.current_mode_id.0, "code"),
            other => Err(wrong(format!("{other:?}"))),
        }
    }
    "an error answer to a prompt leaves the connection up" => |bench| {
        let session = bench.session().await?;
        let Err(error) = bench.prompt(&session, "error").await else {
            return Err(wrong("it is a result"));
        };
        equal(i32::from(error.code), 1234)?;
        equal(error.message.as_str(), "asked to fail")?;
        equal(error.data, Some(json!({ "word": "error" })))?;
        up(&bench, &session).await
    }
    "an error answer to session/new leaves the connection up" => |bench| {
        bench.initialize().await?;
        let Value::Object(meta) = json!({ "test": "refuse" }) else { unreachable!() };
        let request = NewSessionRequest::new(folder()).meta(meta);
        equal(code(bench.cx.send_request(request).block_task().await)?, 1235)?;
        let session = bench.new_session().await?;
        up(&bench, &session).await
    }
    "a method that nobody has is refused on both sides, and the connection stays up" => |bench| {
        let session = bench.session().await?;
        let unknown = UntypedMessage::new("_test/unknown", json!({ "sessionId": session }))?;
        equal(code(bench.cx.send_request(unknown).block_task().await)?, -32601)?;
        code(bench.prompt(&session, "terminal").await)?;
        equal(bench.seen.lock().unwrap().asked.clone(), vec!["terminal/create".to_owned()])?;
        up(&bench, &session).await
    }
    "extension methods and notifications go both ways" => |bench| {
        let session = bench.session().await?;
        ended(&bench, bench.prompt(&session, "ext there").await?, &["there and back"])?;
        equal(bench.seen.lock().unwrap().notes.clone(), vec!["there".to_owned()])?;
        let echo = Echo { value: "here".to_owned() };
        equal(bench.cx.send_request(echo).block_task().await?.value, "here".to_owned())?;
        for value in ["1", "2"] {
            bench.cx.send_notification(Note { value: value.to_owned() })?;
        }
        ended(&bench, bench.prompt(&session, "notes").await?, &["2"])
    }
    "unknown members in _meta survive, both ways" => |bench| {
        let session = bench.session().await?;
        let value = json!({ "test/a": { "deep": [1, null, { "b": "é" }] }, "traceparent": "00-0af7" });
        let Value::Object(meta) = value else { unreachable!() };
        let request = bench.request(&session, "meta").meta(meta.clone());
        let answer = bench.cx.send_request(request).block_task().await?;
        equal(bench.turn(&session, 0, answer).meta, Some(meta.clone()))?;
        equal(bench.seen.lock().unwrap().updates.last().and_then(|told| told.meta.clone()), Some(meta))
    }
    "an update of 1 MiB comes whole" => |bench| {
        let session = bench.session().await?;
        let turn = bench.prompt(&session, &format!("large {MIB}")).await?;
        let whole = turn.texts == [bench.said(&"x".repeat(MIB))];
        if whole { Ok(()) } else { Err(wrong("the text is another one")) }
    }
    "a prompt of 1 MiB comes whole" => |bench| {
        let session = bench.session().await?;
        let text = "ü".repeat(MIB / 2);
        let turn = bench.prompt(&session, &format!("echo {text}")).await?;
        if turn.texts == [bench.said(&text)] { Ok(()) } else { Err(wrong("the text is another one")) }
    }
    "10,000 updates come in order, and before the answer" => |bench| {
        let session = bench.session().await?;
        let turn = bench.prompt(&session, "updates 10000").await?;
        let should: Vec<_> = (1..=10_000).map(|n| bench.said(&n.to_string())).collect();
        equal(turn.texts.len(), should.len())?;
        if turn.texts == should { Ok(()) } else { Err(wrong("the order is another one")) }
    }
}
