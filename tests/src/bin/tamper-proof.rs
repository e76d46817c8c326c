//! `tamper-proof IN OUT`: flips one bit in the middle of the proof inside a proof file and mends the file's checksum, so
//! that only verification can find it.

use std::{error::Error, fs};

use sextant_protocol::ProofRecord;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        return Err("tamper-proof IN OUT".into());
    };
    let mut record = ProofRecord::from_file_bytes(&fs::read(from)?)?;
    let middle = record.proof.len() / 2;
    *record.proof.get_mut(middle).ok_or("an empty proof")? ^= 1;
    fs::write(to, record.to_file_bytes())?;
    Ok(())
}
