//! Who counts as a signer. The forgeries that counting keys and bits prevents are signed for real; of several handovers
//! the weakest counts.

use std::sync::LazyLock;

use sextant_consensus::bls::{AggregateVerifier, BlsError, Plain};
use sextant_consensus::build::committee_change_input;
use sextant_consensus::finality::SignedFinality;
use sextant_consensus::hash::hash_pair;
use sextant_consensus::networks::MAINNET;
use sextant_consensus::{codec, committee_change};
use sextant_fixtures::broken::{Broken, cases};
use sextant_fixtures::synthetic::{Committee, Slots, update};

/// The signed header of the broken committee change with this name.
fn signed(name: &str) -> SignedFinality {
    static CASES: LazyLock<Vec<Broken>> = LazyLock::new(cases);
    let case = CASES.iter().find(|case| case.name == name).expect(name);
    let input: committee_change::Input = codec::decode(&case.input).expect(name);
    input.handovers[0].signed.clone()
}

fn signature(signed: &SignedFinality) -> Result<(), BlsError> {
    let message = hash_pair(&signed.attested.root(), &MAINNET.signing_domain(signed.signature_slot));
    Plain.verify(&signed.committee.aggregate, &signed.committee.keys, &message, &signed.signature)
}

/// Nothing but the number of keys stands in a stranger's way: all 512 bits are set, and the signature is good.
#[test]
fn a_stranger_can_make_keys_of_which_the_signature_is_good() {
    let signed = signed("a stranger's key beside the absentees'");
    assert!(signed.bits.iter().all(|byte| *byte == 0xff));
    assert_eq!(signed.committee.keys.len(), 1);
    assert_eq!(signature(&signed), Ok(()));
}

/// Nothing but the number of bits stands in the way of one signer: two thirds of 512 are set.
#[test]
fn bits_beyond_the_seats_can_make_up_two_thirds() {
    for name in ["one signer and bits beyond the last seat", "341 signers and a bit beyond the last seat"] {
        let signed = signed(name);
        assert!(signed.bits.iter().map(|byte| byte.count_ones()).sum::<u32>() >= 342, "{name}");
        assert_eq!(signature(&signed), Ok(()), "{name}");
    }
}

#[test]
fn participation_is_that_of_the_handover_that_fewest_signed() {
    let [first, second, third] = [1, 2, 3].map(|seed| Committee::new(seed, 512, 512));
    for absent in [[100, 3], [3, 100], [100, 100]] {
        let hand_over = |signer: &Committee, next: &Committee, period: u64, absent| {
            let start = period * 8192;
            let slots = Slots { finalized: start + 32, attested: start + 96, signature: start + 97 };
            update(&MAINNET, signer, &next.public, slots, |seat| seat >= absent)
        };
        let updates =
            [hand_over(&first, &second, 1150, absent[0]), hand_over(&second, &third, 1151, absent[1])];
        let input = committee_change_input(&MAINNET, &first.public, &updates).unwrap();
        let values = committee_change::check(&input, &mut Plain).unwrap();
        assert_eq!(values.head.participation, 412, "{absent:?} absent");
    }
}
