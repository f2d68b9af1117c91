//! rapace-core 0.2: the same wire, its dispatcher knows nothing of NO_REPLY, and its tunnels are chunks in a channel.

use std::sync::Arc;

use rapace_core_02::{
    ErrorCode, Frame, FrameFlags, MsgDescHot, RpcError, RpcSession, TunnelChunk,
    parse_error_payload,
};
use rapace_transport_stream::StreamTransport;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Receiver;

use crate::wire;

type Session = Arc<RpcSession<StreamTransport<ReadHalf<TcpStream>, WriteHalf<TcpStream>>>>;

pub async fn run(stream: TcpStream, first_channel: u32) {
    let transport = Arc::new(StreamTransport::new(stream));
    let session = Arc::new(RpcSession::with_channel_start(transport, first_channel));
    // Held by its own dispatcher it would keep its socket for ever.
    let serving = Arc::downgrade(&session);
    session.set_dispatcher(move |channel, method, payload| {
        dispatch(
            serving.upgrade().expect("it runs"),
            channel,
            method,
            payload,
        )
    });
    let _ = session.run().await;
}

fn frame_of(channel: u32, flags: FrameFlags, payload: Vec<u8>) -> Frame {
    let mut desc = MsgDescHot::new();
    desc.channel_id = channel;
    desc.flags = flags;
    match Frame::with_inline_payload(desc, &payload) {
        Some(frame) => frame,
        None => Frame::with_payload(desc, payload),
    }
}

fn error(code: ErrorCode, message: &str) -> RpcError {
    RpcError::Status {
        code,
        message: message.into(),
    }
}

async fn dispatch(
    session: Session,
    channel: u32,
    method: u32,
    payload: Vec<u8>,
) -> Result<Frame, RpcError> {
    let answer = match method {
        wire::ADD => wire::add(&payload),
        wire::ECHO => payload,
        wire::FAIL => return Err(error(ErrorCode::InvalidArgument, "test error message")),
        wire::RANGE => {
            for n in 0..wire::take_u32(&payload).0 {
                let item = frame_of(channel, FrameFlags::DATA, wire::put_u32(n));
                session.send_response(&item).await?;
            }
            return Ok(frame_of(channel, FrameFlags::EOS, Vec::new()));
        }
        wire::OPEN => {
            let tunnel = session.next_channel_id();
            let chunks = session.register_tunnel(tunnel);
            let answering = session.clone();
            tokio::spawn(async move {
                let text = all_of(chunks).await;
                let _ = answering
                    .send_chunk(tunnel, format!("{text}!").into_bytes())
                    .await;
                let _ = answering.close_tunnel(tunnel).await;
            });
            wire::put_u32(tunnel)
        }
        wire::BACK => {
            let mut both = call(&session, wire::GET, payload.clone()).await?;
            both.extend(call(&session, wire::GET, payload).await?);
            both
        }
        wire::DRIVE => drive(session).await.into_bytes(),
        unknown => {
            return Err(error(
                ErrorCode::Unimplemented,
                &format!("unknown method_id: {unknown}"),
            ));
        }
    };
    Ok(frame_of(
        channel,
        FrameFlags::DATA | FrameFlags::EOS,
        answer,
    ))
}

async fn all_of(mut chunks: Receiver<TunnelChunk>) -> String {
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.recv().await {
        bytes.extend(chunk.payload);
        if chunk.is_eos {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn call(session: &Session, method: u32, payload: Vec<u8>) -> Result<Vec<u8>, RpcError> {
    let answer = session
        .call(session.next_channel_id(), method, payload)
        .await?;
    if answer.flags.contains(FrameFlags::ERROR) {
        return Err(parse_error_payload(&answer.payload));
    }
    Ok(answer.payload)
}

fn said(answer: Result<Vec<u8>, RpcError>) -> String {
    match answer {
        Ok(bytes) => format!("{bytes:?}"),
        Err(RpcError::Status { code, message }) => format!("{code:?} {message}"),
        Err(other) => format!("{other:?}"),
    }
}

/// Calls the other end, and says what came of it.
async fn drive(session: Session) -> String {
    let mut lines = Vec::new();
    let sum = call(
        &session,
        wire::ADD,
        [wire::put_i32(-20), wire::put_i32(62)].concat(),
    )
    .await;
    lines.push(format!(
        "add {}",
        sum.map_or_else(|e| said(Err(e)), |b| wire::take_i32(&b).0.to_string())
    ));
    lines.push(format!(
        "fail {}",
        said(call(&session, wire::FAIL, Vec::new()).await)
    ));
    lines.push(format!(
        "missing {}",
        said(call(&session, 1, Vec::new()).await)
    ));
    let blob = wire::pattern(200_000);
    let back = call(&session, wire::ECHO, blob.clone()).await;
    lines.push(format!("blob {}", back.is_ok_and(|bytes| bytes == blob)));
    for (name, method) in [("range", wire::RANGE), ("torn", wire::TORN)] {
        let mut items = session
            .start_streaming_call(method, wire::put_u32(3))
            .await
            .expect("stream");
        let mut seen = Vec::new();
        while let Some(chunk) = items.recv().await {
            seen.push(item(&chunk));
            if chunk.is_eos {
                break;
            }
        }
        lines.push(format!("{name} {}", seen.join(" ")));
    }
    let opened = call(&session, wire::OPEN, Vec::new())
        .await
        .expect("a tunnel");
    let tunnel = wire::take_u32(&opened).0;
    let chunks = session.register_tunnel(tunnel);
    let _ = session.send_chunk(tunnel, b"half-closed".to_vec()).await;
    let _ = session.close_tunnel(tunnel).await;
    lines.push(format!("pipe {}", all_of(chunks).await));
    lines.join("\n")
}

fn item(chunk: &TunnelChunk) -> String {
    if chunk.is_error {
        said(Err(parse_error_payload(&chunk.payload)))
    } else if chunk.is_eos && chunk.payload.is_empty() {
        "end".into()
    } else {
        wire::take_u32(&chunk.payload).0.to_string()
    }
}
