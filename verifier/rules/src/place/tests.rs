use sextant_artifacts::CIRCUIT_VERSION;
use sextant_protocol::{encoding::EncodingError, place::MAX_PLACE, proof::Circuits};
use sextant_snark_verifier::SnarkError;

use super::*;
use crate::{Checked, VerifyError, check, pinned_vk_hash};

type Verdict = Result<Statement, VerifyError<std::convert::Infallible>>;

const SNARK: &[u8] = include_bytes!("../../../../tests/data/recorded-snarks/inclusion.proof");
const CHANGE: &[u8] = include_bytes!("../../../../tests/data/recorded-snarks/committee-change.proof");
const ITS_CIRCUITS: &[u8] = include_bytes!("../../../../tests/data/recorded-snarks/groth16_vk.bin");

/// A committee change and an inclusion of one chain: their programs and public values.
fn statements() -> [(Program, Vec<u8>); 2] {
    [CHANGE, SNARK].map(|file| {
        let record = ProofRecord::from_file_bytes(file).unwrap();
        (record.program().unwrap(), record.public_values)
    })
}

fn bundle() -> Bundle {
    let [first, second] = statements();
    let parts = [&first, &second].map(|(program, values)| Bundled::of(*program, values));
    let chain_digest = Statement::abi_decode(first.0, &first.1).unwrap().chain_digest();
    Bundle { chain_digest, parts: parts.into() }
}

/// The SNARK of a bundle, as far as its record tells: what proves it is `proof`.
fn snark(bundle: &Bundle, proof: Vec<u8>) -> ProofRecord {
    ProofRecord {
        program: Program::Bundle.tag(),
        kind: ProofKind::Groth16,
        circuits: Circuits::Development,
        circuit_version: CIRCUIT_VERSION.into(),
        vk_hash: pinned_vk_hash(Program::Bundle),
        public_values: bundle.abi_encode(),
        proof,
    }
}

/// The record of `statement`, said to be at `index` of `bundle`.
fn placed(statement: &(Program, Vec<u8>), index: u32, bundle: &Bundle) -> ProofRecord {
    ProofRecord::in_bundle(statement.0, statement.1.clone(), index, &snark(bundle, vec![7; 356]))
}

/// What is said of a record whose SNARK, whatever it is, holds.
fn judge(record: &ProofRecord) -> Verdict {
    check(record, Some(ITS_CIRCUITS), |_| Ok(()))
}

