//! RLP strings in the JSON of execution nodes: bytes as they stand, quantities in their shortest form.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use serde::de::Error;

/// Bytes as they stand.
#[derive(Clone, Debug)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::json::hex_bytes::deserialize(deserializer).map(Self)
    }
}

/// A quantity's bytes in their shortest form.
#[derive(Clone, Debug)]
pub(crate) struct Quantity(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits =
            text.strip_prefix("0x").ok_or_else(|| D::Error::custom("expected a quantity with 0x"))?;
        let digits = digits.trim_start_matches('0');
        let even = if digits.len() % 2 == 0 { String::new() } else { String::from("0") };
        hex::decode(even + digits)
            .map(Self)
            .map_err(|e| D::Error::custom(alloc::format!("not a quantity: {e}")))
    }
}
