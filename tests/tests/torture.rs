//! The short form of `make torture`.

use sextant_tests::torture::{Plan, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_stands_what_strangers_do() {
    let report = run(Plan::SHORT).await;
    println!("{report}");
    assert_eq!(report.verdict(&Plan::SHORT), Vec::<String>::new());
}
