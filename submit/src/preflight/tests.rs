use sextant_consensus::public_values::{Block, CommitteeChange, Head, Inclusion, Learned};

use super::*;
use crate::{NextFork, Trust};

fn deployment() -> Deployment {
    let key = B256::repeat_byte;
    Deployment {
        trust: Trust {
            verifier: Address::repeat_byte(1),
            selector: FixedBytes([1; 4]),
            committee_change_key: key(1),
            inclusion_key: key(2),
            bundle_key: Some(key(9)),
            chain_digest: key(3),
            next_fork: Some(NextFork { slot: 100, digest: key(4) }),
        },
        rules: Rules {
            genesis_time: 1_606_824_023,
            seconds_per_slot: 12,
            max_age: 14 * DAY,
            min_participation: 342,
        },
        slot: 64,
        root: key(5),
        period: 0,
        committee_root: key(6),
        guardian: Address::repeat_byte(7),
        delay: 3 * DAY,
    }
}

/// Of which it matters here who signed, and what it teaches.
fn change(signer_period: u64, committee: B256, learned: &[(u64, B256)]) -> CommitteeChange {
    let head = Head {
        program: Program::CommitteeChange,
        chain_digest: [3; 32],
        signer_period,
        signer_committee_root: committee.into(),
        participation: 512,
        finalized_slot: 64,
        finalized_root: [5; 32],
        block_number: 0,
        block_hash: [0; 32],
        state_root: [0; 32],
    };
    let learned =
        learned.iter().map(|(period, root)| Learned { period: *period, committee_root: (*root).into() });
    CommitteeChange { head, learned: learned.collect() }
}

/// An inclusion that begins with these handovers.
fn inclusion(change: CommitteeChange) -> Inclusion {
    Inclusion {
        head: Head { program: Program::Inclusion, ..change.head },
        facts: Block { number: 1, hash: [1; 32], state_root: [1; 32], receipts_root: [0; 32], timestamp: 0 },
        accounts: Vec::new(),
        learned: change.learned,
        transactions: Vec::new(),
        logs: Vec::new(),
        no_logs: Vec::new(),
    }
}

fn knowledge() -> Knowledge {
    let Deployment { trust, rules, guardian, delay, slot, period, committee_root, .. } = deployment();
    let committees = [(period, committee_root)].into();
    Knowledge { trust, rules, guardian: Some(guardian), delay, time: 0, head_slot: slot, committees }
}

