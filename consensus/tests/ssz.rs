//! SSZ of light-client objects: what is said about bytes that are none.

use std::fs;

use sextant_consensus::chain::{ChainConfig, Fork};
use sextant_consensus::light_client::{
    LightClientBootstrap, LightClientFinalityUpdate, LightClientOptimisticUpdate, LightClientUpdate,
};
use sextant_consensus::ssz::{SszError, of_any_fork, split_updates};
use sextant_fixtures::devnet::{CAPELLA, ELECTRA, ELECTRA_TO_FULU, FULU};

fn bootstrap(chain: &ChainConfig, bytes: &[u8]) -> Result<(Fork, LightClientBootstrap), SszError> {
    of_any_fork(chain, bytes, LightClientBootstrap::from_ssz, |bootstrap| bootstrap.header.beacon.slot)
}

fn finality(chain: &ChainConfig, bytes: &[u8]) -> Result<(Fork, LightClientFinalityUpdate), SszError> {
    of_any_fork(chain, bytes, LightClientFinalityUpdate::from_ssz, |update| {
        update.attested_header.beacon.slot
    })
}

fn optimistic(chain: &ChainConfig, bytes: &[u8]) -> Result<(Fork, LightClientOptimisticUpdate), SszError> {
    let slot = |update: &LightClientOptimisticUpdate| update.attested_header.beacon.slot;
    of_any_fork(chain, bytes, LightClientOptimisticUpdate::from_ssz, slot)
}

