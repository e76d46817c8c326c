//! Statements signed by committees of our own: participation, forks and repeated keys that no recording has.

use std::collections::BTreeSet;

use sextant_consensus::bls::Plain;
use sextant_consensus::bls::fast::HintedVerifier;
use sextant_consensus::build::committee_change_input;
use sextant_consensus::chain::{ChainConfig, Fork};
use sextant_consensus::networks::{MAINNET, SEPOLIA};
use sextant_consensus::public_values::{CommitteeChange, Statement};
use sextant_consensus::{Program, check_statement, check_with_hints, codec, committee_change};
use sextant_fixtures::synthetic::{Committee, Slots, update};

const SLOTS_PER_PERIOD: u64 = 32 * 256;

/// A handover at `slots`, signed by those whose seats are `present`.
fn signed_handover(
    chain: &ChainConfig,
    committee: &Committee,
    slots: Slots,
    present: impl Fn(usize) -> bool,
) -> committee_change::Input {
    let next = Committee::new(2, chain.size(), 8).public;
    let update = update(chain, committee, &next, slots, present);
    committee_change_input(chain, &committee.public, &[update]).expect("synthetic update")
}

/// Signs and checks one handover at `slots`, with the first `absent` seats missing.
fn hand_over(
    chain: &ChainConfig,
    committee: &Committee,
    slots: Slots,
    absent: usize,
) -> Result<CommitteeChange, committee_change::CommitteeChangeError> {
    let input = signed_handover(chain, committee, slots, |seat| seat >= absent);
    committee_change::check(&input, &mut Plain)
}

fn slots_in(period: u64) -> Slots {
    let start = period * SLOTS_PER_PERIOD;
    Slots { finalized: start + 32, attested: start + 96, signature: start + 97 }
}

#[test]
fn two_thirds_are_enough_and_one_less_is_not() {
    let committee = Committee::new(1, 512, 512);
    for (absent, signed) in [(0, 512), (1, 511), (100, 412), (170, 342)] {
        let values = hand_over(&MAINNET, &committee, slots_in(1150), absent).expect("enough signers");
        assert_eq!(values.head.participation, signed);
    }
    assert!(hand_over(&MAINNET, &committee, slots_in(1150), 171).is_err());
}

/// The guests' hinted check agrees with the plain one for any number of signers that a proof may have, wherever the
/// absent ones sit.
#[test]
fn participation_from_342_to_512() {
    // Some keys stand in several seats, as they do on mainnet.
    let committee = Committee::new(1, 512, 400);
    for absent in (0..=170).step_by(5).chain([1, 169]) {
        // 211 is a unit of the ring of 512 seats: the first so many multiples of it are different seats, all over.
        let missing: BTreeSet<usize> = (0..absent).map(|i| (i + 1) * 211 % 512).collect();
        assert_eq!(missing.len(), absent);
        let input = signed_handover(&MAINNET, &committee, slots_in(1150), |seat| !missing.contains(&seat));
        let bytes = codec::encode(&input);

        let (recorded, hints) = check_with_hints(Program::CommitteeChange, &bytes).expect("enough signers");
        let mut hinted = HintedVerifier::new(&hints);
        let checked = check_statement(Program::CommitteeChange, &bytes, &mut hinted).expect("hinted");
        assert_eq!(hinted.finish(), Ok(()), "{absent} absent");
        assert_eq!(checked, recorded);
        let plain = committee_change::check(&input, &mut Plain).expect("plain");
        assert_eq!(plain.head.participation as usize, 512 - absent);
        assert_eq!(checked, Statement::CommitteeChange(plain));
    }
}

#[test]
fn repeated_keys_count_once_per_seat() {
    for distinct in [1, 8, 64] {
        let committee = Committee::new(1, 512, distinct);
        let values = hand_over(&MAINNET, &committee, slots_in(1150), 150).expect("repeated keys");
        assert_eq!(values.head.participation, 362);
    }
}

#[test]
fn every_fork() {
    let committee = Committee::new(1, 512, 512);
    for (fork, epoch) in Fork::ALL.into_iter().zip(SEPOLIA.forks.0.map(|fork| fork.epoch)) {
        if matches!(fork, Fork::Phase0 | Fork::Altair) {
            continue;
        }
        // A period wholly inside the fork.
        let period = epoch.div_ceil(256) + 1;
        let values =
            hand_over(&SEPOLIA, &committee, slots_in(period), 3).unwrap_or_else(|e| panic!("{fork}: {e}"));
        assert_eq!(values.head.block_hash != [0; 32], fork >= Fork::Capella, "{fork}");
        // Gloas' headers name the hash alone.
        let names_block = (Fork::Capella..Fork::Gloas).contains(&fork);
        assert_eq!(values.head.block_number != 0, names_block, "{fork}");
    }
    // Sepolia had Altair and Bellatrix within its first period; mainnet's Altair lasted long enough.
    let values = hand_over(&MAINNET, &committee, slots_in(292), 3).expect("altair");
    assert_eq!(values.head.block_hash, [0; 32]);
}

#[test]
fn the_signed_version_is_that_of_the_slot_before_the_signature() {
    // Electra's first slot on mainnet: a signature in it is over Deneb's version, one slot later over Electra's.
    let first = 364_032 * 32;
    assert_eq!(MAINNET.fork_at(first), Ok(Fork::Electra));
    let period = MAINNET.period(first);
    assert_eq!(MAINNET.signing_domain(first), MAINNET.signing_domain(first - 1));
    assert_ne!(MAINNET.signing_domain(first + 1), MAINNET.signing_domain(first));
    assert_eq!(MAINNET.signing_domain(0), MAINNET.signing_domain(1));
    // And data whose finalized header is older than the fork of its attested header.
    let mut chain = MAINNET;
    chain.forks.0[5].epoch = (period * SLOTS_PER_PERIOD + 64) / 32;
    let committee = Committee::new(1, 512, 512);
    let start = period * SLOTS_PER_PERIOD;
    for signature in [start + 64, start + 65, start + 66] {
        let slots = Slots { finalized: start + 32, attested: signature - 1, signature };
        hand_over(&chain, &committee, slots, 1).unwrap_or_else(|e| panic!("signed at {signature}: {e}"));
    }
}

#[test]
fn execution_facts_are_read_by_the_finalized_header_s_fork() {
    // The fork lies between the two headers, and moves the payload's fields a level down.
    let start = 1150 * SLOTS_PER_PERIOD;
    let slots = Slots { finalized: start + 32, attested: start + 64, signature: start + 65 };
    let mut chain = MAINNET;
    chain.forks.0[Fork::Deneb as usize].epoch = chain.epoch(slots.attested);
    assert_eq!(chain.fork_at(slots.finalized), Ok(Fork::Capella));
    assert_eq!(chain.fork_at(slots.attested), Ok(Fork::Deneb));
    let values = hand_over(&chain, &Committee::new(1, 512, 512), slots, 3).expect("a fork in between");
    assert_eq!(values.head.block_number, slots.finalized / 2);
}

#[test]
fn the_minimal_preset() {
    let mut chain = MAINNET;
    (chain.committee_size, chain.slots_per_epoch, chain.epochs_per_period) = (32, 8, 8);
    chain.forks.0[..5].iter_mut().for_each(|fork| fork.epoch = 0);
    let committee = Committee::new(3, 32, 32);
    let slots = Slots { finalized: 64 + 8, attested: 64 + 24, signature: 64 + 25 };
    assert_eq!(hand_over(&chain, &committee, slots, 10).map(|values| values.head.participation), Ok(22));
    assert!(hand_over(&chain, &committee, slots, 11).is_err());
}
