//! A version 4 that somebody might write, and the version 3 of this crate, get along: what is new is skipped, left out, or
//! refused by name, and everything else goes on.
#![allow(missing_docs)] // Its messages are this file's own.

mod common;

use bytes::Bytes;
use sextant_protocol::{
    ClientMessage, ErrorCode, OLDEST_VERSION, PROTOCOL_VERSION, Progress, ProofKind, ProveRequest, Request,
    Response, ServerError, ServerMessage, StatementInput, Token,
    encoding::EncodingError,
    frame::MAX_FRAME,
    message,
    message::{MAGIC, common_version},
    record,
    wire::{Wire, from_bytes, to_bytes},
};

message! {
/// Messages of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage4 {
    0 = Hello {
        1 = magic: [u8; 8],
        2 = oldest: u32,
        3 = newest: u32,
        4 = agent: String,
        5 = capabilities: Vec<String>,
        6 = language: String = "en".into(),
    },
    2 = Request { 1 = id: u64, 2 = request: Request4, 3 = priority: u32 = 0 },
    5 = Compliment { 1 = text: String },
}
}

message! {
/// Requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request4 {
    0 = Ping,
    2 = Prove(request: ProveRequest4),
    17 = Estimate { 1 = input: Vec<u8> },
}
}

record! {
/// With fields before, between and behind those of version 3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProveRequest4 {
    0 = tenant: String = String::new(),
    1 = input: StatementInput,
    2 = kind: u32,
    6 = notify: bool = false,
}
}

message! {
/// Messages of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerMessage4 {
    0 = Welcome { 1 = version: u32, 2 = agent: String, 3 = capabilities: Vec<String>, 4 = motto: String = "".into() },
    1 = Refused(error: ServerError4),
    2 = Progress { 1 = id: u64, 2 = progress: Progress4, 3 = at_ms: u64 = 0 },
    3 = Answer { 1 = id: u64, 2 = result: Result<Response4, ServerError4> },
    9 = Notice { 1 = text: String },
}
}

message! {
/// Steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress4 {
    4 = Proving { 1 = done: u32, 2 = total: u32, 3 = percent: u32 = 0 },
    99 = Uploading { 1 = bytes: u64 },
}
}

message! {
/// Answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response4 {
    1 = Info(info: ServerInfo4),
    8 = Estimate { 1 = seconds: u64 },
}
}

record! {
/// What a server says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo4 {
    1 = agent: String,
    4 = kinds: Vec<u8> = Vec::new(),
    12 = region: String = String::new(),
}
}

record! {
/// An error with a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError4 {
    1 = code: u32,
    2 = message: String,
    3 = retry_after_ms: u64,
    4 = hint: String = "none".into(),
}
}

/// What `T` makes of another version's message.
fn read_as<T: Wire>(message: &impl Wire) -> Result<T, EncodingError> {
    from_bytes("message", Bytes::from(to_bytes(message)), MAX_FRAME)
}

fn input() -> StatementInput {
    StatementInput { program: 1, bytes: vec![1, 2, 3] }
}

#[test]
fn the_newest_common_version_is_spoken() {
    assert_eq!(common_version(OLDEST_VERSION, PROTOCOL_VERSION), Some(PROTOCOL_VERSION));
    assert_eq!(common_version(1, PROTOCOL_VERSION + 7), Some(PROTOCOL_VERSION));
    for (oldest, newest) in [(1, OLDEST_VERSION - 1), (PROTOCOL_VERSION + 1, PROTOCOL_VERSION + 7), (0, 0)] {
        assert_eq!(common_version(oldest, newest), None, "{oldest} to {newest}");
    }
    // Nor is a range that runs backwards one.
    assert_eq!(common_version(PROTOCOL_VERSION + 1, PROTOCOL_VERSION), None);
}