fn said<T: std::fmt::Debug>(result: Result<T, SszError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn what_a_node_says_in_ssz_is_what_it_says_in_json() {
    for (net, fork) in [(ELECTRA, Fork::Electra), (FULU, Fork::Fulu)] {
        let (chain, file) = (net.chain(), |name| fs::read(net.file(name)).unwrap());
        let read = bootstrap(&chain, &file("bootstrap.ssz")).unwrap();
        assert_eq!(read, (fork, net.beacon("bootstrap.json")));
        let read = finality(&chain, &file("finality_update.ssz")).unwrap();
        assert_eq!(read, (fork, net.beacon("finality_update.json")));
        let read = optimistic(&chain, &file("optimistic_update.ssz")).unwrap();
        assert_eq!(read, (fork, net.beacon("optimistic_update.json")));
    }
    let (chain, answer) = (ELECTRA_TO_FULU.chain(), fs::read(ELECTRA_TO_FULU.file("updates.ssz")).unwrap());
    let updates: Vec<_> = split_updates(&answer)
        .unwrap()
        .iter()
        .map(|chunk| {
            let slot = |update: &LightClientUpdate| update.attested_header.beacon.slot;
            of_any_fork(&chain, chunk.ssz, LightClientUpdate::from_ssz, slot).unwrap().1
        })
        .collect();
    assert_eq!(updates, ELECTRA_TO_FULU.updates());
}

/// If no fork fits, the newest that the chain has is what was meant.
#[test]
fn what_is_of_no_fork_is_judged_as_of_the_newest_one() {
    let wanted = |net: sextant_fixtures::devnet::Devnet| said(bootstrap(&net.chain(), &[]));
    // Headers vary in size until Gloas, and what is missing is an offset; there, it is a header.
    assert_eq!(wanted(CAPELLA), "ssz.header: 4 bytes wanted, 0 left");
    assert_eq!(wanted(FULU), "ssz.header: 4 bytes wanted, 0 left");
    assert_eq!(
        said(LightClientBootstrap::from_ssz(Fork::Gloas, 512, &[])),
        "ssz.header: 496 bytes wanted, 0 left"
    );
    assert_eq!(
        said(LightClientBootstrap::from_ssz(Fork::Altair, 512, &[])),
        "ssz.header: 112 bytes wanted, 0 left"
    );
    assert_eq!(
        said(LightClientBootstrap::from_ssz(Fork::Phase0, 512, &[])),
        "ssz: fork phase0 has no light-client data"
    );
}

#[test]
fn nothing_shorter_and_nothing_longer_is_taken() {
    let chain = ELECTRA.chain();
    let whole = fs::read(ELECTRA.file("finality_update.ssz")).unwrap();
    // What comes last is a list, the extra data.
    let (_, read) = finality(&chain, &whole).unwrap();
    let list = read.finalized_header.execution.unwrap().extra_data.len();
    for length in 0..whole.len() - list {
        assert!(finality(&chain, &whole[..length]).is_err(), "{length} bytes");
    }
    // A fixed size has nothing behind it.
    for fork in [Fork::Altair, Fork::Gloas] {
        let size = [112, 496][usize::from(fork == Fork::Gloas)];
        let branch = 32 * [5, 11][usize::from(fork == Fork::Gloas)];
        let exact = vec![0; size + 513 * 48 + branch];
        LightClientBootstrap::from_ssz(fork, 512, &exact).unwrap();
        let longer = [&exact[..], &[0, 0]].concat();
        assert_eq!(said(LightClientBootstrap::from_ssz(fork, 512, &longer)), "ssz: 2 bytes left over");
    }
}

#[test]
fn every_offset_has_one_place() {
    let (chain, whole) = (ELECTRA.chain(), fs::read(ELECTRA.file("finality_update.ssz")).unwrap());
    let offset = |at: usize| u32::from_le_bytes(whole[at..at + 4].try_into().unwrap());
    let with = |at: usize, value: u32| {
        let mut edited = whole.clone();
        edited[at..at + 4].copy_from_slice(&value.to_le_bytes());
        said(finality(&chain, &edited))
    };
    let (first, second, end) = (offset(0), offset(4), whole.len() as u32);
    assert_eq!(with(0, first + 1), format!("ssz.attested_header: offset {} where {first} is due", first + 1));
    // Before the first one, and behind the end.
    for wrong in [first - 1, end + 1] {
        assert_eq!(with(4, wrong), format!("ssz.finalized_header: offset {wrong} where {first} is due"));
    }
    // The payload's, within a header.
    let inner = (first + 112) as usize;
    let due = offset(inner);
    let wrong = due + 4;
    assert_eq!(
        with(inner, wrong),
        format!("ssz.attested_header.execution: offset {wrong} where {due} is due")
    );
    assert_eq!(offset(second as usize + 112), due);
}

/// What comes last in a bootstrap is the extra data.
#[test]
fn extra_data_has_a_limit() {
    let (chain, whole) = (ELECTRA.chain(), fs::read(ELECTRA.file("bootstrap.ssz")).unwrap());
    let (_, read) = bootstrap(&chain, &whole).unwrap();
    let has = read.header.execution.unwrap().extra_data.len();
    let with = |length: usize| bootstrap(&chain, &[&whole[..], &vec![7; length - has]].concat());
    let (_, most) = with(32).unwrap();
    assert_eq!(most.header.execution.unwrap().extra_data.len(), 32);
    assert_eq!(said(with(33)), "ssz.header.execution.extra_data: 33 bytes where at most 32 are allowed");
}

#[test]
fn an_answer_with_updates_is_cut_where_it_says() {
    let answer = fs::read(ELECTRA_TO_FULU.file("updates.ssz")).unwrap();
    let chunks = split_updates(&answer).unwrap();
    assert_eq!(chunks.iter().map(|chunk| 12 + chunk.ssz.len()).sum::<usize>(), answer.len());
    assert_eq!(chunks[0].fork_digest, answer[8..12]);
    assert!(split_updates(&[]).unwrap().is_empty());
    assert_eq!(said(split_updates(&answer[..7])), "ssz.response_chunk_len: 8 bytes wanted, 7 left");
    let length = u64::from_le_bytes(answer[..8].try_into().unwrap());
    let left = length - 1;
    assert_eq!(
        said(split_updates(&answer[..7 + length as usize])),
        format!("ssz.payload: {length} bytes wanted, {left} left")
    );
    let short = [&3_u64.to_le_bytes()[..], &[1, 2, 3]].concat();
    assert_eq!(said(split_updates(&short)), "ssz.fork_digest: 4 bytes wanted, 3 left");
}
