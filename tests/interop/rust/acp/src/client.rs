//! A client that drives an agent through the cases, and prints a line of JSON for each.
use crate::bench::{Answers, Bench, Seen, tell};
use crate::cases::{CASES, Case};
use crate::echo::{Echo, Echoed, Note};
use agent_client_protocol::v1::ConnectionTo;
use agent_client_protocol::v1::schema::{
    AgentRequest, ClientResponse, CreateTerminalResponse, ReadTextFileResponse,
    ReleaseTerminalResponse, RequestPermissionOutcome, RequestPermissionResponse,
    SelectedPermissionOutcome, SessionNotification, TerminalExitStatus, TerminalOutputResponse,
    WaitForTerminalExitResponse, WriteTextFileResponse,
};
use agent_client_protocol::{
    AcpAgent, AcpAgentConfig, Agent, Client, Error, JsonRpcMessage, JsonRpcResponse, Result,
};
use futures::channel::oneshot;
use serde_json::json;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Instant;

fn answer(request: AgentRequest, answers: &Answers) -> Result<ClientResponse> {
    let absent = Error::method_not_found;
    Ok(match request {
        AgentRequest::ReadTextFileRequest(_) => {
            let file = answers
                .file
                .ok_or_else(|| Error::new(-32002, "Resource not found"))?;
            ClientResponse::ReadTextFileResponse(ReadTextFileResponse::new(file))
        }
        AgentRequest::WriteTextFileRequest(_) => {
            ClientResponse::WriteTextFileResponse(WriteTextFileResponse::new())
        }
        AgentRequest::CreateTerminalRequest(_) => {
            answers.terminal.ok_or_else(absent)?;
            ClientResponse::CreateTerminalResponse(CreateTerminalResponse::new("terminal 1"))
        }
        AgentRequest::WaitForTerminalExitRequest(_) => {
            let status = TerminalExitStatus::new().exit_code(3);
            ClientResponse::WaitForTerminalExitResponse(WaitForTerminalExitResponse::new(status))
        }
        AgentRequest::TerminalOutputRequest(_) => {
            let output = answers.terminal.ok_or_else(absent)?;
            ClientResponse::TerminalOutputResponse(TerminalOutputResponse::new(output, false))
        }
        AgentRequest::ReleaseTerminalRequest(_) => {
            ClientResponse::ReleaseTerminalResponse(ReleaseTerminalResponse::new())
        }
        _ => return Err(absent()),
    })
}

async fn run(case: Case, agent: &[String], arrows: usize, seen: Arc<Mutex<Seen>>) -> Result<()> {
    let (command, args) = agent.split_first().ok_or_else(Error::invalid_params)?;
    let agent = AcpAgent::new(AcpAgentConfig::new(command).args(args.iter().cloned()));
    let answers = Arc::new(Mutex::new(Answers::default()));
    let (told, asked, noted, policy) = (seen.clone(), seen.clone(), seen.clone(), answers.clone());
    Client
        .v1()
        .name("rust-client")
        .on_receive_notification(
            async move |notice: SessionNotification, _| {
                let mut seen = told.lock().unwrap();
                seen.updates.push(notice);
                tell(&mut seen);
                Ok(())
            },
            agent_client_protocol::on_receive_notification!(),
        )
        .on_receive_request(
            async move |request: Echo, responder, _| {
                responder.respond(Echoed {
                    value: format!("{} and back", request.value),
                })
            },
            agent_client_protocol::on_receive_request!(),
        )
        .on_receive_notification(
            async move |note: Note, _| {
                noted.lock().unwrap().notes.push(note.value);
                Ok(())
            },
            agent_client_protocol::on_receive_notification!(),
        )
        .on_receive_request(
            async move |request: AgentRequest, responder, cx: ConnectionTo<Agent>| {
                let (hold, held) = oneshot::channel();
                let method = request.method().to_owned();
                {
                    let message = request.to_untyped_message()?;
                    let mut seen = asked.lock().unwrap();
                    seen.asked.push(message.method);
                    seen.params.push(message.params);
                    seen.permission = Some(hold);
                    tell(&mut seen);
                }
                if !matches!(request, AgentRequest::RequestPermissionRequest(_)) {
                    let answer = answer(request, &policy.lock().unwrap());
                    return responder
                        .respond_with_result(answer.and_then(|it| it.into_json(&method)));
                }
                let select = policy.lock().unwrap().select;
                cx.spawn(async move {
                    let outcome = match select {
                        Some(id) => {
                            RequestPermissionOutcome::Selected(SelectedPermissionOutcome::new(id))
                        }
                        None => {
                            let _ = held.await;
                            RequestPermissionOutcome::Cancelled
                        }
                    };
                    let answer = RequestPermissionResponse::new(outcome);
                    let answer = ClientResponse::RequestPermissionResponse(answer);
                    responder.respond_with_result(answer.into_json(&method))
                })
            },
            agent_client_protocol::on_receive_request!(),
        )
        .connect_with(agent, async move |cx: ConnectionTo<Agent>| {
            case(Bench {
                cx,
                seen,
                answers,
                arrows,
            })
            .await
        })
        .await
}

pub fn main(args: Vec<String>) -> ExitCode {
    let Some(at) = args.iter().position(|arg| arg == "--") else {
        eprintln!("usage: sluice-acp-peer client [--arrows N] -- <agent command>");
        return ExitCode::from(2);
    };
    let (options, agent) = (&args[..at], &args[at + 1..]);
    let option = |name: &str| {
        let at = options.iter().position(|option| option == name)?;
        options.get(at + 1).cloned()
    };
    let arrows = option("--arrows").map_or(0, |n| n.parse().expect("--arrows needs a number"));
    if option("--script").is_some_and(|script| script != "words") {
        return ExitCode::SUCCESS; // the cases here are those of the words
    }
    let mut code = ExitCode::SUCCESS;
    for (name, case) in CASES {
        let started = Instant::now();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let ran = futures::executor::block_on(run(*case, agent, arrows, seen.clone()));
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let seen = seen.lock().unwrap();
        let saw = json!({ "updates": seen.updates.len(), "asked": seen.asked });
        let mut line = json!({ "name": name, "status": "passed", "ms": ms, "saw": saw });
        if let Err(error) = ran {
            line["status"] = json!("failed");
            line["reason"] = json!(error.to_string());
            code = ExitCode::FAILURE;
        }
        println!("{line}");
    }
    code
}
