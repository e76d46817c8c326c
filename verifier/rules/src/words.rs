//! Values of statements as they are read.

use ruint::aliases::U256;
use sextant_consensus::{hash::Root, public_values::Inclusion};

/// Bytes as `0x` and hex digits.
pub fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// Whether what an inclusion says is about the finalized block itself, and not about one before it.
pub fn is_about_the_finalized(values: &Inclusion) -> bool {
    values.facts.hash == values.head.block_hash
}

/// A word that public values leave zero where nothing proves it.
pub fn proven(word: &Root) -> Option<String> {
    (*word != [0; 32]).then(|| hex(word))
}

/// A big-endian 256-bit number in decimal.
pub fn decimal(number: &[u8; 32]) -> String {
    U256::from_be_bytes(*number).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_256_bits() {
        assert_eq!(decimal(&[0; 32]), "0");
        let mut ether = [0; 32];
        ether[16..].copy_from_slice(&1_000_000_000_000_000_000u128.to_be_bytes());
        assert_eq!(decimal(&ether), "1000000000000000000");
        assert_eq!(
            decimal(&[0xff; 32]),
            "115792089237316195423570985008687907853269984665640564039457584007913129639935"
        );
    }
}
