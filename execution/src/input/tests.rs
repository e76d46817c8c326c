use super::*;
use crate::encode::stateless_input;
use crate::schema::Fork;
use alloc::vec;

const KEYS: [PublicKeyBytes; 2] = [[4; 65], [5; 65]];

fn witness<'a>() -> Witness<'a> {
    Witness { state: vec![b"node", b"other node"], codes: vec![b""], headers: vec![b"header"] }
}

/// A request of the smallest size: all zeros, lists empty.
fn request(fork: Fork) -> Vec<u8> {
    let zeros = |n| vec![0u8; n];
    let payload = [
        zeros(436),
        528u32.to_le_bytes().to_vec(),
        zeros(64),
        528u32.to_le_bytes().to_vec(),
        528u32.to_le_bytes().to_vec(),
        zeros(16),
    ]
    .concat();
    let offset = |n: usize| (n as u32).to_le_bytes().to_vec();
    if fork.has_requests() {
        let requests = [offset(12), offset(12), offset(12)].concat();
        let end = 44 + payload.len();
        [offset(44), offset(end), zeros(32), offset(end), payload, requests].concat()
    } else {
        let end = 40 + payload.len();
        [offset(40), offset(end), zeros(32), payload].concat()
    }
}

#[test]
fn what_is_written_is_read() {
    for fork in Fork::ALL {
        let schema = SchemaId { fork };
        let bytes = stateless_input(schema, &request(fork), &witness(), 0x0102_0304, &KEYS);
        let input = StatelessInput::parse(&bytes).unwrap();
        assert_eq!((input.schema, input.chain_id, input.public_keys), (schema, 0x0102_0304, &KEYS[..]));
        assert_eq!(input.witness, witness());
        assert_eq!(input.request, NewPayloadRequest::parse(fork, &request(fork)).unwrap());
        assert_eq!(input.request.encode(), request(fork));
    }
}

/// Of another schema the bytes are not looked at.
#[test]
fn an_input_of_amsterdam_is_refused_by_name() {
    let error = StatelessInput::parse(&[0x15, 0x01, 0xff]).unwrap_err();
    assert_eq!(error, InputError::Schema(SchemaError::NotImplemented("Amsterdam")));
}

#[test]
fn every_part_of_a_witness_has_its_limits() {
    let fork = Fork::Bpo2;
    let verdict = |witness: &Witness<'_>| {
        let bytes = stateless_input(SchemaId { fork }, &request(fork), witness, 1, &[]);
        StatelessInput::parse(&bytes).map(|_| ())
    };
    let limit = |what, got, limit| Err(InputError::Ssz(SszError::Limit { what, got, limit }));

    let long = vec![0; (1 << 16) + 1];
    let one = |length| vec![&long[..length]];
    assert_eq!(verdict(&Witness { state: one(1024), ..witness() }), Ok(()));
    assert_eq!(verdict(&Witness { state: one(1025), ..witness() }), limit("state", 1025, 1024));
    assert_eq!(verdict(&Witness { codes: one(1 << 16), ..witness() }), Ok(()));
    assert_eq!(
        verdict(&Witness { codes: one((1 << 16) + 1), ..witness() }),
        limit("codes", (1 << 16) + 1, 1 << 16)
    );
    assert_eq!(verdict(&Witness { headers: one(1024), ..witness() }), Ok(()));
    assert_eq!(verdict(&Witness { headers: one(1025), ..witness() }), limit("headers", 1025, 1024));

    let headers = |count| vec![&b"header"[..]; count];
    assert_eq!(verdict(&Witness { headers: headers(256), ..witness() }), Ok(()));
    assert_eq!(verdict(&Witness { headers: headers(257), ..witness() }), limit("headers", 257, 256));
}

#[test]
fn what_is_cut_off_or_added_is_refused() {
    let fork = Fork::Osaka;
    let bytes = stateless_input(SchemaId { fork }, &request(fork), &witness(), 1, &KEYS);
    for end in 0..bytes.len() {
        // The keys are at the end: whole ones may be missing, they are hints.
        let whole_key = end + 65 == bytes.len() || end + 130 == bytes.len();
        assert_eq!(StatelessInput::parse(&bytes[..end]).is_ok(), whole_key, "{end} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(StatelessInput::parse(&longer).is_err());
}