#[test]
fn a_later_clients_greeting_is_understood() {
    let hello = ClientMessage4::Hello {
        magic: MAGIC,
        oldest: 3,
        newest: 4,
        agent: "later".into(),
        capabilities: vec!["telepathy".into()],
        language: "de".into(),
    };
    let ClientMessage::Hello { oldest, newest, agent, capabilities, .. } = read_as(&hello).unwrap() else {
        panic!("a hello")
    };
    assert_eq!(
        (oldest, newest, agent.as_str(), &capabilities[..]),
        (3, 4, "later", &["telepathy".into()][..])
    );
    let back: ClientMessage4 = read_as(&ClientMessage::hello("earlier")).unwrap();
    assert!(matches!(back, ClientMessage4::Hello { newest: 3, language, .. } if language == "en"));
}

#[test]
fn a_later_clients_fields_are_skipped_and_its_requests_are_named() {
    let prove = ProveRequest4 { tenant: "somebody".into(), input: input(), kind: 1, notify: true };
    let request = ClientMessage4::Request { id: 7, request: Request4::Prove(prove.clone()), priority: 9 };
    let expected = ProveRequest::new(input(), ProofKind::Compressed);
    assert_eq!(
        read_as::<ClientMessage>(&request).unwrap(),
        ClientMessage::Request { id: 7, request: Request::Prove(expected) }
    );
    let estimate = Request4::Estimate { input: vec![1] };
    assert_eq!(
        read_as::<ClientMessage>(&ClientMessage4::Request { id: 8, request: estimate, priority: 0 }).unwrap(),
        ClientMessage::Request { id: 8, request: Request::Unknown(17) }
    );
    let compliment = ClientMessage4::Compliment { text: "well done".into() };
    assert_eq!(read_as::<ClientMessage>(&compliment).unwrap(), ClientMessage::Unknown(5));
    // A kind of proof that there is not yet is no message of this version, and its id is known.
    let newer = Request4::Prove(ProveRequest4 { kind: 17, ..prove });
    let message = ClientMessage4::Request { id: 9, request: newer, priority: 0 };
    let outcome = read_as::<ClientMessage>(&message);
    assert!(matches!(outcome, Err(EncodingError::Unknown { number: 17, .. })), "{outcome:?}");
    assert_eq!(ClientMessage::request_id(to_bytes(&message).into()), Some(9));
}

#[test]
fn an_earlier_clients_requests_have_defaults() {
    let request = Request::Prove(ProveRequest::new(input(), ProofKind::Stark));
    let read: ClientMessage4 = read_as(&ClientMessage::Request { id: 7, request }).unwrap();
    let prove = ProveRequest4 { tenant: String::new(), input: input(), kind: 0, notify: false };
    assert_eq!(read, ClientMessage4::Request { id: 7, request: Request4::Prove(prove), priority: 0 });
    let verify = ClientMessage::Request { id: 1, request: Request::verify(&common::record()) };
    let read: ClientMessage4 = read_as(&verify).unwrap();
    assert_eq!(read, ClientMessage4::Request { id: 1, request: Request4::Unknown(3), priority: 0 });
}

message! {
/// An introduction as servers wrote and read it before traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EarlierMessage {
    1 = Introduction { 1 = token: String, 2 = hops: u32, 3 = on_behalf: String },
}
}

