//! `scripted-worker PROVE_MS VERIFY_MS PROOF_BYTES`: a worker for torture, which proves nothing
//! ([`sextant_tests::scripted`]).

use sextant_tests::scripted::Script;

fn main() -> std::io::Result<()> {
    let script = Script::from_arguments(std::env::args().skip(1));
    script.ok_or_else(|| std::io::Error::other("three numbers are wanted"))?.run()
}
