//! `torture [--short] [NAME...]`: what strangers may do to a server, in numbers. `--list` names the scenarios; without a
//! name all of them run, in the long form.

use std::process::ExitCode;

use sextant_tests::torture::{Form, Scenario};

#[tokio::main]
async fn main() -> ExitCode {
    let mut form = Form::Long;
    let mut scenarios = Vec::new();
    for argument in std::env::args().skip(1) {
        match (&argument[..], Scenario::from_name(&argument)) {
            (_, Some(scenario)) => scenarios.push(scenario),
            ("--short", _) => form = Form::Short,
            ("--list", _) => {
                Scenario::ALL
                    .iter()
                    .for_each(|scenario| println!("{:<18} {}", scenario.name(), scenario.what()));
                return ExitCode::SUCCESS;
            }
            _ => {
                eprintln!("torture: no scenario is called {argument:?}; --list names them");
                return ExitCode::from(2);
            }
        }
    }
    if scenarios.is_empty() {
        scenarios =
            Scenario::ALL.into_iter().filter(|scenario| form == Form::Long || !scenario.proves()).collect();
    }
    let mut good = true;
    for scenario in scenarios {
        println!("{}: {}", scenario.name(), scenario.what());
        let outcome = scenario.run(form).await;
        print!("{outcome}");
        for what in outcome.wrong() {
            good = false;
            println!("  NOT GOOD ENOUGH: {what}");
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
