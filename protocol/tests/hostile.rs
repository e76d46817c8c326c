//! Bytes that no honest peer sends: each is an error of the right kind.

mod common;

use bytes::Bytes;
use common::{client_messages, record, server_messages, vector};
use sextant_protocol::{
    ClientMessage, ErrorCode, ProofKind, ProofRecord, Request, ServerMessage, Token,
    encoding::{EncodingError, encode},
    frame::{FrameError, MAX_FRAME, MAX_HANDSHAKE_FRAME, MessageReader},
    parts::{Arrival, PART, PartError},
    place::{MAX_PLACE, Place},
    proof::{MAX_RECORD, ProofFileError, ProofView},
    wire::{Wire, from_bytes, to_bytes},
};
use sha2::{Digest, Sha256};

fn decode<T: Wire>(bytes: &[u8]) -> Result<T, EncodingError> {
    from_bytes("message", Bytes::copy_from_slice(bytes), MAX_FRAME)
}

async fn read(bytes: &[u8], cap: usize) -> Result<Option<ClientMessage>, FrameError> {
    MessageReader::new(bytes, cap, "client message").next().await
}

/// A field that holds `value`.
fn field(tag: u16, value: &[u8]) -> Vec<u8> {
    [&tag.to_le_bytes()[..], &(value.len() as u32).to_le_bytes(), value].concat()
}

/// Whichever message: cut short anywhere it is refused, or lacks only what may be missing; a byte more is no field.
#[test]
fn truncated_and_trailing_bytes_are_refused() {
    for (name, message) in client_messages() {
        cut_and_lengthen(name, &message);
    }
    for (name, messages) in server_messages() {
        messages.iter().for_each(|message| cut_and_lengthen(name, message));
    }
}

fn cut_and_lengthen<T: Wire + std::fmt::Debug>(name: &str, message: &T) {
    let mut bytes = to_bytes(message);
    for length in 0..bytes.len() {
        match decode::<T>(&bytes[..length]) {
            Err(
                EncodingError::Torn { .. } | EncodingError::Malformed { .. } | EncodingError::Missing { .. },
            ) => {}
            // Cut between two fields, of which those that are gone have defaults.
            Ok(shorter) => {
                assert!(to_bytes(&shorter).starts_with(&bytes[..length]), "{name} cut to {length}")
            }
            Err(other) => panic!("{name} cut to {length}: {other:?}"),
        }
    }
    bytes.push(0);
    assert!(matches!(decode::<T>(&bytes), Err(EncodingError::Torn { .. })), "{name} with a byte more");
}

