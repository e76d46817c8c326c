//! A client that reads slowly and steadily: it gets all that it has asked for, however long that takes.

use std::time::{Duration, Instant};

use sextant_protocol::{
    ClientMessage, Request, Response, ServerMessage, Token,
    frame::{MAX_FRAME, MessageReader},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    net::{TcpSocket, tcp::OwnedReadHalf},
};

use super::{Form, outcome::Outcome, peer::frame, statements::committee_changes, tortured::Tortured};
use crate::scripted::Script;

/// Bytes of each of the two proofs: together more than the sockets' buffers take.
const PROOF: usize = 3 << 20;

/// Two proofs on one connection to a client that reads `60 kB/s`, a ping among them.
pub(super) async fn is_served(form: Form) -> Outcome {
    let (rate, patience) = form.pick((2_000_000, "1"), (60_000, "30"));
    let folder = tempfile::tempdir().expect("a folder");
    let script = Script { prove: Duration::ZERO, verify: Duration::ZERO, bytes: PROOF };
    let worker = script.install(folder.path()).display().to_string();
    let tortured =
        Tortured::start(&["--warm=false", "--worker-program", &worker, "--write-timeout", patience]);

    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(32 << 10).expect("a small buffer");
    let stream = socket.connect(tortured.address().parse().expect("an address")).await.expect("connects");
    let (read, mut write) = stream.into_split();
    let (slow, near) = tokio::io::duplex(16 << 10);
    tokio::spawn(read_slowly(read, slow, rate));
    let mut messages: MessageReader<_, ServerMessage> = MessageReader::new(near, MAX_FRAME, "server message");

    let introduction = ClientMessage::Introduction {
        token: Token::default(),
        hops: 0,
        on_behalf: String::new(),
        traceparent: None,
    };
    let mut asked = [frame(&ClientMessage::hello("torture")), frame(&introduction)].concat();
    for (id, request) in (1..).zip(committee_changes().into_iter().take(2)) {
        asked.extend(frame(&ClientMessage::Request { id, request }));
    }
    let start = Instant::now();
    write.write_all(&asked).await.expect("the server reads");
    let (mut came, mut whole, mut pong_at) = (0, 0, None);
    let mut due = [0_u64; 3];
    let mut end = None;
    while whole < 2 || pong_at.is_none() {
        match messages.next().await {
            Ok(Some(ServerMessage::Answer { id, result: Ok(Response::Proof(proof)) })) => {
                came += proof.record.len();
                due[id as usize] = proof.more;
                if pong_at.is_none() && came < PROOF / 2 {
                    let ping = ClientMessage::Request { id: 3, request: Request::Ping };
                    write.write_all(&frame(&ping)).await.expect("the server reads");
                }
            }
            Ok(Some(ServerMessage::Part { id, bytes, .. })) => {
                came += bytes.len();
                due[id as usize] -= bytes.len() as u64;
                whole += usize::from(due[id as usize] == 0);
            }
            Ok(Some(ServerMessage::Answer { id: 3, result: Ok(Response::Pong) })) => pong_at = Some(came),
            Ok(Some(ServerMessage::Progress { .. } | ServerMessage::Welcome { .. })) => {}
            other => {
                end = Some(format!("{other:?}"));
                break;
            }
        }
    }
    let took = start.elapsed();
    let mut outcome = Outcome::default();
    outcome.row("bytes a second that it read", rate);
    outcome.row("proofs that came whole", format!("{whole}, {came} bytes in {:.1} s", took.as_secs_f64()));
    let pong = pong_at.map_or("never".into(), |at| format!("after {at} bytes"));
    outcome.row("a pong among them", pong);
    outcome.check(whole == 2, format!("{whole} of 2 proofs: {}", end.unwrap_or_default()));
    outcome.check(pong_at.is_some_and(|at| at < 2 * PROOF), "the pong waited for the proofs");
    tortured.end("the server", 50, &mut outcome).await;
    outcome
}

/// Hands on what comes, so many bytes a second.
async fn read_slowly(mut from: OwnedReadHalf, mut to: DuplexStream, rate: usize) {
    const PAUSE: Duration = Duration::from_millis(100);
    let mut bytes = vec![0; rate / 10];
    loop {
        match from.read(&mut bytes).await {
            Ok(count @ 1..) if to.write_all(&bytes[..count]).await.is_ok() => {}
            _ => return,
        }
        tokio::time::sleep(PAUSE).await;
    }
}
