//! Bytes that no honest peer sends: each is an error of the right kind.

mod common;

use common::{client_messages, record, server_messages, vector};
use serde::de::DeserializeOwned;
use sextant_protocol::{
    ClientMessage, ErrorCode, Progress, ProofKind, ProofRecord, Request, Response, ServerMessage, Token,
    encoding::{EncodingError, decode, encode},
    frame::{FrameError, MAX_CLIENT_FRAME, MAX_HANDSHAKE_FRAME, MessageReader},
    message::{OPENING, Opening, RequestCaps},
    proof::{MAX_RECORD, ProofFileError},
};
use sha2::{Digest, Sha256};

fn refused<T: DeserializeOwned + std::fmt::Debug>(what: &str, bytes: &[u8]) {
    let outcome = decode::<T>("message", bytes, MAX_CLIENT_FRAME);
    assert!(matches!(outcome, Err(EncodingError::Malformed { .. })), "{what}: {outcome:?}");
}

async fn read(bytes: &[u8], cap: usize) -> Result<Option<ClientMessage>, FrameError> {
    MessageReader::new(bytes, cap, "client message").next().await
}

/// Whichever message: cut short anywhere or lengthened by one byte, it is refused.
#[test]
fn truncated_and_trailing_bytes_are_refused() {
    for (name, message) in client_messages() {
        cut_and_lengthen::<ClientMessage>(name, encode(&message));
    }
    for (name, messages) in server_messages() {
        for message in messages {
            cut_and_lengthen::<ServerMessage>(name, encode(&message));
        }
    }
}

fn cut_and_lengthen<T: DeserializeOwned + std::fmt::Debug>(name: &str, mut bytes: Vec<u8>) {
    for length in 0..bytes.len() {
        refused::<T>(&format!("{name} cut to {length}"), &bytes[..length]);
    }
    bytes.push(0);
    refused::<T>(&format!("{name} with a byte more"), &bytes);
}

#[tokio::test]
async fn a_torn_frame_is_an_error_and_a_clean_end_is_none() {
    let bytes = vector("client-prove");
    assert!(read(&[], MAX_CLIENT_FRAME).await.unwrap().is_none(), "a clean end");
    for length in 1..bytes.len() {
        let outcome = read(&bytes[..length], MAX_CLIENT_FRAME).await;
        assert!(matches!(outcome, Err(FrameError::Io(_))), "torn at {length}: {outcome:?}");
    }
}

#[tokio::test]
async fn the_handshake_cap_ends_with_the_handshake() {
    let mut bytes = vector("client-hello");
    let mut long = record();
    long.proof = vec![7; 2 * MAX_HANDSHAKE_FRAME];
    let body = encode(&ClientMessage::Request { id: 1, request: Request::Verify(long) });
    bytes.extend((body.len() as u32).to_be_bytes());
    bytes.extend(body);

    for raise in [true, false] {
        let mut reader =
            MessageReader::<_, ClientMessage>::new(&bytes[..], MAX_HANDSHAKE_FRAME, "client message");
        assert!(matches!(reader.next().await, Ok(Some(ClientMessage::Hello { .. }))));
        if raise {
            reader.set_cap(MAX_CLIENT_FRAME);
        }
        assert_eq!(reader.next().await.is_ok(), raise);
    }
}

