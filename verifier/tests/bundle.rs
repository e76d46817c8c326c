//! A recorded bundle of a committee change and an inclusion of mainnet: valid for just these statements, in just this order.

use sextant_consensus::{
    Program,
    public_values::{Bundle, Bundled, Statement},
};
use sextant_protocol::{ProofKind, ProofRecord};
use sextant_verifier::{Verifier, VerifyError};

fn recorded(file: &[u8]) -> ProofRecord {
    ProofRecord::from_file_bytes(file).unwrap()
}

#[test]
fn a_bundle_proves_its_statements_in_their_order_and_no_others() {
    let record = recorded(include_bytes!("../../tests/data/recorded-starks/bundle-compressed.proof"));
    let change =
        recorded(include_bytes!("../../tests/data/recorded-starks/committee-change-compressed.proof"));
    let inclusion = recorded(include_bytes!("../../tests/data/recorded-starks/inclusion.proof"));
    let named = |program, of: &ProofRecord| Bundled::of(program, &of.public_values);
    let parts = [named(Program::CommitteeChange, &change), named(Program::Inclusion, &inclusion)];

    let verifier = Verifier::new();
    assert_eq!((record.program(), record.kind), (Some(Program::Bundle), ProofKind::Compressed));
    let Ok(Statement::Bundle(bundle)) = verifier.verify(&record) else { panic!("a valid bundle") };
    assert_eq!(bundle.parts, parts);

    let [first, second] = parts;
    let mut other = second;
    other.digest[31] ^= 1;
    for parts in [
        vec![second, first],
        vec![first],
        vec![first, second, second],
        vec![first, other],
        vec![first, Bundled { program: Program::CommitteeChange, ..second }],
        vec![],
    ] {
        let said = Bundle { parts, ..bundle.clone() };
        let claimed = ProofRecord { public_values: said.abi_encode(), ..record.clone() };
        let verdict = verifier.verify(&claimed);
        assert!(matches!(verdict, Err(VerifyError::Rejected(_))), "{:?}", said.parts);
    }
    let said = Bundle { chain_digest: [7; 32], ..bundle };
    let claimed = ProofRecord { public_values: said.abi_encode(), ..record.clone() };
    assert!(matches!(verifier.verify(&claimed), Err(VerifyError::Rejected(_))), "another chain");

    // Nor do its statements' own proofs pass for one, or it for one of theirs.
    for (program, proof) in [(Program::Bundle, &change), (Program::CommitteeChange, &record)] {
        let vk_hash = sextant_verifier::pinned_vk_hash(program);
        let claimed = ProofRecord { program: program.tag(), vk_hash, ..proof.clone() };
        assert!(matches!(verifier.verify(&claimed), Err(VerifyError::PublicValues(_))), "{program}");
        let values = if program == Program::Bundle { &record } else { &change };
        let claimed = ProofRecord { public_values: values.public_values.clone(), ..claimed };
        assert!(matches!(verifier.verify(&claimed), Err(VerifyError::Rejected(_))), "{program}");
    }
}