/// Servers with and without traces forward to each other.
#[test]
fn a_server_that_says_no_trace_is_an_earlier_one() {
    let (hops, on_behalf) = (1, String::from("token alice"));
    let earlier = EarlierMessage::Introduction { token: "shared".into(), hops, on_behalf: on_behalf.clone() };
    let saying = |traceparent: Option<&str>| ClientMessage::Introduction {
        token: Token("shared".into()),
        hops,
        on_behalf: on_behalf.clone(),
        traceparent: traceparent.map(Into::into),
    };
    assert_eq!(to_bytes(&saying(None)), to_bytes(&earlier));
    assert_eq!(read_as::<ClientMessage>(&earlier).unwrap(), saying(None));
    let traced = saying(Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    assert_eq!(read_as::<ClientMessage>(&traced).unwrap(), traced);
    assert_eq!(read_as::<EarlierMessage>(&traced).unwrap(), earlier);
}

#[test]
fn a_later_servers_messages_are_read_as_far_as_they_are_known() {
    let step = Progress4::Proving { done: 1, total: 2, percent: 50 };
    assert_eq!(
        read_as::<ServerMessage>(&ServerMessage4::Progress { id: 7, progress: step, at_ms: 12 }).unwrap(),
        ServerMessage::Progress { id: 7, progress: Progress::Proving { done: 1, total: 2 } }
    );
    let step = Progress4::Uploading { bytes: 5 };
    assert_eq!(
        read_as::<ServerMessage>(&ServerMessage4::Progress { id: 7, progress: step, at_ms: 12 }).unwrap(),
        ServerMessage::Progress { id: 7, progress: Progress::Unknown(99) }
    );
    let notice = ServerMessage4::Notice { text: "maintenance at noon".into() };
    assert_eq!(read_as::<ServerMessage>(&notice).unwrap(), ServerMessage::Unknown(9));
    let estimate = ServerMessage4::Answer { id: 7, result: Ok(Response4::Estimate { seconds: 60 }) };
    assert_eq!(
        read_as::<ServerMessage>(&estimate).unwrap(),
        ServerMessage::Answer { id: 7, result: Ok(Response::Unknown(8)) }
    );
    let error = ServerError4 { code: 99, message: "no".into(), retry_after_ms: 5, hint: "try".into() };
    assert_eq!(
        read_as::<ServerMessage>(&ServerMessage4::Answer { id: 7, result: Err(error.clone()) }).unwrap(),
        ServerMessage::Answer { id: 7, result: Err(ServerError::retryable(ErrorCode::Other(99), "no", 5)) }
    );
    assert_eq!(
        read_as::<ServerMessage>(&ServerMessage4::Refused(error)).unwrap(),
        ServerMessage::Refused(ServerError::retryable(ErrorCode::Other(99), "no", 5))
    );
    let welcome = ServerMessage4::Welcome {
        version: 3,
        agent: "later".into(),
        capabilities: vec!["telepathy".into()],
        motto: "onwards".into(),
    };
    assert!(matches!(read_as::<ServerMessage>(&welcome), Ok(ServerMessage::Welcome { version: 3, .. })));
    // The kinds of proof that it makes: two that are known, and one that is not.
    let kinds = [&3_u64.to_le_bytes()[..], &[0; 4], &7_u32.to_le_bytes(), &1_u32.to_le_bytes()].concat();
    let raw = [&[1, 0, 4, 0], &(kinds.len() as u32).to_le_bytes()[..], &kinds].concat();
    let Response::Info(info) = from_bytes("response", raw.into(), 100).unwrap() else { panic!("an info") };
    assert_eq!(info.kinds, [ProofKind::Stark, ProofKind::Compressed]);
    assert!(info.ready && info.oldest_version == OLDEST_VERSION, "the rest has defaults");
}

#[test]
fn an_earlier_servers_messages_have_defaults() {
    let error = ServerError::retryable(ErrorCode::Busy, "full", 9);
    let read: ServerMessage4 = read_as(&ServerMessage::Answer { id: 1, result: Err(error) }).unwrap();
    let expected = ServerError4 { code: 6, message: "full".into(), retry_after_ms: 9, hint: "none".into() };
    assert_eq!(read, ServerMessage4::Answer { id: 1, result: Err(expected) });
    let pong = ServerMessage::Answer { id: 1, result: Ok(Response::Pong) };
    let read: ServerMessage4 = read_as(&pong).unwrap();
    assert_eq!(read, ServerMessage4::Answer { id: 1, result: Ok(Response4::Unknown(0)) });
}
