//! The rules of a chain of committees, each broken; and its public values, compared with what Solidity makes.

use alloy_sol_types::{SolValue, sol};
use sextant_consensus::{
    AbiError, Program,
    bls::Plain,
    check_statement,
    codec::{self, Blob},
    committee_chain::{self, CommitteeChainError as Error, Input, LinkError, MAX_CHANGES, digest_of_key},
    committee_change,
    public_values::{CommitteeChain, CommitteeChange, Head, Learned, Statement},
};

sol! {
    struct SolLearned { uint64 period; bytes32 committeeRoot; }
    struct SolChain {
        uint32 version; uint32 program; bytes32 chainDigest; uint64 signerPeriod; bytes32 signerCommitteeRoot;
        uint64 participation; uint64 finalizedSlot; bytes32 finalizedRoot; uint64 blockNumber; bytes32 blockHash;
        bytes32 stateRoot; bytes32 programKey; SolLearned[] learned;
    }
}

/// Of no program, and yet the hash of a key: each of its 31 bits is an element of the field.
const KEY: [u8; 32] = {
    let mut key = [0; 32];
    key[31] = 7;
    key
};

/// What changes of mainnet say, of one handover each, in a row.
fn changes(count: usize) -> Vec<CommitteeChange> {
    let inputs = sextant_fixtures::catch_up::one_by_one(count);
    inputs.iter().map(|input| committee_change::check(input, &mut Plain).unwrap()).collect()
}

fn extend(chain: Option<&CommitteeChain>, changes: &[CommitteeChange]) -> Input {
    Input {
        program_key: KEY,
        predecessor: chain.into_iter().map(|chain| Blob(chain.abi_encode())).collect(),
        changes: changes.iter().map(|change| Blob(change.abi_encode())).collect(),
    }
}

fn checked(chain: Option<&CommitteeChain>, changes: &[CommitteeChange]) -> Result<CommitteeChain, Error> {
    committee_chain::check(&extend(chain, changes))
}

#[test]
fn however_a_chain_is_extended_it_leads_from_the_anchor_to_the_newest() {
    let all = changes(5);
    let whole = checked(None, &all).unwrap();
    let [first, .., last] = &all[..] else { panic!("five") };
    assert_eq!((whole.anchor().period, whole.newest.period), (1347, 1352));
    assert_eq!(whole.anchor().committee_root, first.head.signer_committee_root);
    assert_eq!(whole.newest, last.learned[0]);
    let participation = all.iter().map(|change| change.head.participation).min().unwrap();
    let head = Head {
        program: Program::Chain,
        signer_period: 1347,
        signer_committee_root: first.head.signer_committee_root,
        participation,
        ..last.head
    };
    assert_eq!((whole.head, whole.program_key), (head, KEY));
    for steps in [&[1, 1, 1, 1, 1][..], &[2, 3], &[1, 4]] {
        let (mut chain, mut rest) = (None, &all[..]);
        for step in steps {
            let (now, later) = rest.split_at(*step);
            chain = Some(checked(chain.as_ref(), now).unwrap());
            rest = later;
        }
        assert_eq!(chain.as_ref(), Some(&whole), "by {steps:?}");
    }
    // A change over several periods is as good as several.
    let several = committee_change::check(&sextant_fixtures::catch_up::recorded(5), &mut Plain).unwrap();
    assert_eq!(checked(None, &[several]), Ok(whole));
}

#[test]
fn the_lowest_participation_is_kept() {
    let mut all = changes(3);
    for (change, seats) in all.iter_mut().zip([400, 350, 500]) {
        change.head.participation = seats;
    }
    let chain = checked(None, &all[..2]).unwrap();
    assert_eq!(checked(Some(&chain), &all[2..]).unwrap().head.participation, 350);
    all[2].head.participation = 341;
    assert_eq!(checked(Some(&chain), &all[2..]).unwrap().head.participation, 341);
}

/// What does not follow is refused, as the first step or a later one, by name.
#[test]
fn what_does_not_follow_is_refused() {
    let all = changes(4);
    let chain = checked(None, &all[..2]).unwrap();
    let within = |index, error| Err(Error::Change { index, error });
    let skipped = LinkError::Period { expected: 1349, got: 1350 };
    let again = LinkError::Period { expected: 1349, got: 1348 };
    assert_eq!(checked(Some(&chain), &all[3..]), within(0, skipped));
    assert_eq!(checked(Some(&chain), &all[1..]), within(0, again));
    assert_eq!(checked(None, &[all[0].clone(), all[1].clone(), all[3].clone()]), within(2, skipped));

    let edited = |edit: &dyn Fn(&mut CommitteeChange)| {
        let mut next = all[2].clone();
        edit(&mut next);
        checked(Some(&chain), &[next])
    };
    assert_eq!(edited(&|change| change.head.signer_committee_root[31] ^= 1), within(0, LinkError::Committee));
    assert_eq!(edited(&|change| change.head.chain_digest[0] ^= 1), within(0, LinkError::OtherChain));
    assert_eq!(edited(&|change| change.learned.clear()), within(0, LinkError::Nothing));
    // A chain by another anchor's committee, though of the same period.
    let mut other = chain.clone();
    other.newest.committee_root[0] ^= 1;
    assert_eq!(checked(Some(&other), &all[2..3]), within(0, LinkError::Committee));

    assert_eq!(checked(Some(&chain), &[]), Err(Error::Empty));
    assert_eq!(checked(None, &[]), Err(Error::Empty));
    let many = vec![all[0].clone(); MAX_CHANGES + 1];
    assert_eq!(checked(None, &many), Err(Error::TooMany { got: MAX_CHANGES + 1 }));
    let two = Input { predecessor: vec![Blob(chain.abi_encode()); 2], ..extend(None, &all[2..3]) };
    assert_eq!(committee_chain::check(&two), Err(Error::Predecessors { got: 2 }));
}

