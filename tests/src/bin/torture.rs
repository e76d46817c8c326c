//! `make torture`: everything a stranger may do to a server, in numbers. Without arguments the long form.

use sextant_tests::torture::{Plan, run};

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let plan = if std::env::args().any(|argument| argument == "--short") { Plan::SHORT } else { Plan::LONG };
    let report = run(plan).await;
    print!("{report}");
    let wrong = report.verdict(&plan);
    for what in &wrong {
        eprintln!("not good enough: {what}");
    }
    if wrong.is_empty() { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}
