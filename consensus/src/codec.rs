//! The flat encoding of statement inputs: what a guest reads, what travels, what is digested.
//!
//! Integers are little-endian and fixed-width, byte arrays stand as they are, a list is a `u32` count and its
//! elements, a blob a `u32` length and its bytes. There is one encoding of a value and no padding; bytes left
//! over are refused. No serde: a guest pays for every cycle of decoding.

use alloc::vec::Vec;
use core::fmt;

/// Why bytes are not an encoded value: what went wrong, and in which field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Field names from the innermost outwards.
    path: Vec<&'static str>,
    /// What is wrong there.
    pub reason: DecodeReason,
}

/// What is wrong with an encoded field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeReason {
    /// Fewer bytes are left than the field needs.
    #[error("{wanted} bytes wanted, {left} left")]
    Short {
        /// Bytes the field needs.
        wanted: usize,
        /// Bytes there are.
        left: usize,
    },
    /// Bytes follow the end of the value.
    #[error("{0} bytes left over")]
    Trailing(usize),
}

impl DecodeError {
    fn new(reason: DecodeReason) -> Self {
        Self { path: Vec::new(), reason }
    }

    /// The same error, seen from the structure that holds `field`.
    pub(crate) fn within(mut self, field: &'static str) -> Self {
        self.path.push(field);
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("input")?;
        for field in self.path.iter().rev() {
            write!(f, ".{field}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl core::error::Error for DecodeError {}

/// Takes values off the front of a byte slice.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, wanted: usize) -> Result<&'a [u8], DecodeError> {
        let left = self.bytes.len();
        let (head, tail) = self
            .bytes
            .split_at_checked(wanted)
            .ok_or_else(|| DecodeError::new(DecodeReason::Short { wanted, left }))?;
        self.bytes = tail;
        Ok(head)
    }
}

/// A value with a flat encoding.
pub trait Codec: Sized {
    /// Appends the encoding.
    fn write(&self, out: &mut Vec<u8>);
    /// Takes the value off the reader.
    ///
    /// # Errors
    /// [`DecodeError`] names the field that does not decode.
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// Encodes a whole value.
pub fn encode<T: Codec>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    value.write(&mut out);
    out
}

/// Decodes a value that takes up all of `bytes`.
///
/// # Errors
/// [`DecodeError`] names the field that does not decode, or the bytes left over.
pub fn decode<T: Codec>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut reader = Reader { bytes };
    let value = T::read(&mut reader)?;
    match reader.bytes.len() {
        0 => Ok(value),
        left => Err(DecodeError::new(DecodeReason::Trailing(left))),
    }
}

macro_rules! integer {
    ($($ty:ty),*) => {$(
        impl Codec for $ty {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(Self::from_le_bytes(Codec::read(reader)?))
            }
        }
    )*};
}
integer!(u16, u32, u64);

impl<const N: usize> Codec for [u8; N] {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(reader.take(N)?);
        Ok(bytes)
    }
}

impl<T: Codec> Codec for Vec<T> {
    fn write(&self, out: &mut Vec<u8>) {
        write_count(self.len(), out);
        self.iter().for_each(|item| item.write(out));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = u32::read(reader)? as usize;
        // Every element takes at least one byte: a count cannot make us reserve more than the input's own length.
        if count > reader.bytes.len() {
            return Err(DecodeError::new(DecodeReason::Short { wanted: count, left: reader.bytes.len() }));
        }
        let mut items = Self::with_capacity(count.min(1 << 10));
        for _ in 0..count {
            items.push(T::read(reader)?);
        }
        Ok(items)
    }
}

/// Bytes of any length; copied in one go, unlike a list of bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl Codec for Blob {
    fn write(&self, out: &mut Vec<u8>) {
        write_count(self.0.len(), out);
        out.extend_from_slice(&self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = u32::read(reader)? as usize;
        Ok(Self(reader.take(length)?.to_vec()))
    }
}

impl AsRef<[u8]> for Blob {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl core::ops::Deref for Blob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

fn write_count(count: usize, out: &mut Vec<u8>) {
    // Inputs are far below 4 GiB: the server's caps see to it, and a builder would run out of memory first.
    out.extend_from_slice(&u32::try_from(count).expect("lists are shorter than 2^32").to_le_bytes());
}

/// Defines a structure whose encoding is that of its fields, in order.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $ty:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name { $($(#[$field_meta])* pub $field: $ty,)* }

        impl $crate::codec::Codec for $name {
            fn write(&self, out: &mut alloc::vec::Vec<u8>) {
                $($crate::codec::Codec::write(&self.$field, out);)*
            }

            fn read(reader: &mut $crate::codec::Reader<'_>) -> Result<Self, $crate::codec::DecodeError> {
                Ok(Self {
                    $($field: $crate::codec::Codec::read(reader).map_err(|e| e.within(stringify!($field)))?,)*
                })
            }
        }
    };
}
pub(crate) use record;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    record! {
        /// A structure of every kind of field.
        pub struct Sample {
            /// Integer.
            pub number: u64,
            /// List of arrays.
            pub roots: Vec<[u8; 3]>,
            /// Blob.
            pub node: Blob,
        }
    }

    #[test]
    fn round_trip_and_every_truncation() {
        let sample = Sample { number: 7, roots: vec![[1, 2, 3], [4, 5, 6]], node: Blob(vec![9; 5]) };
        let bytes = encode(&sample);
        assert_eq!(bytes.len(), 8 + 4 + 6 + 4 + 5);
        assert_eq!(decode::<Sample>(&bytes), Ok(sample));
        for length in 0..bytes.len() {
            assert!(decode::<Sample>(&bytes[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn errors_name_the_field() {
        let bytes = encode(&Sample { number: 7, roots: vec![], node: Blob(vec![9; 5]) });
        let short = decode::<Sample>(&bytes[..bytes.len() - 1]).unwrap_err();
        assert_eq!(short.to_string(), "input.node: 5 bytes wanted, 4 left");
        let long = decode::<Sample>(&[bytes, vec![0]].concat()).unwrap_err();
        assert_eq!(long.to_string(), "input: 1 bytes left over");
        let bomb = decode::<Sample>(&[&[0; 8][..], &[0xff; 4]].concat()).unwrap_err();
        assert_eq!(bomb.to_string(), "input.roots: 4294967295 bytes wanted, 0 left");
    }
}
