//! The vectors in `vectors/` are what this crate writes and reads, and what `docs/protocol.md` shows.

mod common;

use std::{collections::BTreeSet, fs};

use common::{OTHER_VECTORS, client_messages, input, package, record, server_messages, vector, vector_text};
use sextant_protocol::{
    ClientMessage, ErrorCode, ProofRecord, ServerMessage,
    frame::{MAX_CLIENT_FRAME, MAX_SERVER_FRAME, MessageReader, MessageWriter},
};

#[tokio::test]
async fn client_messages_are_the_vectors() {
    for (name, message) in client_messages() {
        let bytes = vector(name);
        let mut written = Vec::new();
        let mut writer = MessageWriter::new(&mut written, MAX_CLIENT_FRAME);
        writer.send(&message).await.unwrap();
        assert_eq!(hex::encode(&written), hex::encode(&bytes), "{name}: written bytes");

        let mut reader = MessageReader::new(&bytes[..], MAX_CLIENT_FRAME, "client message");
        assert_eq!(reader.next().await.unwrap(), Some(message), "{name}: read back");
        assert!(reader.next().await.unwrap().is_none(), "{name}: nothing after it");
    }
}

#[tokio::test]
async fn server_messages_are_the_vectors() {
    for (name, messages) in server_messages() {
        let bytes = vector(name);
        let mut written = Vec::new();
        let mut writer = MessageWriter::new(&mut written, MAX_SERVER_FRAME);
        for message in &messages {
            writer.send(message).await.unwrap();
        }
        assert_eq!(hex::encode(&written), hex::encode(&bytes), "{name}: written bytes");

        let mut reader = MessageReader::new(&bytes[..], MAX_SERVER_FRAME, "server message");
        for message in messages {
            assert_eq!(reader.next().await.unwrap(), Some(message), "{name}: read back");
        }
        let rest: Option<ServerMessage> = reader.next().await.unwrap();
        assert!(rest.is_none(), "{name}: nothing after it");
    }
}

#[test]
fn proof_file_is_the_vector() {
    let bytes = vector("proof-file");
    assert_eq!(hex::encode(record().to_file_bytes()), hex::encode(&bytes));
    assert_eq!(ProofRecord::from_file_bytes(&bytes).unwrap(), record());
}

#[test]
fn input_digest_is_the_vector() {
    let bytes = vector("input-digest");
    let input = input();
    assert_eq!(bytes[..4], input.program.to_le_bytes());
    assert_eq!(bytes[4..7], input.bytes[..]);
    assert_eq!(bytes[7..], input.digest());
}

#[test]
fn every_vector_is_read_by_a_test() {
    let files: BTreeSet<String> = fs::read_dir(package().join("vectors"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, names().map(|name| format!("{name}.hex")).collect());
}

/// The document shows every vector, word for word, in a block opened by "```hex NAME".
#[test]
fn the_document_shows_the_vectors() {
    let document = document();
    let mut shown = BTreeSet::new();
    for block in document.split("\n```hex ").skip(1) {
        let (name, rest) = block.split_once('\n').expect("a block has lines");
        let (content, _) = rest.split_once("\n```").expect("a block ends");
        assert_eq!(content, vector_text(name).trim_end(), "block {name} of docs/protocol.md");
        assert!(shown.insert(name.to_owned()), "block {name} stands twice in docs/protocol.md");
    }
    assert_eq!(shown, names().map(str::to_owned).collect());
}

/// The document's table of error codes is the enum: same numbers, same names.
#[test]
fn the_document_lists_the_error_codes() {
    let document = document();
    let codes = [
        ErrorCode::Version,
        ErrorCode::Malformed,
        ErrorCode::TooLarge,
        ErrorCode::Unsupported,
        ErrorCode::InvalidStatement,
        ErrorCode::InvalidProof,
        ErrorCode::Busy,
        ErrorCode::DeadlineExceeded,
        ErrorCode::Cancelled,
        ErrorCode::ProverFailed,
        ErrorCode::ShuttingDown,
        ErrorCode::DuplicateRequest,
        ErrorCode::Unauthorized,
        ErrorCode::Internal,
    ];
    for code in codes {
        let number = u32::from_le_bytes(sextant_protocol::encoding::encode(&code).try_into().unwrap());
        let row = format!("| {number} | `{code:?}` |");
        assert!(document.contains(&row), "docs/protocol.md has no row {row:?}");
    }
    let next = u32::try_from(codes.len()).unwrap().to_le_bytes();
    let unknown = sextant_protocol::encoding::decode::<ErrorCode>("error code", &next, 4);
    assert!(unknown.is_err(), "a code that this test does not list");
}

#[test]
fn client_and_server_vectors_do_not_mix() {
    // A proof answer decoded as a client message must not pass for one: the directions have separate types.
    let body = &vector("server-proof")[4..];
    assert!(
        sextant_protocol::encoding::decode::<ClientMessage>("client message", body, MAX_CLIENT_FRAME)
            .is_err()
    );
}

fn names() -> impl Iterator<Item = &'static str> {
    client_messages()
        .into_iter()
        .map(|(name, _)| name)
        .chain(server_messages().into_iter().map(|(name, _)| name))
        .chain(OTHER_VECTORS)
}

fn document() -> String {
    fs::read_to_string(package().join("../docs/protocol.md")).expect("docs/protocol.md")
}