/// What another program says is no chain so far, and no change.
#[test]
fn only_proofs_by_the_programs_themselves_count() {
    let all = changes(2);
    let chain = checked(None, &all[..1]).unwrap();
    let mut foreign = chain.clone();
    foreign.program_key[31] ^= 1;
    assert_eq!(checked(Some(&foreign), &all[1..]), Err(Error::OtherProgram));
    let unexpected = AbiError::Unexpected("program");
    let with = |predecessor: Vec<u8>, change: Vec<u8>| {
        let input = Input { predecessor: vec![Blob(predecessor)], ..extend(None, &[]) };
        committee_chain::check(&Input { changes: vec![Blob(change)], ..input })
    };
    let (chain, change) = (chain.abi_encode(), all[1].abi_encode());
    assert!(with(chain.clone(), change.clone()).is_ok());
    assert_eq!(with(change.clone(), change.clone()), Err(Error::Predecessor(unexpected)));
    let error = LinkError::PublicValues(unexpected);
    assert_eq!(with(chain.clone(), chain.clone()), Err(Error::Change { index: 0, error }));
    let torn = LinkError::PublicValues(AbiError::Length);
    assert_eq!(with(chain, change[..64].to_vec()), Err(Error::Change { index: 0, error: torn }));

    let statements = |programs: &[Program]| {
        Input::of(KEY, programs.iter().map(|program| (*program, vec![program.tag() as u8])))
    };
    use Program::{Bundle, Chain, CommitteeChange as Change, Inclusion};
    let input = statements(&[Chain, Change, Change]).unwrap();
    assert_eq!((input.predecessor.len(), input.changes.len()), (1, 2));
    assert_eq!(statements(&[Change]).unwrap().predecessor.len(), 0);
    for (programs, index, program) in [
        (&[Change, Chain][..], 1, Chain),
        (&[Chain, Chain], 1, Chain),
        (&[Chain, Change, Inclusion], 2, Inclusion),
        (&[Bundle], 0, Bundle),
    ] {
        assert_eq!(statements(programs), Err(Error::Program { index, program }));
    }
}

/// A key is written in one way, and it is the way of SP1: the artifacts' keys are all read.
#[test]
fn a_key_is_eight_elements_and_nothing_else() {
    let all = changes(1);
    let with = |program_key| committee_chain::check(&Input { program_key, ..extend(None, &all) });
    // The largest element in each place, and one more.
    for place in 0..8 {
        for (element, fits) in [(0x7f00_0000_u64, true), (0x7f00_0001, false), (0x7fff_ffff, false)] {
            let shift = 31 * (7 - place);
            let mut key = [0_u8; 32];
            for bit in 0..31 {
                let at = shift + bit;
                key[31 - at / 8] |= ((element >> bit & 1) as u8) << (at % 8);
            }
            let expected = fits.then(|| {
                let mut digest = [0; 8];
                digest[place] = element as u32;
                digest
            });
            assert_eq!(digest_of_key(&key), expected, "{element:x} in place {place}");
            assert_eq!(with(key).is_ok(), fits);
        }
    }
    let mut wide = KEY;
    wide[0] = 1;
    assert_eq!(with(wide), Err(Error::Key));
}

#[test]
fn public_values_are_what_solidity_makes_and_nothing_else_is_read() {
    let chain = checked(None, &changes(2)).unwrap();
    let CommitteeChain { head, program_key, newest } = &chain;
    let Learned { period, committee_root } = *newest;
    let sol = SolChain {
        version: 2,
        program: 4,
        chainDigest: head.chain_digest.into(),
        signerPeriod: head.signer_period,
        signerCommitteeRoot: head.signer_committee_root.into(),
        participation: head.participation,
        finalizedSlot: head.finalized_slot,
        finalizedRoot: head.finalized_root.into(),
        blockNumber: head.block_number,
        blockHash: head.block_hash.into(),
        stateRoot: head.state_root.into(),
        programKey: program_key.into(),
        learned: vec![SolLearned { period, committeeRoot: committee_root.into() }],
    };
    let bytes = chain.abi_encode();
    assert_eq!(bytes, sol.abi_encode());
    let statement = Statement::Chain(chain.clone());
    assert_eq!(Statement::abi_decode(Program::Chain, &bytes), Ok(statement.clone()));
    assert_eq!((statement.abi_encode(), statement.program()), (bytes.clone(), Program::Chain));
    assert_eq!((statement.chain_digest(), statement.head()), (head.chain_digest, Some(head)));
    let input = codec::encode(&extend(None, &changes(2)));
    assert_eq!(check_statement(Program::Chain, &input, &mut Plain), Ok(statement));
    // Every word is either read or refused; none is passed over.
    for at in 0..bytes.len() {
        let mut edited = bytes.clone();
        edited[at] ^= 0x40;
        let read = CommitteeChain::abi_decode(&edited).map(|chain| chain.abi_encode());
        assert!(read.is_err() || read == Ok(edited), "byte {at}");
    }
    for length in 0..bytes.len() {
        assert!(CommitteeChain::abi_decode(&bytes[..length]).is_err(), "{length} bytes");
    }
    assert!(CommitteeChain::abi_decode(&[&bytes[..], &[0; 32]].concat()).is_err());
    let longer = SolChain { learned: vec![sol.learned[0].clone(); 2], ..sol };
    assert!(CommitteeChain::abi_decode(&longer.abi_encode()).is_err(), "the newest alone");
}
