//! Recorded chains of committees: mainnet's first recorded period, and the chain that was extended by the next one.

use sextant_consensus::{
    Program,
    public_values::{CommitteeChain, Statement},
};
use sextant_protocol::{ProofKind, ProofRecord};
use sextant_verifier::{Verifier, VerifyError, pinned_vk_hash};

fn recorded() -> [ProofRecord; 2] {
    [
        include_bytes!("../../tests/data/recorded-starks/chain-1-compressed.proof").as_slice(),
        include_bytes!("../../tests/data/recorded-starks/chain-2-compressed.proof").as_slice(),
    ]
    .map(|file| ProofRecord::from_file_bytes(file).unwrap())
}

fn said(record: &ProofRecord) -> CommitteeChain {
    CommitteeChain::abi_decode(&record.public_values).unwrap()
}

/// Whoever knows the anchor alone has the newest committee from one file, and its size does not tell how far that is.
#[test]
fn a_chain_leads_from_its_anchor_to_the_newest_committee() {
    let verifier = Verifier::new();
    let anchor = sextant_fixtures::catch_up::recorded(1);
    let mut sizes = Vec::new();
    for (record, newest) in recorded().into_iter().zip([1348, 1349]) {
        assert_eq!((record.program(), record.kind), (Some(Program::Chain), ProofKind::Compressed));
        let Ok(Statement::Chain(chain)) = verifier.verify(&record) else { panic!("a valid chain") };
        assert_eq!(chain.anchor().committee_root, anchor.signer_committee_root);
        assert_eq!((chain.anchor().period, chain.newest.period), (1347, newest));
        let inputs = sextant_fixtures::catch_up::one_by_one(newest as usize - 1347);
        assert_eq!(chain.newest.committee_root, inputs.last().unwrap().handovers[0].next_committee_root);
        sizes.push(record.proof.len());
    }
    assert!(sizes[0].abs_diff(sizes[1]) < sizes[0] / 10, "{sizes:?}");
}

/// A proof holds for its own ends only.
#[test]
fn a_chain_from_another_anchor_or_to_another_committee_is_none() {
    let verifier = Verifier::new();
    let [first, second] = recorded();
    let edits: [fn(&mut CommitteeChain); 5] = [
        |chain| chain.head.signer_committee_root[0] ^= 1,
        |chain| chain.head.signer_period -= 1,
        |chain| chain.newest.committee_root[0] ^= 1,
        |chain| chain.newest.period += 1,
        |chain| chain.head.chain_digest[0] ^= 1,
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        let mut chain = said(&second);
        edit(&mut chain);
        let claimed = ProofRecord { public_values: chain.abi_encode(), ..second.clone() };
        assert!(matches!(verifier.verify(&claimed), Err(VerifyError::Rejected(_))), "edit {number}");
    }
    let swapped = ProofRecord { proof: first.proof, ..second };
    assert!(matches!(verifier.verify(&swapped), Err(VerifyError::Rejected(_))), "another step's proof");
}

/// Its own proof might hold; what came before is by whoever has that key.
#[test]
fn a_chain_by_another_program_is_none() {
    let [_, second] = recorded();
    let mut chain = said(&second);
    assert_eq!(chain.program_key, pinned_vk_hash(Program::Chain));
    chain.program_key = pinned_vk_hash(Program::CommitteeChange);
    let got = chain.program_key;
    let claimed = ProofRecord { public_values: chain.abi_encode(), ..second };
    let pinned = pinned_vk_hash(Program::Chain);
    match Verifier::new().verify(&claimed) {
        Err(VerifyError::OtherPredecessor { pinned: p, got: g }) => assert_eq!((p, g), (pinned, got)),
        other => panic!("{other:?}"),
    }
}
