//! A client that was away: real handovers of mainnet in a row, one statement.

use sextant_consensus::bls::Plain;
use sextant_consensus::committee_change;
use sextant_fixtures::catch_up::{self, FIRST_PERIOD, RECORDED};

#[test]
fn recorded_handovers_in_one_statement() {
    let updates = catch_up::updates();
    assert_eq!(updates.len(), RECORDED);
    for handovers in [1, 2, 8, RECORDED] {
        let values = committee_change::check(&catch_up::handovers(handovers), &mut Plain).unwrap();
        assert_eq!(values.head.signer_period, FIRST_PERIOD);
        assert_eq!(values.head.signer_committee_root, catch_up::committee().root());
        let last = &updates[handovers - 1].finalized_header;
        assert_eq!(values.head.finalized_root, last.beacon.root());
        let learned: Vec<_> =
            values.learned.iter().map(|learned| (learned.period, learned.committee_root)).collect();
        let taught = updates[..handovers].iter().map(|update| update.next_sync_committee.root());
        assert_eq!(learned, (FIRST_PERIOD + 1..).zip(taught).collect::<Vec<_>>());
    }
}

#[test]
fn more_handovers_than_were_recorded() {
    let values = committee_change::check(&catch_up::handovers(128), &mut Plain).unwrap();
    assert_eq!(values.learned.len(), 128);
    assert_eq!(values.head.participation, 511);
    let (first, last) = (&values.learned[0], &values.learned[127]);
    assert_eq!(last.period - first.period, 127);
}
