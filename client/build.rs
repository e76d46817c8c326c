//! Build script of the commands: which commit they are built from, for `--version`. SEXTANT_COMMIT says it where there is
//! no repository.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=SEXTANT_COMMIT");
    let given = std::env::var("SEXTANT_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(of_repository).unwrap_or_else(|| "unknown commit".into());
    println!("cargo::rustc-env=SEXTANT_BUILD_COMMIT={commit}");
}

fn of_repository() -> Option<String> {
    // Grows with each commit and with each change of branch.
    println!(
        "cargo::rerun-if-changed={}",
        git(&["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"])?
    );
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
