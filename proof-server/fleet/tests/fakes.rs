//! The short form of `make fleet-test`: every wish is answered once, whoever is killed.
#![cfg(feature = "nats")]

use std::process::Command;

#[test]
fn nothing_is_lost_when_workers_are_killed_and_the_broker_is_restarted() {
    let settings = ["jobs=200", "workers=6", "kill-ms=1500", "stage-ms=60", "restarts=2"];
    let output = Command::new(env!("CARGO_BIN_EXE_fleet-test")).args(settings).output().unwrap();
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{said}{failed}");
    assert!(output.status.success(), "{said}{failed}");
}
