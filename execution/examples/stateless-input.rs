//! Writes an input to stateless validation, with the output that its proof has, of a block that comes as something else:
//!
//!     stateless-input container FORK FILE.blk OUT
//!     stateless-input request FORK CHAIN-ID REQUEST.ssz WITNESS.json OUT
//!
//! FORK is the index in hexadecimal (13 for BPO1). Written are OUT.stateless-input.ssz and OUT.stateless-output.hex.

#[path = "../tests/support/convert.rs"]
mod convert;

use std::{env, error::Error, fs};

use sextant_execution::{schema::Fork, statement::validate};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let fork = |index: &str| -> Result<Fork, Box<dyn Error>> {
        Ok(Fork::from_index(u8::from_str_radix(index, 16)?)?)
    };
    let (input, out) = match arguments[..] {
        ["container", index, file, out] => (convert::container(&fs::read(file)?, fork(index)?), out),
        ["request", index, chain_id, request, witness, out] => {
            let (request, witness) = (fs::read(request)?, fs::read(witness)?);
            (convert::request_and_witness(&request, &witness, fork(index)?, chain_id.parse()?), out)
        }
        _ => {
            return Err(
                "container FORK FILE.blk OUT, or request FORK CHAIN-ID REQUEST.ssz WITNESS.json OUT".into()
            );
        }
    };
    let output = validate(&input)?.output();
    fs::write(format!("{out}.stateless-input.ssz"), input)?;
    fs::write(format!("{out}.stateless-output.hex"), format!("0x{}\n", hex::encode(output)))?;
    Ok(())
}