fn refusal(record: &ProofRecord) -> PlaceError {
    match judge(record) {
        Err(VerifyError::Place(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// What is verified is the bundle's proof of the bundle's public values; what it proves to the reader is the one statement.
#[test]
fn a_statement_is_proven_at_its_own_place() {
    for (index, statement) in statements().iter().enumerate() {
        let record = placed(statement, index as u32, &bundle());
        let proven: Verdict = check(&record, Some(ITS_CIRCUITS), |Checked { program, snark, .. }| {
            assert_eq!((program, snark.program), (statement.0, Program::Bundle));
            assert_eq!((snark.public_values, snark.proof), (&*bundle().abi_encode(), &[7; 356][..]));
            Ok(())
        });
        assert_eq!(proven.unwrap(), Statement::abi_decode(statement.0, &statement.1).unwrap());
    }
}

#[test]
fn at_another_place_there_is_another_statement_or_none() {
    let [first, second] = statements();
    let error = refusal(&placed(&first, 1, &bundle()));
    assert!(
        matches!(
            error,
            PlaceError::Program { index: 1, claimed: Program::CommitteeChange, got: Program::Inclusion }
        ),
        "{error}"
    );
    // Two statements of one program.
    let mut other = Statement::abi_decode(second.0, &second.1).unwrap();
    let Statement::Inclusion(values) = &mut other else { panic!("an inclusion") };
    values.head.finalized_slot += 1;
    let twice = [&second.1, &other.abi_encode()].map(|values| Bundled::of(Program::Inclusion, values));
    let bundle = Bundle { parts: twice.into(), ..bundle() };
    judge(&placed(&second, 0, &bundle)).unwrap();
    let error = refusal(&placed(&second, 1, &bundle));
    let [mine, theirs] = twice.map(|part| part.digest);
    assert!(
        matches!(error, PlaceError::Statement { index: 1, claimed, got } if (claimed, got) == (mine, theirs)),
        "{error}"
    );
    for index in [2, 64, u32::MAX] {
        let error = refusal(&placed(&second, index, &bundle));
        assert!(matches!(error, PlaceError::OutOfRange { index: i, parts: 2 } if i == index), "{error}");
    }
    let none = Bundle { parts: Vec::new(), ..bundle };
    assert!(matches!(refusal(&placed(&second, 0, &none)), PlaceError::OutOfRange { parts: 0, .. }));
}

/// The bundle program says no such thing; were there one that does, it would not be believed either.
#[test]
fn a_statement_about_another_chain_than_its_bundle_is_refused() {
    let [first, _] = statements();
    let elsewhere = Bundle { chain_digest: [7; 32], ..bundle() };
    let error = refusal(&placed(&first, 0, &elsewhere));
    let claimed = bundle().chain_digest;
    assert!(matches!(error, PlaceError::Chain { claimed: c, got: [7, ..] } if c == claimed), "{error}");
}

#[test]
fn what_is_no_place_or_no_bundle_is_refused_by_name() {
    let [first, _] = statements();
    let good = placed(&first, 0, &bundle());
    let with = |proof: Vec<u8>| refusal(&ProofRecord { proof, ..good.clone() });
    assert!(matches!(with(Vec::new()), PlaceError::Malformed(EncodingError::Malformed { .. })));
    assert!(matches!(
        with(vec![0; MAX_PLACE + 1]),
        PlaceError::Malformed(EncodingError::TooLarge { limit: MAX_PLACE, .. })
    ));
    let mut later = good.proof.clone();
    later[0] = 2;
    assert!(matches!(with(later), PlaceError::Malformed(EncodingError::Unknown { number: 2, .. })));
    // The statement itself instead of the bundle, and a bundle with a word too many.
    let mut claimed = snark(&bundle(), vec![7; 356]);
    for values in [first.1.clone(), [bundle().abi_encode(), vec![0; 32]].concat()] {
        claimed.public_values = values;
        let record = ProofRecord::in_bundle(first.0, first.1.clone(), 0, &claimed);
        let error = refusal(&record);
        assert!(matches!(error, PlaceError::Bundle(_)), "{error}");
        assert!(error.to_string().starts_with("the bundle's public values"), "{error}");
    }
}

/// The proof is the bundle program's: its key is pinned, and the circuits are asked for as with any other SNARK.
#[test]
fn key_and_circuits_are_those_of_a_bundles_snark() {
    let [first, _] = statements();
    let good = placed(&first, 0, &bundle());
    let own_key = ProofRecord { vk_hash: pinned_vk_hash(first.0), ..good.clone() };
    assert!(matches!(judge(&own_key), Err(VerifyError::WrongKey { program: Program::Bundle, .. })));
    let unasked: Verdict = check(&good, None, |_| Ok(()));
    assert!(matches!(unasked, Err(VerifyError::DevelopmentCircuits)));
    let other_version = ProofRecord { circuit_version: "v9".into(), ..good.clone() };
    assert!(matches!(judge(&other_version), Err(VerifyError::CircuitVersion { .. })));
    // The bundle has no place in itself.
    let itself = placed(&(Program::Bundle, bundle().abi_encode()), 0, &bundle());
    assert!(matches!(refusal(&itself), PlaceError::Program { .. }));
    // Said by its own kind, it is the statement's own SNARK that would be verified.
    let alone = ProofRecord { kind: ProofKind::Groth16, ..good };
    assert!(matches!(judge(&alone), Err(VerifyError::WrongKey { program: Program::CommitteeChange, .. })));
}

/// By circuits whose secret is known, so that there are proofs of everything: what counts is the one of the bundle.
#[test]
fn the_snark_is_verified_as_one_of_the_bundle_and_of_nothing_else() {
    let (key, [first, second]) = (forged::key(), statements());
    let root = ProofRecord::from_file_bytes(SNARK).unwrap().proof[36..68].try_into().unwrap();
    let by = |program, values: &[u8]| forged::proof(&pinned_vk_hash(program), values, &root);
    let verify = |proof, statement: &(Program, Vec<u8>), index| -> Verdict {
        let claimed = snark(&bundle(), proof);
        let record = ProofRecord::in_bundle(statement.0, statement.1.clone(), index, &claimed);
        check(&record, Some(&key), |checked| checked.verify_snark())
    };
    let good = by(Program::Bundle, &bundle().abi_encode());
    for (index, statement) in [&first, &second].into_iter().enumerate() {
        let proven = verify(good.clone(), statement, index as u32).unwrap();
        assert_eq!(proven.abi_encode(), statement.1);
    }
    let mut reversed = bundle();
    reversed.parts.reverse();
    for other in [
        by(Program::Bundle, &reversed.abi_encode()),
        by(Program::Bundle, &first.1),
        by(Program::CommitteeChange, &first.1),
        by(Program::CommitteeChange, &bundle().abi_encode()),
    ] {
        let verdict = verify(other, &first, 0);
        assert!(matches!(verdict, Err(VerifyError::Snark(SnarkError::Equation))), "{verdict:?}");
    }
    // The statement's own proof is as good as ever, by its own kind.
    let alone = ProofRecord {
        program: first.0.tag(),
        vk_hash: pinned_vk_hash(first.0),
        public_values: first.1.clone(),
        ..snark(&bundle(), by(first.0, &first.1))
    };
    let verdict: Verdict = check(&alone, Some(&key), |checked| checked.verify_snark());
    assert_eq!(verdict.unwrap().abi_encode(), first.1);
}

/// A SNARK of a statement proves no bundle, be it of a statement in it.
#[test]
fn a_statements_own_snark_is_none_of_a_bundle() {
    let own = ProofRecord::from_file_bytes(SNARK).unwrap();
    let named = Bundled::of(Program::Inclusion, &own.public_values);
    let statement = Statement::abi_decode(Program::Inclusion, &own.public_values).unwrap();
    let bundle = Bundle { chain_digest: statement.chain_digest(), parts: vec![named] };
    let claimed = snark(&bundle, own.proof.clone());
    let record = ProofRecord::in_bundle(Program::Inclusion, own.public_values, 0, &claimed);
    let verdict: Verdict = check(&record, Some(ITS_CIRCUITS), |checked| checked.verify_snark());
    assert!(matches!(verdict, Err(VerifyError::Snark(SnarkError::Equation))), "{verdict:?}");
}

#[test]
fn the_bundle_of_a_record_is_read_without_being_believed() {
    let [first, second] = statements();
    let record = placed(&first, 9, &bundle());
    let (place, said) = bundle_of(&record).unwrap().unwrap();
    assert_eq!((place.index, said), (9, bundle()));
    let compressed = ProofRecord { kind: ProofKind::Compressed, ..placed(&second, 1, &bundle()) };
    assert!(bundle_of(&compressed).is_none());
}
