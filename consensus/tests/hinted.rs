//! The guests' way of checking signatures, natively: on every fixture it agrees with the plain check.

use sextant_consensus::bls::Plain;
use sextant_consensus::bls::fast::HintedVerifier;
use sextant_consensus::{check_statement, check_with_hints};
use sextant_fixtures::{broken, statements};

#[test]
fn accepted_statements_with_their_hints() {
    for (name, program, input) in statements() {
        let (recorded, hints) = check_with_hints(program, &input).expect(name);
        let mut hinted = HintedVerifier::new(&hints);
        assert_eq!(check_statement(program, &input, &mut hinted).as_ref(), Ok(&recorded), "{name}");
        assert_eq!(hinted.finish(), Ok(()), "{name}");
        assert_eq!(check_statement(program, &input, &mut Plain), Ok(recorded), "{name}");
    }
}

#[test]
fn broken_statements_with_the_hints_of_the_whole_ones() {
    for case in broken::cases() {
        assert!(check_with_hints(case.program, &case.input).is_err(), "{}", case.name);
        let hints = case.base.as_ref().map(|base| check_with_hints(case.program, base).expect(case.name).1);
        let hints = hints.unwrap_or_default();
        let mut hinted = HintedVerifier::new(&hints);
        let error = check_statement(case.program, &case.input, &mut hinted).expect_err(case.name).to_string();
        assert!(error.contains(case.guest_reason()), "rule {}, {}: {error}", case.rule, case.name);
    }
}
