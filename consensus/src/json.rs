//! The beacon API's JSON conventions: integers as decimal strings, bytes as `0x` and hex digits.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// `uint64` as a decimal string.
pub mod decimal {
    use super::*;

    /// Reads one.
    ///
    /// # Errors
    /// The deserializer's, saying what stands there instead.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        parse(&String::deserialize(deserializer)?)
    }

    pub(super) fn parse<E: Error>(text: &str) -> Result<u64, E> {
        // `from_str` would also take a leading plus sign.
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(E::custom(format!("expected a decimal number in a string, found {:?}", clip(text))));
        }
        text.parse().map_err(|e| E::custom(format!("{:?} is not a uint64: {e}", clip(text))))
    }
}

/// An optional `uint64`.
pub mod optional_decimal {
    use super::*;

    /// Reads one, or nothing where the field is `null`.
    ///
    /// # Errors
    /// The deserializer's, saying what stands there instead.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        Option::<String>::deserialize(deserializer)?.map(|text| decimal::parse(&text)).transpose()
    }
}

/// `uint256` as a decimal string, kept as 32 little-endian bytes as SSZ has it.
pub mod decimal_u256 {
    use super::*;

    /// Reads one.
    ///
    /// # Errors
    /// The deserializer's, saying what stands there instead.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(deserializer)?;
        let refuse =
            || D::Error::custom(format!("expected a uint256 in a decimal string, found {:?}", clip(&text)));
        let mut number = [0u8; 32];
        if text.is_empty() {
            return Err(refuse());
        }
        for digit in text.bytes() {
            if !digit.is_ascii_digit() {
                return Err(refuse());
            }
            let mut carry = u16::from(digit - b'0');
            for byte in &mut number {
                carry += u16::from(*byte) * 10;
                *byte = carry as u8;
                carry >>= 8;
            }
            if carry != 0 {
                return Err(refuse());
            }
        }
        Ok(number)
    }
}

/// A byte array of fixed length.
pub mod hex_array {
    use super::*;

    /// Reads one of exactly `N` bytes.
    ///
    /// # Errors
    /// The deserializer's, with the length found.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        array(&String::deserialize(deserializer)?)
    }
}

/// An optional byte array of fixed length.
pub mod optional_hex_array {
    use super::*;

    /// Reads one of exactly `N` bytes, or nothing where the field is `null`.
    ///
    /// # Errors
    /// The deserializer's, with the length found.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<Option<[u8; N]>, D::Error> {
        Option::<String>::deserialize(deserializer)?.map(|text| array(&text)).transpose()
    }
}

/// A list of byte arrays of fixed length.
pub mod hex_arrays {
    use super::*;

    /// Reads them.
    ///
    /// # Errors
    /// The deserializer's, with the length found.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<Vec<[u8; N]>, D::Error> {
        Vec::<String>::deserialize(deserializer)?.iter().map(|text| array(text)).collect()
    }
}

/// Bytes of any length.
pub mod hex_bytes {
    use super::*;

    /// Reads them.
    ///
    /// # Errors
    /// The deserializer's, saying what is not hex.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        bytes(&String::deserialize(deserializer)?)
    }
}

fn array<E: Error, const N: usize>(text: &str) -> Result<[u8; N], E> {
    let bytes = bytes(text)?;
    let got = bytes.len();
    bytes.try_into().map_err(|_| E::custom(format!("expected {N} bytes of hex, found {got}")))
}

fn bytes<E: Error>(text: &str) -> Result<Vec<u8>, E> {
    let digits = text
        .strip_prefix("0x")
        .ok_or_else(|| E::custom(format!("expected hex with 0x, found {:?}", clip(text))))?;
    hex::decode(digits).map_err(|e| E::custom(format!("{:?} is not hex: {e}", clip(text))))
}

/// Keeps an error line readable.
fn clip(text: &str) -> &str {
    let end = text.char_indices().nth(20).map_or(text.len(), |(end, _)| end);
    &text[..end]
}
