//! The committed guests, executed: they say what the native check says, on real data and on broken data alike.

use sextant_consensus::check_with_hints;
use sextant_fixtures::{broken, statements};
use sextant_tests::executor::Executor;
use sextant_vectors::statements::vector_statements;

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
async fn guests_agree_with_the_native_check_on_the_specification_s_vectors() {
    let executor = Executor::new().await;
    let vectors = vector_statements().expect("the vectors play");
    assert!(vectors.iter().any(|vector| vector.expected.is_ok()));
    for vector in vectors {
        // Where the native check refuses there are no hints to be had.
        let hints =
            check_with_hints(vector.program, &vector.input).map(|(_, hints)| hints).unwrap_or_default();
        let run = executor.run(vector.program, &vector.input, &hints).await;
        let which = format!("{}: {:?}, guest: {}", vector.name, vector.expected, run.stderr);
        match &vector.expected {
            Ok(statement) => {
                assert_eq!(run.report.exit_code, 0, "{which}");
                assert_eq!(run.public_values, statement.abi_encode(), "{which}");
            }
            Err(_) => {
                assert_ne!(run.report.exit_code, 0, "{which}");
                assert!(run.public_values.is_empty(), "{which}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_refuse_broken_statements_for_their_reason() {
    let executor = Executor::new().await;
    for case in broken::cases() {
        // Whoever proves may write anything here: what the unbroken statement needs leads furthest into the guest.
        let hints = case.base.as_ref().map(|base| check_with_hints(case.program, base).expect(case.name).1);
        let run = executor.run(case.program, &case.input, &hints.unwrap_or_default()).await;
        let which = format!("rule {}, {}: {}", case.rule, case.name, run.stderr);
        assert_ne!(run.report.exit_code, 0, "{which}");
        assert!(run.public_values.is_empty(), "{which}");
        assert!(run.stderr.contains(case.guest_reason()), "{which}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_refuse_hints_that_are_wrong_missing_or_left_over() {
    let executor = Executor::new().await;
    for (name, program, input) in statements().into_iter().take(3) {
        let (_, hints) = check_with_hints(program, &input).expect(name);
        let longer = [&hints[..], &[0; 48]].concat();
        let edited = |at: usize| {
            let mut edited = hints.clone();
            edited[at] ^= 1;
            edited
        };
        let wrong = (0..12).map(|i| edited(i * hints.len() / 12));
        let cut = hints[..hints.len() - 48].to_vec();
        for (which, hints) in [vec![], cut, longer].into_iter().chain(wrong).enumerate() {
            let run = executor.run(program, &input, &hints).await;
            assert_ne!(run.report.exit_code, 0, "{name}, hints {which}: {}", run.stderr);
            assert!(run.public_values.is_empty(), "{name}, hints {which}");
            assert!(run.stderr.contains("signature"), "{name}, hints {which}: {}", run.stderr);
        }
    }
}
