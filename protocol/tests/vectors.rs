//! The vectors in `vectors/` are what this crate writes and reads, and what `docs/protocol.md` shows.

mod common;

use std::{collections::BTreeSet, fs};

use common::{OTHER_VECTORS, client_messages, input, package, record, server_messages, vector, vector_text};
use sextant_consensus::Program;
use sextant_protocol::{
    ClientMessage, ErrorCode, ProofKind, ProofRecord, ServerMessage, encoding,
    frame::{MAX_FRAME, MessageReader, MessageWriter},
    place::Place,
    proof::MAX_RECORD,
    wire,
};

#[tokio::test]
async fn client_messages_are_the_vectors() {
    for (name, message) in client_messages() {
        let bytes = vector(name);
        let mut written = Vec::new();
        let mut writer = MessageWriter::new(&mut written, MAX_FRAME);
        writer.send(&message).await.unwrap();
        assert_eq!(hex::encode(&written), hex::encode(&bytes), "{name}: written bytes");

        let mut reader = MessageReader::new(&bytes[..], MAX_FRAME, "client message");
        assert_eq!(reader.next().await.unwrap(), Some(message), "{name}: read back");
        assert!(reader.next().await.unwrap().is_none(), "{name}: nothing after it");
    }
}

#[tokio::test]
async fn server_messages_are_the_vectors() {
    for (name, messages) in server_messages() {
        let bytes = vector(name);
        let mut written = Vec::new();
        let mut writer = MessageWriter::new(&mut written, MAX_FRAME);
        for message in &messages {
            writer.send(message).await.unwrap();
        }
        assert_eq!(hex::encode(&written), hex::encode(&bytes), "{name}: written bytes");

        let mut reader = MessageReader::new(&bytes[..], MAX_FRAME, "server message");
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

/// The record of a statement in a bundle says what the statement alone says, and where in the bundle it is.
#[test]
fn bundled_record_is_the_vector() {
    let bytes = vector("bundled-record");
    let vk_hash = std::array::from_fn(|index| 0x20 + index as u8);
    let bundle = ProofRecord {
        program: Program::Bundle.tag(),
        kind: ProofKind::Groth16,
        vk_hash,
        public_values: vec![0xc0, 0xc1],
        proof: vec![0xd0, 0xd1, 0xd2, 0xd3],
        ..record()
    };
    let statement = ProofRecord::in_bundle(Program::Inclusion, record().public_values, 3, &bundle);
    assert_eq!(hex::encode(encoding::encode(&statement)), hex::encode(&bytes));
    let read: ProofRecord = encoding::decode("proof record", &bytes, MAX_RECORD).unwrap();
    assert_eq!(Place::of(&read.proof).unwrap(), Place::new(3, &bundle));
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
    for code in ErrorCode::ALL {
        let row = format!("| {} | `{code:?}` |", code.number());
        assert!(document.contains(&row), "docs/protocol.md has no row {row:?}");
    }
    assert!(!document.contains(&format!("| {} | `", ErrorCode::ALL.len())), "a code that is none");
}

#[test]
fn client_and_server_vectors_do_not_mix() {
    // A proof answer decoded as a client message must not pass for one: the directions have separate types.
    let body = vector("server-proof").split_off(4);
    assert!(wire::from_bytes::<ClientMessage>("client message", body.into(), MAX_FRAME).is_err());
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