#[test]
fn fields_come_once_and_in_order() {
    let [id, other] = [field(1, &7_u64.to_le_bytes()), field(1, &8_u64.to_le_bytes())];
    let later = field(9, b"later");
    let cancel = |fields: &[&[u8]]| [&[4, 0], &fields.concat()[..]].concat();
    assert_eq!(decode::<ClientMessage>(&cancel(&[&id])).unwrap(), ClientMessage::Cancel { id: 7 });
    assert_eq!(decode::<ClientMessage>(&cancel(&[&id, &later])).unwrap(), ClientMessage::Cancel { id: 7 });
    for (fields, tag) in [(&[&id[..], &other][..], 1), (&[&id, &later, &later], 9), (&[&later, &id], 1)] {
        match decode::<ClientMessage>(&cancel(fields)) {
            // The field after a later one is missing where it should be.
            Err(EncodingError::Missing { field: "id", .. }) if tag == 1 => {}
            Err(EncodingError::Order { tag: got, .. }) => assert_eq!(got, tag),
            outcome => panic!("{outcome:?}"),
        }
    }
    // The tag alone says so: what should follow it is not waited for.
    let outcome = decode::<ClientMessage>(&cancel(&[&id, &[1, 0]]));
    assert!(matches!(outcome, Err(EncodingError::Order { tag: 1, .. })), "{outcome:?}");
    match decode::<ClientMessage>(&cancel(&[&later])) {
        Err(EncodingError::Missing { field, .. }) => assert_eq!(field, "id"),
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn fields_end_within_their_message() {
    for bytes in [
        // No tag, half a tag, a tag without a length, half a length, a length past the end.
        &[][..],
        &[4],
        &[4, 0, 1],
        &[4, 0, 1, 0],
        &[4, 0, 1, 0, 8, 0, 0],
        &[4, 0, 1, 0, 8, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0],
        &[4, 0, 1, 0, 0xff, 0xff, 0xff, 0xff, 7, 0, 0, 0, 0, 0, 0, 0],
    ] {
        let outcome = decode::<ClientMessage>(bytes);
        assert!(matches!(outcome, Err(EncodingError::Torn { .. })), "{bytes:?}: {outcome:?}");
    }
    // A value that does not fill its field, or not fit into it.
    for length in [7, 9] {
        let cancel = [&[4, 0], &field(1, &vec![0; length])[..]].concat();
        let outcome = decode::<ClientMessage>(&cancel);
        assert!(matches!(outcome, Err(EncodingError::Malformed { what: "id", .. })), "{length}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_torn_frame_is_an_error_and_a_clean_end_is_none() {
    let bytes = vector("client-prove");
    assert!(read(&[], MAX_FRAME).await.unwrap().is_none(), "a clean end");
    for length in 1..bytes.len() {
        let outcome = read(&bytes[..length], MAX_FRAME).await;
        assert!(matches!(outcome, Err(FrameError::Io(_))), "torn at {length}: {outcome:?}");
    }
}

#[tokio::test]
async fn the_handshake_cap_ends_with_the_handshake() {
    let mut bytes = vector("client-hello");
    let mut long = record();
    long.proof = vec![7; 2 * MAX_HANDSHAKE_FRAME];
    let body = to_bytes(&ClientMessage::Request { id: 1, request: Request::verify(&long) });
    bytes.extend((body.len() as u32).to_be_bytes());
    bytes.extend(body);

    for raise in [true, false] {
        let mut reader =
            MessageReader::<_, ClientMessage>::new(&bytes[..], MAX_HANDSHAKE_FRAME, "client message");
        assert!(matches!(reader.next().await, Ok(Some(ClientMessage::Hello { .. }))));
        if raise {
            reader.set_cap(MAX_FRAME);
        }
        assert_eq!(reader.next().await.is_ok(), raise);
    }
}

#[tokio::test]
async fn an_empty_frame_is_malformed() {
    let outcome = read(&[0; 4], MAX_FRAME).await;
    assert!(matches!(outcome, Err(FrameError::Encoding(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_malformed_message_leaves_the_stream_readable() {
    let mut bytes = vec![0, 0, 0, 1, 0xff];
    bytes.extend(vector("client-ping"));
    let mut reader = MessageReader::<_, ClientMessage>::new(&bytes[..], MAX_FRAME, "client message");
    assert!(matches!(reader.next().await, Err(FrameError::Encoding(_))));
    assert!(matches!(reader.next().await, Ok(Some(ClientMessage::Request { id: 10, .. }))));
}

/// Where only a part of a request makes no sense, its id still says whose error it is.
#[test]
fn a_request_that_does_not_decode_still_has_its_id() {
    let mut prove = vector("client-prove").split_off(4);
    *prove.last_mut().unwrap() ^= 1;
    for broken in [
        vector("client-verify").split_off(4)[..30].to_vec(),
        [&[2, 0], &field(1, &8_u64.to_le_bytes())[..], &field(2, &[3])].concat(),
        [&[3, 0], &field(1, &8_u64.to_le_bytes())[..], &field(2, b"far too short")].concat(),
    ] {
        assert!(decode::<ClientMessage>(&broken).is_err());
        assert_eq!(ClientMessage::request_id(broken.into()), Some(8));
    }
    for other in [&[][..], &[2, 0], &[2, 0, 1, 0, 2, 0, 0, 0, 1, 1], &vector("client-hello")[4..], &[9, 0]] {
        assert_eq!(ClientMessage::request_id(Bytes::copy_from_slice(other)), None);
    }
}

/// Whatever a request carries that may be large: what does not fit into its message follows it, and is announced.
#[test]
fn what_is_large_in_a_request_follows_it() {
    let mut carrying = Vec::new();
    for (name, message) in client_messages() {
        let ClientMessage::Request { mut request, .. } = message else { continue };
        let Some((content, more)) = request.content() else { continue };
        (*content, *more) = (vec![7; PART + 9], 0);
        let parts: Vec<_> = request.split().collect();
        assert_eq!(parts, [(PART as u64, Bytes::from_static(&[7; 9]))], "{name}");
        let (content, more) = request.content().unwrap();
        assert_eq!((content.len(), *more), (PART, 9), "{name}");
        carrying.push(name);
    }
    let expected = ["prove", "verify", "submit", "wrap", "submit-wrap", "bundle", "submit-bundle", "large"];
    assert_eq!(carrying, expected.map(|name| format!("client-{name}")));
}

#[test]
fn parts_come_in_order_and_are_neither_empty_nor_too_long() {
    let mut arrival = Arrival::new(10, 2 * PART as u64);
    assert_eq!(arrival.accept(0, 1), Err(PartError::Offset { expected: 10, got: 0 }));
    assert_eq!(arrival.accept(10, 0), Err(PartError::Length { got: 0, limit: PART as u64 }));
    assert_eq!(arrival.accept(10, PART + 1), Err(PartError::Length { got: PART + 1, limit: PART as u64 }));
    arrival.accept(10, PART).unwrap();
    arrival.accept(10 + PART as u64, PART - 1).unwrap();
    let end = 9 + 2 * PART as u64;
    assert_eq!(arrival.accept(end, 2), Err(PartError::Length { got: 2, limit: 1 }));
    arrival.accept(end, 1).unwrap();
    assert!(arrival.is_complete());
    assert_eq!(arrival.accept(end + 1, 1), Err(PartError::Length { got: 1, limit: 0 }));
    // Nothing adds up to less than it is.
    let mut endless = Arrival::new(7, u64::MAX);
    assert!(endless.accept(7, PART).is_ok() && !endless.is_complete());
}

#[test]
fn a_token_is_never_shown() {
    let shown = format!("{:?}", Token("correct-horse-battery".into()));
    assert!(!shown.contains("horse"), "{shown}");
}

/// What has no place for something unknown refuses it by its number.
#[test]
fn unknown_kinds_of_proof_are_named() {
    for number in [ProofKind::ALL.len() as u32, u32::MAX] {
        match decode::<ProofKind>(&number.to_le_bytes()) {
            Err(EncodingError::Unknown { what: "kind of proof", number: got }) => assert_eq!(got, number),
            outcome => panic!("{outcome:?}"),
        }
    }
    // The outcome of an answer: 0 and 1 are all there is.
    let pong = vector("server-pong").split_off(4);
    let outcome = pong.len() - 3;
    for number in [2, 0xff] {
        let mut answer = pong.clone();
        assert_eq!(std::mem::replace(&mut answer[outcome], number), 0);
        assert!(matches!(decode::<ServerMessage>(&answer), Err(EncodingError::Torn { .. })));
    }
}

/// Of a place nothing is read but its own version, and nothing past its limit.
#[test]
fn a_place_that_is_none_is_named() {
    let bytes = vector("bundled-record").split_off(77);
    assert_eq!((Place::of(&bytes).unwrap().index, bytes.len()), (3, 30));
    for length in 0..bytes.len() {
        assert!(
            matches!(Place::of(&bytes[..length]), Err(EncodingError::Malformed { .. })),
            "{length} bytes"
        );
    }
    let left_over = [&bytes[..], &[0]].concat();
    assert!(matches!(Place::of(&left_over), Err(EncodingError::Malformed { .. })));
    let later = [&2_u32.to_le_bytes(), &bytes[4..]].concat();
    let error = Place::of(&later).unwrap_err().to_string();
    assert_eq!(error, "no version of a place in a bundle has the number 2");
    // A length that the bytes cannot hold.
    let bomb = [&bytes[..8], &u64::MAX.to_le_bytes(), &bytes[16..]].concat();
    assert!(matches!(Place::of(&bomb), Err(EncodingError::Malformed { .. })));
    let over = Place::of(&[0; MAX_PLACE + 1]).unwrap_err();
    assert!(matches!(over, EncodingError::TooLarge { limit: MAX_PLACE, .. }), "{over}");
}

#[test]
fn a_message_over_its_limit_is_refused_before_decoding() {
    let outcome = from_bytes::<ClientMessage>("client message", vec![0; 65].into(), 64);
    assert!(matches!(outcome, Err(EncodingError::TooLarge { got: 65, limit: 64, .. })), "{outcome:?}");
}

#[test]
fn text_that_is_no_utf8_is_refused() {
    let mut hello = vector("client-hello").split_off(4);
    let agent = hello.windows(7).position(|bytes| bytes == b"sextant").unwrap();
    hello[agent] = 0xff;
    let outcome = decode::<ClientMessage>(&hello);
    assert!(matches!(outcome, Err(EncodingError::Malformed { what: "agent", .. })), "{outcome:?}");
}

#[test]
fn error_codes_have_their_numbers_and_room_for_more() {
    for (number, code) in (0..).zip(ErrorCode::ALL) {
        assert_eq!((code.number(), decode::<ErrorCode>(&to_bytes(&code)).unwrap()), (number, code));
    }
    let later = ErrorCode::Other(ErrorCode::ALL.len() as u32);
    assert_eq!(decode::<ErrorCode>(&to_bytes(&later)).unwrap(), later);
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

/// Looking at a record and decoding it agree, on good ones and bad ones.
#[test]
fn a_record_can_be_looked_at_where_it_lies() {
    let bytes = encode(&record());
    let (looked, decoded) = (ProofView::of(&bytes).unwrap(), record());
    assert_eq!(
        (looked.program, looked.kind, looked.circuits),
        (decoded.program, decoded.kind, decoded.circuits)
    );
    assert_eq!(looked.circuit_version, decoded.circuit_version);
    assert_eq!((looked.vk_hash, looked.public_values), (decoded.vk_hash, &decoded.public_values[..]));
    assert_eq!(looked.proof, decoded.proof);
    assert_eq!(looked.program(), decoded.program());
    for length in 0..bytes.len() {
        assert!(ProofView::of(&bytes[..length]).is_err(), "cut to {length}");
    }
    assert!(ProofView::of(&[&bytes[..], &[0]].concat()).is_err());
}
