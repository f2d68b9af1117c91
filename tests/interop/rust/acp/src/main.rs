//! The Agent Client Protocol's own crate as a peer to test against, over stdio:
//!
//!   sluice-acp-peer agent                                   does what the words of tests/src/interop/acp/cases.ts say
//!   sluice-acp-peer client [--arrows N] -- <agent command>  drives an agent through the same cases
//!   sluice-acp-peer proxy                                   puts a `>` before every text of the agent's
mod agent;
mod bench;
mod cases;
mod client;
mod echo;
mod proxy;
mod turn;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let ran = match args.next().as_deref() {
        Some("agent") => futures::executor::block_on(agent::run()),
        Some("proxy") => futures::executor::block_on(proxy::run()),
        Some("client") => return client::main(args.collect()),
        _ => {
            eprintln!(
                "usage: sluice-acp-peer agent | proxy | client [--arrows N] -- <agent command>"
            );
            return ExitCode::from(2);
        }
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
