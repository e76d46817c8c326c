//! Proving work of each recorded statement against the committed figures: whoever makes a guest dearer says so in the
//! same change, by editing `tests/gas.json`.

use std::collections::BTreeMap;

use sextant_consensus::check_with_hints;
use sextant_fixtures::statements;
use sextant_tests::executor::Executor;

/// How much dearer a statement may get unnoticed, in percent.
const TOLERANCE: u64 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn gas_is_what_is_committed() {
    let committed = sextant_tests::committed_gas();
    let executor = Executor::new().await;
    let mut measured = BTreeMap::new();
    for (name, program, input) in statements() {
        let (_, hints) = check_with_hints(program, &input).expect(name);
        let run = executor.run(program, &input, &hints).await;
        measured.insert(name.to_owned(), run.report.gas().expect("gas is calculated"));
    }
    println!("{}", serde_json::to_string_pretty(&measured).expect("JSON"));
    assert!(committed.keys().eq(measured.keys()), "tests/gas.json lists other statements");
    for (name, gas) in measured {
        let allowed = committed[&name] + committed[&name] * TOLERANCE / 100;
        assert!(gas <= allowed, "{name}: {gas} gas, committed {}", committed[&name]);
    }
}
