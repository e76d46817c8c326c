//! Where a bundle has which statement: it names them by program and hash, and whoever has a statement finds it so.

use sextant_consensus::public_values::{Bundle, Bundled};
use sextant_protocol::ProofRecord;

/// For each place of a bundle, in order, which of these records has its statement: the first, where several do. Of the records
/// only program and public values are looked at; that they are true is what the bundle's proof says.
pub fn places(bundle: &Bundle, records: &[ProofRecord]) -> Vec<Option<usize>> {
    let named: Vec<_> = records.iter().map(named).collect();
    bundle.parts.iter().map(|part| named.iter().position(|named| named.as_ref() == Some(part))).collect()
}

/// Whether a record's statement is in a bundle.
pub fn is_in(bundle: &Bundle, record: &ProofRecord) -> bool {
    named(record).is_some_and(|named| bundle.parts.contains(&named))
}

/// The statement as a bundle names it.
fn named(record: &ProofRecord) -> Option<Bundled> {
    Some(Bundled::of(record.program()?, &record.public_values))
}

#[cfg(test)]
mod tests {
    use sextant_consensus::Program;
    use sextant_protocol::{ProofKind, proof::Circuits};

    use super::*;

    fn record(program: u32, public_values: &[u8]) -> ProofRecord {
        ProofRecord {
            program,
            kind: ProofKind::Compressed,
            circuits: Circuits::Release,
            circuit_version: String::new(),
            vk_hash: [0; 32],
            public_values: public_values.into(),
            proof: Vec::new(),
        }
    }

    #[test]
    fn a_statement_is_found_by_its_program_and_hash_wherever_it_is() {
        let (change, inclusion) = (Program::CommitteeChange, Program::Inclusion);
        let parts = [(inclusion, b"b"), (change, b"a"), (inclusion, b"b"), (change, b"c")];
        let parts = parts.map(|(program, values)| Bundled::of(program, values)).into();
        let bundle = Bundle { chain_digest: [1; 32], parts };
        let a = record(change.tag(), b"a");
        let records = [record(inclusion.tag(), b"a"), a.clone(), record(inclusion.tag(), b"b"), a];
        assert_eq!(places(&bundle, &records), [Some(2), Some(1), Some(2), None]);
        assert_eq!(
            [0, 1, 2, 3].map(|index: usize| is_in(&bundle, &records[index])),
            [false, true, true, true]
        );
        assert!(!is_in(&bundle, &record(9, b"a")), "of no program");
    }
}
