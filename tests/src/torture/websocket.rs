//! Broken WebSocket frames (RFC 6455), and broken messages in frames that are whole.

use std::time::Duration;

use sextant_protocol::{ClientMessage, Token, wire};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    Form,
    frames::{CORPUS, Random, refusable, undecodable},
    outcome::Outcome,
    peer::Peer,
    tortured::Tortured,
};

/// Longest that the server may take to end a connection.
const PATIENCE: Duration = Duration::from_secs(60);

/// A frame's first byte: the last of its message, with such content.
const LAST: u8 = 0x80;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const PING: u8 = 9;

/// Connections, each with some frames that are good and then one that is not, which ends it.
pub(super) async fn frames(form: Form) -> Outcome {
    let mut tortured =
        Tortured::start(&["--warm=false", "--client-requests", "100000", "--http-listen", "127.0.0.1:0"]);
    let mut random = Random(0x0dd_f00d);
    let (mut sent, mut connections, mut told) = (0, 0, 0);
    let mut outcome = Outcome::default();
    while sent < form.pick(2_000, 100_000) {
        let (frames, heard) = connection(tortured.http(), &mut random, connections % 2 == 0).await;
        (sent, connections, told) = (sent + frames, connections + 1, told + heard);
        if connections == 100 {
            tortured.is_warm();
        }
    }
    outcome.row("frames sent", sent);
    outcome.row("  connections ended over broken ones", connections);
    outcome.row("  bytes answered", told);
    // Others are served as ever.
    Peer::connect(tortured.address()).await.ping().await;
    tortured.end("the server", 50, &mut outcome).await;
    outcome
}

/// How many frames a connection had, and how many bytes were answered until the server ended it.
async fn connection(address: &str, random: &mut Random, greets: bool) -> (usize, usize) {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let request = format!(
        "GET /v1/rpc HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let head = head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");

    let mut bodies = Vec::new();
    if greets {
        let (token, on_behalf) = (Token(String::new()), String::new());
        bodies.push(ClientMessage::hello("torture"));
        bodies.push(ClientMessage::Introduction { token, hops: 0, on_behalf, traceparent: None });
        for id in 0..random.below(20) as u64 {
            let seed = &CORPUS[random.below(CORPUS.len())];
            bodies.push(ClientMessage::Request { id, request: refusable(seed, random) });
        }
    }
    let frames = bodies.len() + 1;
    let mut bytes: Vec<u8> =
        bodies.iter().flat_map(|body| frame(LAST | BINARY, &wire::to_bytes(body), random)).collect();
    bytes.extend(broken(random));
    // It may close before it has read all.
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
    let mut answered = Vec::new();
    // A connection that is reset has ended too.
    let _ =
        timeout(PATIENCE, stream.read_to_end(&mut answered)).await.expect("the server ends the connection");
    (frames, answered.len())
}

/// The head of the answer, without what follows.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, stream.read_u8()).await.expect("an answer").expect("an answer"));
    }
    String::from_utf8(head).expect("a head of ASCII")
}

/// A frame as a client has to send it: masked.
fn frame(first: u8, body: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = vec![first];
    match body.len() {
        length @ ..126 => bytes.push(0x80 | length as u8),
        length @ ..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    let mask = (random.next() as u32).to_be_bytes();
    bytes.extend(mask);
    bytes.extend(body.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// A frame that is none, or that holds no message.
fn broken(random: &mut Random) -> Vec<u8> {
    let body = undecodable(&CORPUS[random.below(CORPUS.len())], random);
    let short = &body[..body.len().min(100)];
    match random.below(11) {
        0 => frame(LAST | TEXT, short, random),
        // Not masked.
        1 => [&[LAST | BINARY, short.len() as u8], short].concat(),
        // Bits that mean nothing here, and kinds that do not exist.
        2 => frame(LAST | BINARY | 0x10 << random.below(3), short, random),
        3 => frame(LAST | [3, 4, 5, 6, 7, 11, 12, 13, 14, 15][random.below(10)], short, random),
        // Control frames come whole, and are short.
        4 => frame(PING, short, random),
        5 => frame(LAST | PING, &[0; 126], random),
        // The rest of a message that has not begun, and a message that begins within another.
        6 => frame(LAST, short, random),
        7 => [frame(BINARY, short, random), frame(LAST | BINARY, short, random)].concat(),
        // More than there can be, and more than comes.
        8 => [&[LAST | BINARY, 0xff][..], &(u64::MAX >> random.below(40)).to_be_bytes()].concat(),
        9 => {
            let mut whole = frame(LAST | BINARY, &body, random);
            whole.truncate(random.below(whole.len()).max(1));
            whole
        }
        _ => frame(LAST | BINARY, &body, random),
    }
}
