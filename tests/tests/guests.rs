//! The committed guests, executed: they say what the native check says, on real data and on broken data alike.

use sextant_consensus::{Program, check_with_hints};
use sextant_fixtures::{broken, statements};
use sextant_tests::executor::Executor;

#[tokio::test(flavor = "multi_thread")]
async fn guests_commit_exactly_the_native_public_values() {
    let executor = Executor::new().await;
    for (name, program, input) in statements() {
        let (native, hints) = check_with_hints(program, &input).expect(name);
        let run = executor.run(program, &input, &hints).await;
        assert_eq!(run.report.exit_code, 0, "{name}: {}", run.stderr);
        assert_eq!(run.public_values, native.abi_encode(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_refuse_broken_statements_for_their_reason() {
    let executor = Executor::new().await;
    // Hints of the unbroken statements: whoever proves may write anything there.
    let hints: Vec<(Program, Vec<u8>)> = statements()
        .into_iter()
        .map(|(name, program, input)| (program, check_with_hints(program, &input).expect(name).1))
        .collect();
    for case in broken::cases() {
        // The longest: two handovers, whose first is the one that most cases break.
        let hints = hints.iter().filter(|(program, _)| *program == case.program).map(|(_, hints)| hints);
        let hints = hints.max_by_key(|hints| hints.len()).expect("a statement of the program");
        let run = executor.run(case.program, &case.input, hints).await;
        let which = format!("rule {}, {}: {}", case.rule, case.name, run.stderr);
        assert_ne!(run.report.exit_code, 0, "{which}");
        assert!(run.public_values.is_empty(), "{which}");
        // A guest cannot tell a signature that does not match from hints that do not: both are refused as signature.
        let reason = if case.reason.contains("signature does not match") { "signature" } else { case.reason };
        assert!(run.stderr.contains(reason), "{which}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_refuse_hints_that_are_wrong_missing_or_left_over() {
    let executor = Executor::new().await;
    for (name, program, input) in statements() {
        let (_, hints) = check_with_hints(program, &input).expect(name);
        let longer = [&hints[..], &[0; 48]].concat();
        let edited = |at: usize| {
            let mut edited = hints.clone();
            edited[at] ^= 1;
            edited
        };
        let wrong = (0..12).map(|i| edited(i * hints.len() / 12));
        for (which, hints) in [vec![], hints[..hints.len() - 48].to_vec(), longer].into_iter().chain(wrong).enumerate() {
            let run = executor.run(program, &input, &hints).await;
            assert_ne!(run.report.exit_code, 0, "{name}, hints {which}: {}", run.stderr);
            assert!(run.public_values.is_empty(), "{name}, hints {which}");
            assert!(run.stderr.contains("signature"), "{name}, hints {which}: {}", run.stderr);
        }
    }
}