#[test]
fn senseless_numbers_are_named() {
    assert_eq!(deployment().check(512), Ok(()));
    let named = |edit: fn(&mut Deployment)| {
        let mut edited = deployment();
        edit(&mut edited);
        match edited.check(512) {
            Err(PreflightError::Senseless { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    };
    for edit in [
        (|d| d.rules.min_participation = 0) as fn(&mut Deployment),
        |d| d.rules.min_participation = 341,
        |d| d.rules.min_participation = 513,
    ] {
        assert_eq!(named(edit), "a minimum of signers");
    }
    for edit in [(|d| d.delay = 1) as fn(&mut Deployment), |d| d.delay = u64::MAX] {
        assert_eq!(named(edit), "a delay");
    }
    for edit in [(|d| d.rules.max_age = 0) as fn(&mut Deployment), |d| d.rules.max_age = 365 * DAY] {
        assert_eq!(named(edit), "a maximum age");
    }
    assert_eq!(named(|d| d.rules.genesis_time = 0), "a genesis time");
    assert_eq!(named(|d| d.rules.seconds_per_slot = 0), "a slot length");
    // Nobody replaces anything: then no delay is needed. And the minimal preset has other committees.
    let mut fixed = deployment();
    (fixed.guardian, fixed.delay) = (Address::ZERO, 0);
    assert_eq!(fixed.check(512), Ok(()));
    fixed.rules.min_participation = 22;
    assert_eq!(fixed.check(32), Ok(()));
}

#[test]
fn what_a_contract_does_not_share_is_named() {
    let Trust { committee_change_key, inclusion_key, bundle_key, chain_digest, selector, .. } =
        deployment().trust;
    let (bundle_key, selector) = (bundle_key.unwrap(), Some(selector));
    let ours = Ours { committee_change_key, inclusion_key, bundle_key, chain_digest, selector };
    assert_eq!(ours.check(&knowledge()), Ok(()));
    // What takes no bundles takes all else.
    let mut without = knowledge();
    without.trust.bundle_key = None;
    assert_eq!(ours.check(&without), Ok(()));
    // A build that knows the next fork is as good.
    let newer = Ours { chain_digest: B256::repeat_byte(4), ..ours.clone() };
    assert_eq!(newer.check(&knowledge()), Ok(()));
    let named = |edit: fn(&mut Knowledge)| {
        let mut edited = knowledge();
        edit(&mut edited);
        match ours.check(&edited) {
            Err(PreflightError::Differs { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(named(|k| k.trust.committee_change_key = B256::ZERO), "verifying key of committee changes");
    assert_eq!(named(|k| k.trust.inclusion_key = B256::ZERO), "verifying key of inclusions");
    assert_eq!(named(|k| k.trust.bundle_key = Some(B256::ZERO)), "verifying key of bundles");
    assert_eq!(named(|k| k.trust.selector = FixedBytes([2; 4])), "verifier, by its circuits");
    assert_eq!(named(|k| k.trust.chain_digest = B256::ZERO), "chain digest");
}

/// Of both statements: an inclusion that begins with handovers is as good as a committee change.
fn check(change: &CommitteeChange, taught: &[(u64, B256)]) -> Result<(), PreflightError> {
    let taught = taught.iter().copied().collect();
    let end = knowledge().check_signer(&Statement::CommitteeChange(change.clone()), &taught);
    let other = knowledge().check_signer(&Statement::Inclusion(inclusion(change.clone())), &taught);
    assert_eq!(end, other);
    end
}

#[test]
fn whoever_signed_is_known_or_taught_before() {
    let (committee, other) = (B256::repeat_byte(6), B256::repeat_byte(8));
    let signed = |period, committee| change(period, committee, &[]);
    assert_eq!(check(&signed(0, committee), &[]), Ok(()));
    assert_eq!(check(&signed(1, other), &[(1, other)]), Ok(()));
    let apart = PreflightError::PeriodsApart { period: 17, head_slot: 64 };
    assert_eq!(check(&signed(17, committee), &[(16, committee), (18, committee)]), Err(apart));
    // What the contract knows counts, whatever proofs before it would teach.
    for (change, taught) in [
        (signed(0, other), &[][..]),
        (signed(0, other), &[(0, other)]),
        (signed(1, committee), &[(1, other)]),
    ] {
        let error = check(&change, taught);
        assert!(matches!(error, Err(PreflightError::Differs { what: "committee", .. })), "{error:?}");
    }
}

/// The first committee has to be known, not the one that signed: a statement that leads over one that is known does not
/// help, and is told from one that begins too late.
#[test]
fn what_a_statement_teaches_does_not_make_up_for_where_it_begins() {
    let (committee, other) = (B256::repeat_byte(6), B256::repeat_byte(8));
    assert_eq!(check(&change(0, committee, &[(1, other), (2, other)]), &[]), Ok(()));
    let late = change(3, other, &[(4, other)]);
    assert_eq!(check(&late, &[]), Err(PreflightError::PeriodsApart { period: 3, head_slot: 64 }));
    assert_eq!(check(&late, &[(3, other)]), Ok(()));
    let mut known = knowledge();
    known.committees = [(5, committee)].into();
    let early = Statement::Inclusion(inclusion(change(3, other, &[(4, other), (5, committee), (6, other)])));
    let error = known.check_signer(&early, &BTreeMap::new()).unwrap_err();
    assert_eq!(error, PreflightError::BeginsTooEarly { period: 3, known: 5 });
    assert!(error.to_string().contains("period 3") && error.to_string().contains("period 5"), "{error}");
}

#[test]
fn chains_count_by_slot_and_age_by_the_rules() {
    let known = knowledge();
    let (old, new) = (known.trust.chain_digest, B256::repeat_byte(4));
    assert!(known.takes_chain(&old, 99) && !known.takes_chain(&old, 100));
    assert!(known.takes_chain(&new, 99) && known.takes_chain(&new, 100));
    assert!(!known.takes_chain(&B256::ZERO, 99));
    let begun = known.rules.genesis_time + 12 * 99;
    assert!(!known.is_too_old(99, begun + 14 * DAY) && known.is_too_old(99, begun + 14 * DAY + 1));
    assert!(!known.is_too_old(u64::MAX, begun));
}