#[tokio::test]
async fn an_empty_frame_is_malformed() {
    let outcome = read(&[0; 4], MAX_CLIENT_FRAME).await;
    assert!(matches!(outcome, Err(FrameError::Encoding(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_malformed_message_leaves_the_stream_readable() {
    let mut bytes = vec![0, 0, 0, 1, 0xff];
    bytes.extend(vector("client-ping"));
    let mut reader = MessageReader::<_, ClientMessage>::new(&bytes[..], MAX_CLIENT_FRAME, "client message");
    assert!(matches!(reader.next().await, Err(FrameError::Encoding(_))));
    assert!(matches!(reader.next().await, Ok(Some(ClientMessage::Request { id: 10, .. }))));
}

/// Step by step as a server reads: what a frame is for is known before it is read, and it can be skipped.
#[tokio::test]
async fn a_frame_shows_its_opening_and_can_be_skipped() {
    let caps = RequestCaps { input: 1000, record: 2000 };
    let mut bytes = vector("client-prove");
    bytes.extend(vector("client-ping"));
    let mut reader = MessageReader::<_, ClientMessage>::new(&bytes[..], MAX_CLIENT_FRAME, "client message");
    assert!(reader.begin().await.unwrap());
    let (length, opening) = reader.opening(OPENING).await.unwrap();
    assert_eq!((length, caps.of(opening)), (43, Opening { id: Some(7), cap: 1128 }));
    reader.skip().await.unwrap();
    assert!(matches!(reader.next().await, Ok(Some(ClientMessage::Request { id: 10, .. }))));
    assert!(!reader.begin().await.unwrap(), "a clean end");

    for (name, expected) in [
        ("client-prove-by", Opening { id: Some(7), cap: 1128 }),
        ("client-verify", Opening { id: Some(8), cap: 2128 }),
        ("client-ping", Opening { id: Some(10), cap: 128 }),
        ("client-cancel", Opening { id: None, cap: 128 }),
    ] {
        assert_eq!(caps.of(&vector(name)[4..]), expected, "{name}");
    }
    for opening in [&[][..], &[1], &[1, 0, 0, 0], &[1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0], &[0xff; 16]] {
        assert_eq!(caps.of(opening).cap, 128, "{opening:?}");
    }
}

/// An answer sent in two pieces is the answer.
#[test]
fn the_start_of_an_answer_is_its_encoding() {
    let answer = vector("server-verified");
    let response = encode(&Response::Verified);
    assert_eq!([&ServerMessage::answer_start(8)[..], &response].concat(), answer[4..]);
}

#[test]
fn a_token_is_never_shown() {
    let shown = format!("{:?}", Token("correct-horse-battery".into()));
    assert!(!shown.contains("horse"), "{shown}");
}

/// Tags one past the last of each enum, and the largest.
#[test]
fn unknown_tags_are_refused() {
    for (first, name) in [(3u32, "one past the last"), (u32::MAX, "the largest")] {
        let tag = |last: u32| if first == u32::MAX { u32::MAX } else { last }.to_le_bytes();
        refused::<ClientMessage>(&format!("client message, {name}"), &tag(4));
        refused::<ServerMessage>(&format!("server message, {name}"), &tag(4));
        refused::<Request>(&format!("request, {name}"), &tag(5));
        refused::<Response>(&format!("response, {name}"), &tag(4));
        refused::<Progress>(&format!("progress, {name}"), &tag(11));
        refused::<ProofKind>(&format!("proof kind, {name}"), &tag(4));
        refused::<ErrorCode>(&format!("error code, {name}"), &tag(14));
    }
    // The outcome of an answer: 0 and 1 are all there is.
    let mut answer = vector("server-pong")[4..].to_vec();
    answer[12] = 2;
    refused::<ServerMessage>("outcome 2", &answer);
}

#[test]
fn a_message_over_its_limit_is_refused_before_decoding() {
    let outcome = decode::<ClientMessage>("client message", &[0; 65], 64);
    assert!(matches!(outcome, Err(EncodingError::TooLarge { got: 65, limit: 64, .. })), "{outcome:?}");
}

#[test]
fn text_that_is_no_utf8_is_refused() {
    let mut body = vector("client-hello")[4..].to_vec();
    *body.last_mut().unwrap() = 0xff;
    refused::<ClientMessage>("agent", &body);
}

#[test]
fn a_proof_file_damaged_anywhere_is_refused() {
    let bytes = record().to_file_bytes();
    for length in 0..bytes.len() {
        assert!(ProofRecord::from_file_bytes(&bytes[..length]).is_err(), "cut to {length}");
    }
    for position in 0..bytes.len() {
        let mut edited = bytes.clone();
        edited[position] ^= 1;
        match ProofRecord::from_file_bytes(&edited) {
            Err(ProofFileError::NotAProofFile) => assert!(position < 10, "byte {position}"),
            Err(ProofFileError::Checksum) => assert!(position >= 10, "byte {position}"),
            other => panic!("byte {position}: {other:?}"),
        }
    }
}

#[test]
fn a_proof_file_with_a_right_checksum_over_a_wrong_record_is_refused() {
    let bytes = record().to_file_bytes();
    let mut body = bytes[..bytes.len() - 32].to_vec();
    body.push(0);
    body.extend(Sha256::digest(&body));
    assert!(matches!(ProofRecord::from_file_bytes(&body), Err(ProofFileError::Record(_))));

    let mut large = record();
    large.proof = vec![0; MAX_RECORD];
    let outcome = ProofRecord::from_file_bytes(&large.to_file_bytes());
    assert!(
        matches!(outcome, Err(ProofFileError::Record(EncodingError::TooLarge { .. }))),
        "a record over the limit"
    );
}
