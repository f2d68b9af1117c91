//! rapace-core 0.5.
//!
//! Tunnels are written by chunks: a `TunnelStream` of 0.5 sends bytes again whose write had to wait, as it has to
//! wherever another task of the session sends.

use std::sync::Arc;

use rapace_core::{
    ErrorCode, Frame, FrameFlags, MsgDescHot, RpcError, RpcSession, Transport, TunnelChunk,
    parse_error_payload,
};
use tokio::io::AsyncWriteExt;

use crate::{read_text, wire};

type Session = Arc<RpcSession>;

pub async fn run(transport: Transport, first_channel: u32) {
    let session = Arc::new(RpcSession::with_channel_start(transport, first_channel));
    // Held by its own dispatcher it would keep its socket for ever.
    let serving = Arc::downgrade(&session);
    session.set_dispatcher(move |frame| dispatch(serving.upgrade().expect("it runs"), frame));
    let _ = session.clone().run().await;
    // Or a WebSocket stays open: the task that writes it holds what would end it.
    session.close();
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

async fn dispatch(session: Session, request: Frame) -> Result<Frame, RpcError> {
    let channel = request.desc.channel_id;
    let payload = request.payload_bytes().to_vec();
    let answer = match request.desc.method_id {
        wire::ADD => wire::add(&payload),
        wire::ECHO => payload,
        wire::FAIL => return Err(error(ErrorCode::InvalidArgument, "test error message")),
        wire::PANIC => panic!("on purpose"),
        wire::RANGE | wire::TORN => {
            stream(&session, channel, request.desc.method_id, &payload).await?;
            Vec::new()
        }
        wire::OPEN => {
            let (handle, mut tunnel) = session.open_tunnel_stream();
            let sending = session.clone();
            tokio::spawn(async move {
                let text = format!("{}!", read_text(&mut tunnel).await);
                let _ = sending.send_chunk(handle.channel_id, text.into()).await;
                let _ = tunnel.shutdown().await;
            });
            wire::put_u32(handle.channel_id)
        }
        wire::FLOOD => {
            let channel = session.next_channel_id();
            let mut chunks = session.register_tunnel(channel);
            let bytes = wire::pattern(wire::take_u32(&payload).0 as usize);
            let sending = session.clone();
            tokio::spawn(async move {
                for chunk in bytes.chunks(4096) {
                    let _ = sending.send_chunk(channel, chunk.to_vec()).await;
                }
                let _ = sending.close_tunnel(channel).await;
                while chunks.recv().await.is_some_and(|chunk| !chunk.is_eos()) {}
            });
            wire::put_u32(channel)
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

async fn stream(
    session: &Session,
    channel: u32,
    method: u32,
    payload: &[u8],
) -> Result<(), RpcError> {
    let send = |flags, payload| session.send_response(frame_of(channel, flags, payload));
    if method == wire::TORN {
        send(FrameFlags::DATA, wire::put_u32(7)).await?;
        let mut torn = (ErrorCode::DataLoss as u32).to_le_bytes().to_vec();
        torn.extend(4_u32.to_le_bytes());
        torn.extend(b"torn");
        return send(FrameFlags::ERROR | FrameFlags::EOS, torn).await;
    }
    for n in 0..wire::take_u32(payload).0 {
        send(FrameFlags::DATA, wire::put_u32(n)).await?;
    }
    send(FrameFlags::EOS, Vec::new()).await
}

async fn call(session: &Session, method: u32, payload: Vec<u8>) -> Result<Vec<u8>, RpcError> {
    let answer = session
        .call(session.next_channel_id(), method, payload)
        .await?;
    if answer.flags().contains(FrameFlags::ERROR) {
        return Err(parse_error_payload(answer.payload_bytes()));
    }
    Ok(answer.payload_bytes().to_vec())
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
            let ends = chunk.is_eos();
            seen.push(item(&chunk));
            if ends {
                break;
            }
        }
        lines.push(format!("{name} {}", seen.join(" ")));
    }
    let opened = call(&session, wire::OPEN, Vec::new())
        .await
        .expect("a tunnel");
    let mut tunnel = session.tunnel_stream(wire::take_u32(&opened).0);
    let channel = tunnel.channel_id();
    let _ = session.send_chunk(channel, b"half-closed".to_vec()).await;
    let _ = tunnel.shutdown().await;
    lines.push(format!("pipe {}", read_text(tunnel).await));
    session
        .notify(wire::ADD, Vec::new())
        .await
        .expect("a notification");
    lines.push(format!(
        "waiting {:?} {:?}",
        session.pending_channel_ids(),
        session.tunnel_channel_ids()
    ));
    lines.join("\n")
}

fn item(chunk: &TunnelChunk) -> String {
    if chunk.is_error() {
        said(Err(parse_error_payload(chunk.payload_bytes())))
    } else if chunk.is_eos() && chunk.payload_bytes().is_empty() {
        "end".into()
    } else {
        wire::take_u32(chunk.payload_bytes()).0.to_string()
    }
}
