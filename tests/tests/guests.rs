//! The committed guests, executed: they say what the native check says, on real data and on broken data alike.

use sextant_consensus::bls::Plain;
use sextant_consensus::check_statement;
use sextant_fixtures::{broken, statements};
use sextant_tests::executor::Executor;

#[tokio::test(flavor = "multi_thread")]
async fn guests_commit_exactly_the_native_public_values() {
    let executor = Executor::new().await;
    for (name, program, input) in statements() {
        let native = check_statement(program, &input, &mut Plain).expect(name);
        let run = executor.run(program, &input, &[]).await;
        assert_eq!(run.report.exit_code, 0, "{name}: {}", run.stderr);
        assert_eq!(run.public_values, native.abi_encode(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_refuse_broken_statements_for_their_reason() {
    let executor = Executor::new().await;
    for case in broken::cases() {
        let run = executor.run(case.program, &case.input, &[]).await;
        let which = format!("rule {}, {}: {}", case.rule, case.name, run.stderr);
        assert_ne!(run.report.exit_code, 0, "{which}");
        assert!(run.public_values.is_empty(), "{which}");
        assert!(run.stderr.contains(case.reason), "{which}");
    }
}
