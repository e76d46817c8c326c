//! One function per decoder of untrusted bytes. None may panic, hang or allocate without bound, and what is accepted
//! must hold together. `fuzz/` hands them to libFuzzer; the tests here replay seeds and everything ever found.

pub mod seeds;

use sextant_consensus::block_header::BlockJson;
use sextant_consensus::bls::fast::HintedVerifier;
use sextant_consensus::bls::{AggregateVerifier, BlsError};
use sextant_consensus::chain::Fork;
use sextant_consensus::chain_spec::{Genesis, Spec};
use sextant_consensus::codec::{self, Codec};
use sextant_consensus::execution::ExecutionFacts;
use sextant_consensus::hash::keccak256;
use sextant_consensus::light_client::{
    LightClientBootstrap, LightClientFinalityUpdate, LightClientOptimisticUpdate, LightClientUpdate,
};
use sextant_consensus::public_values::Statement;
use sextant_consensus::receipt::Receipt;
use sextant_consensus::receipt_json::ReceiptJson;
use sextant_consensus::rlp::{Item, number};
use sextant_consensus::trie::{Node, lookup, lookup_index};
use sextant_consensus::{
    Program, bundle, check_statement, committee_chain, committee_change, inclusion, ssz,
};
use sextant_protocol::frame::MessageReader;
use sextant_protocol::place::Place;
use sextant_protocol::proof::ProofView;
use sextant_protocol::request::BundleRequest;
use sextant_protocol::wire::{self, Bytes, Wire};
use sextant_protocol::{ClientMessage, ProofRecord, ServerMessage, encoding};

/// A decoder under test.
pub type Target = fn(&[u8]);

/// All of them by name.
pub const TARGETS: [(&str, Target); 9] = [
    ("json", json),
    ("ssz", ssz),
    ("rlp", rlp),
    ("trie", trie),
    ("statement", statement),
    ("public_values", public_values),
    ("hints", hints),
    ("messages", messages),
    ("proof_file", proof_file),
];

/// The beacon and execution APIs' JSON.
pub fn json(data: &[u8]) {
    let _ = serde_json::from_slice::<LightClientBootstrap>(data);
    let _ = serde_json::from_slice::<LightClientUpdate>(data);
    let _ = serde_json::from_slice::<LightClientFinalityUpdate>(data);
    let _ = serde_json::from_slice::<LightClientOptimisticUpdate>(data);
    if let Ok(block) = serde_json::from_slice::<BlockJson>(data) {
        let _ = block.to_rlp();
    }
    for receipt in serde_json::from_slice::<Vec<ReceiptJson>>(data).unwrap_or_default() {
        let _ = (receipt.index(), receipt.to_envelope());
    }
    let genesis =
        serde_json::from_slice::<Genesis>(data).unwrap_or(Genesis { genesis_validators_root: [0; 32] });
    if let Ok(spec) = serde_json::from_slice::<Spec>(data) {
        let _ = sextant_consensus::chain::ChainConfig::from_spec(&spec, &genesis);
    }
}

/// SSZ of the light-client objects: the first byte chooses fork and preset.
pub fn ssz(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let fork = Fork::ALL[usize::from(choice % 8)];
    let size = if choice & 8 == 0 { 32 } else { 512 };
    let chain = sextant_consensus::networks::SEPOLIA;
    if let Ok(mut bootstrap) = LightClientBootstrap::from_ssz(fork, size, bytes) {
        bootstrap.upgrade(&chain, Fork::Gloas);
        let _ = bootstrap.header.validate(&chain);
    }
    if let Ok(mut update) = LightClientUpdate::from_ssz(fork, size, bytes) {
        update.upgrade(&chain, Fork::Gloas);
        let _ = update.attested_header.execution_root(&chain);
    }
    let _ = LightClientFinalityUpdate::from_ssz(fork, size, bytes);
    let _ = LightClientOptimisticUpdate::from_ssz(fork, size, bytes);
    for chunk in ssz::split_updates(bytes).unwrap_or_default() {
        let _ = LightClientUpdate::from_ssz(fork, size, chunk.ssz);
    }
}

/// RLP items, numbers, execution block headers, and receipts.
pub fn rlp(data: &[u8]) {
    fn walk(bytes: &[u8], depth: usize) {
        let mut rest = bytes;
        while let Ok((item, encoding, tail)) = Item::take(rest) {
            assert_eq!(encoding.len() + tail.len(), rest.len());
            match item {
                Item::List(payload) if depth < 8 => walk(payload, depth + 1),
                Item::List(_) => {}
                Item::String(bytes) => drop((number::<8>(bytes), number::<32>(bytes))),
            }
            rest = tail;
        }
    }
    walk(data, 0);
    let facts = ExecutionFacts::of_block_hash(keccak256(data), Vec::new());
    if let Ok(facts) = facts.with_block_header(data.to_vec()) {
        assert!(!facts.block_header.is_empty());
    }
    if let Ok(receipt) = Receipt::read(data) {
        for (position, log) in receipt.logs().enumerate() {
            assert_eq!(receipt.logs_at(&[position as u32]).next(), Some(log));
            let _ = log.map(|log| log.topics().count());
        }
    }
}

