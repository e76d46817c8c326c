//! Every rule that one edit can break, broken: each statement is refused, for its own reason.

use sextant_consensus::bls::Plain;
use sextant_consensus::check_statement;
use sextant_fixtures::broken::cases;

#[test]
fn broken_statements_are_refused_for_their_reason() {
    for case in cases() {
        let error = check_statement(case.program, &case.input, &mut Plain).expect_err(case.name).to_string();
        assert!(error.contains(case.reason), "rule {}, {}: {error}", case.rule, case.name);
    }
}
