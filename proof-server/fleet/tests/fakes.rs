//! The short form of `make fleet-test`: every wish is answered once, whoever is killed.

use std::process::Command;

#[test]
fn nothing_is_lost_when_workers_are_killed_and_the_broker_is_restarted() {
    run(&["jobs=200", "workers=6", "kill-ms=1500", "stage-ms=60", "restarts=2"]);
}

#[test]
fn nothing_that_was_finished_is_made_again_wherever_a_worker_dies() {
    run(&["jobs=16", "workers=8", "kill-ms=100", "stage-ms=20", "restarts=0", "points=1"]);
}

fn run(settings: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_fleet-test")).args(settings).output().unwrap();
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{said}{failed}");
    assert!(output.status.success(), "{said}{failed}");
}
