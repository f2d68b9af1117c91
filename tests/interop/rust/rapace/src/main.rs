//! A peer of the published rapace crates, for tests of `@sluice/rapace`.
//!
//! `sluice-rapace-peer <0.5|0.2> <tcp|ws> listen` prints `listening <address>` and serves each connection as the acceptor;
//! `… dial <address>` opens one as the initiator. It ends when its input does.
//! What it serves is in `wire.rs`; `Drive.run` makes it call the other end, and answers with what it saw.

mod v02;
mod v05;
mod wire;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Copy)]
enum Over {
    Tcp,
    Ws,
}

async fn serve(version: &str, over: Over, stream: TcpStream, is_initiator: bool) {
    stream.set_nodelay(true).expect("nodelay");
    let first_channel = if is_initiator { 1 } else { 2 };
    match (version, over) {
        ("0.5", Over::Tcp) => v05::run(rapace_core::Transport::stream(stream), first_channel).await,
        ("0.5", Over::Ws) => {
            let ws = if is_initiator {
                let url = format!("ws://{}/", stream.peer_addr().expect("address"));
                tokio_tungstenite::client_async(url, stream)
                    .await
                    .expect("handshake")
                    .0
            } else {
                tokio_tungstenite::accept_async(stream)
                    .await
                    .expect("handshake")
            };
            v05::run(rapace_core::Transport::websocket(ws), first_channel).await
        }
        ("0.2", Over::Tcp) => v02::run(stream, first_channel).await,
        _ => panic!("0.2 is spoken over TCP only"),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // `Panic.panic` does it on purpose, and its caller is told.
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() != Some("on purpose") {
            told(info);
        }
    }));
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (version, over, address) = match args[..] {
        [version, over, "listen"] => (version, over, None),
        [version, over, "dial", address] => (version, over, Some(address)),
        _ => panic!("usage: sluice-rapace-peer <0.5|0.2> <tcp|ws> <listen|dial address>"),
    };
    let version: &'static str = if version == "0.5" { "0.5" } else { "0.2" };
    let over = if over == "ws" { Over::Ws } else { Over::Tcp };
    let work = async {
        if let Some(address) = address {
            let stream = TcpStream::connect(address).await.expect("connect");
            serve(version, over, stream, true).await;
            return;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        println!("listening {}", listener.local_addr().expect("address"));
        loop {
            let (stream, _) = listener.accept().await.expect("accept");
            tokio::spawn(serve(version, over, stream, false));
        }
    };
    let input_ended = async {
        let (ended, wait) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let _ = std::io::Read::read_to_end(&mut std::io::stdin(), &mut Vec::new());
            let _ = ended.send(());
        });
        let _ = wait.await;
    };
    tokio::select! {
        () = work => {}
        () = input_ended => {}
    }
}

/// Reads a whole stream.
pub async fn read_text(mut from: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut text = String::new();
    match from.read_to_string(&mut text).await {
        Ok(_) => text,
        Err(error) => format!("{text} then {error}"),
    }
}