/// Walks through a trie whose nodes claim their own hashes: root, key, then hash, length and bytes of each node. The key's
/// first four bytes are an index too.
pub fn trie(data: &[u8]) {
    let Some((root, rest)) = data.split_first_chunk::<32>() else { return };
    let Some((key, mut rest)) = rest.split_first_chunk::<32>() else { return };
    let mut nodes = Vec::new();
    while let Some((hash, tail)) = rest.split_first_chunk::<32>() {
        let Some((length, tail)) = tail.split_first_chunk::<2>() else { break };
        let Some((rlp, tail)) = tail.split_at_checked(u16::from_le_bytes(*length).into()) else { break };
        nodes.push(Node { rlp, hash: *hash });
        rest = tail;
    }
    let whole = lookup(root, key, nodes.iter().copied());
    if whole.is_ok() && !nodes.is_empty() {
        // What a whole proof shows, no shorter one does.
        assert!(lookup(root, key, nodes[..nodes.len() - 1].iter().copied()).is_err());
    }
    let index = u32::from_le_bytes([key[0], key[1], key[2], key[3]]);
    let whole = lookup_index(root, index, nodes.iter().copied());
    if whole.is_ok() && !nodes.is_empty() {
        assert!(lookup_index(root, index, nodes[..nodes.len() - 1].iter().copied()).is_err());
    }
}

/// Accepts any signature: what the rules before and after it do with hostile bytes is what matters here.
struct Anybody;

impl AggregateVerifier for Anybody {
    fn verify(&mut self, _: &[u8; 48], _: &[[u8; 48]], _: &[u8; 32], _: &[u8; 96]) -> Result<(), BlsError> {
        Ok(())
    }
}

/// Statement inputs of all programs: one encoding each, and public values that decode again.
pub fn statement(data: &[u8]) {
    fn one_encoding<T: Codec>(data: &[u8]) {
        if let Ok(value) = codec::decode::<T>(data) {
            assert_eq!(codec::encode(&value), data);
        }
    }
    one_encoding::<committee_change::Input>(data);
    one_encoding::<inclusion::Input>(data);
    one_encoding::<bundle::Input>(data);
    one_encoding::<committee_chain::Input>(data);
    for program in Program::ALL {
        if let Ok(statement) = check_statement(program, data, &mut Anybody) {
            let bytes = statement.abi_encode();
            assert_eq!(Statement::abi_decode(program, &bytes).as_ref(), Ok(&statement));
        }
    }
}

/// Public values of all programs: one encoding each.
pub fn public_values(data: &[u8]) {
    for program in Program::ALL {
        if let Ok(statement) = Statement::abi_decode(program, data) {
            assert_eq!(statement.abi_encode(), data);
        }
    }
}

/// Hints beside a true statement: only its own are accepted.
pub fn hints(data: &[u8]) {
    static CASE: std::sync::OnceLock<(Vec<u8>, Statement, Vec<u8>)> = std::sync::OnceLock::new();
    let (input, statement, own) = CASE.get_or_init(|| {
        let input = codec::encode(&sextant_fixtures::committee_change(1));
        let (statement, hints) =
            sextant_consensus::check_with_hints(Program::CommitteeChange, &input).expect("true");
        (input, statement, hints)
    });
    let mut verifier = HintedVerifier::new(data);
    let checked = check_statement(Program::CommitteeChange, input, &mut verifier);
    if let Ok(checked) = checked {
        assert_eq!(checked, *statement);
        assert!(verifier.finish().is_err() || data == own, "other hints were accepted");
    }
}

/// Frames from a stream, and the messages in them, in both directions.
pub fn messages(data: &[u8]) {
    const CAP: usize = 1 << 16;
    one_meaning::<ClientMessage>(data, CAP);
    one_meaning::<ServerMessage>(data, CAP);
    let _ = ClientMessage::request_id(Bytes::copy_from_slice(data));
    let list = Bytes::copy_from_slice(data);
    if let Ok(records) = BundleRequest::split_records(&list) {
        // Nothing is left out, and nothing is copied.
        assert_eq!(records.iter().map(|record| 4 + record.len()).sum::<usize>(), data.len());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O");
    runtime.block_on(async {
        let mut reader = MessageReader::<_, ClientMessage>::new(data, CAP, "client message");
        // A malformed message leaves the stream readable; each takes at least its length field.
        for _ in 0..=data.len() / 4 {
            match reader.next().await {
                Ok(None) | Err(sextant_protocol::frame::FrameError::Io(_)) => return,
                Ok(Some(_)) | Err(_) => {}
            }
        }
        panic!("more frames than bytes");
    });
}

/// What is read of a message, with whatever it has of later versions left out, is read again from what this version
/// writes.
fn one_meaning<T: Wire + PartialEq + std::fmt::Debug>(data: &[u8], cap: usize) {
    if let Ok(message) = wire::from_bytes::<T>("message", Bytes::copy_from_slice(data), cap) {
        let written = wire::to_bytes(&message);
        let again = wire::from_bytes::<T>("message", written.into(), usize::MAX);
        assert!(again.is_ok_and(|again| again == message));
    }
}

/// Proof files, and places in bundles: one encoding each.
pub fn proof_file(data: &[u8]) {
    if let Ok(record) = ProofRecord::from_file_bytes(data) {
        assert_eq!(record.to_file_bytes(), data);
    }
    // Behind the checksum, which a fuzzer does not hit.
    let decoded = encoding::decode::<ProofRecord>("proof record", data, 1 << 20);
    assert_eq!(decoded.is_ok(), ProofView::of(data).is_ok() && data.len() <= 1 << 20);
    for bytes in [data, &decoded.map(|record| record.proof).unwrap_or_default()] {
        if let Ok(place) = Place::of(bytes) {
            assert_eq!(encoding::encode(&place), bytes);
        }
    }
}
