//! Canonical RLP (Ethereum yellow paper, appendix B): read strictly, and written where a trie is built or a node's JSON
//! becomes what was hashed.

use alloc::vec::Vec;

/// Why bytes are not canonical RLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RlpError {
    /// An item claims more bytes than there are.
    #[error("an item ends early")]
    Short,
    /// Bytes follow the item.
    #[error("bytes left over")]
    Trailing,
    /// A length or a single byte is not in its shortest form.
    #[error("not in canonical form")]
    Canonical,
    /// A list where a string is due, or the other way round.
    #[error("expected a {0}")]
    Expected(&'static str),
    /// A number with leading zeros, or too large for its type.
    #[error("not a canonical number of at most {0} bytes")]
    Number(usize),
}

/// One item: a string, or a list with its items still encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A string's bytes.
    String(&'a [u8]),
    /// A list's payload.
    List(&'a [u8]),
}

impl<'a> Item<'a> {
    /// Takes the first item off `bytes`; returns it, its whole encoding and the rest.
    ///
    /// # Errors
    /// [`RlpError`].
    pub fn take(bytes: &'a [u8]) -> Result<(Self, &'a [u8], &'a [u8]), RlpError> {
        let (&prefix, rest) = bytes.split_first().ok_or(RlpError::Short)?;
        let (is_list, header, length) = match prefix {
            0..=0x7f => return Ok((Self::String(&bytes[..1]), &bytes[..1], rest)),
            0x80..=0xb7 => (false, 1, usize::from(prefix - 0x80)),
            0xb8..=0xbf => long_length(false, prefix - 0xb7, rest)?,
            0xc0..=0xf7 => (true, 1, usize::from(prefix - 0xc0)),
            0xf8..=0xff => long_length(true, prefix - 0xf7, rest)?,
        };
        let end = header.checked_add(length).ok_or(RlpError::Short)?;
        let payload = bytes.get(header..end).ok_or(RlpError::Short)?;
        // A byte below 0x80 is its own encoding.
        if !is_list && matches!(payload, [..=0x7f]) {
            return Err(RlpError::Canonical);
        }
        let item = if is_list { Self::List(payload) } else { Self::String(payload) };
        Ok((item, &bytes[..end], &bytes[end..]))
    }

    /// The one item that `bytes` hold.
    ///
    /// # Errors
    /// [`RlpError`], also for bytes left over.
    pub fn only(bytes: &'a [u8]) -> Result<Self, RlpError> {
        match Self::take(bytes)? {
            (item, _, []) => Ok(item),
            _ => Err(RlpError::Trailing),
        }
    }

    /// The bytes of a string.
    ///
    /// # Errors
    /// [`RlpError::Expected`] for a list.
    pub fn string(self) -> Result<&'a [u8], RlpError> {
        match self {
            Self::String(bytes) => Ok(bytes),
            Self::List(_) => Err(RlpError::Expected("string")),
        }
    }

    /// The payload of a list.
    ///
    /// # Errors
    /// [`RlpError::Expected`] for a string.
    pub fn list(self) -> Result<&'a [u8], RlpError> {
        match self {
            Self::List(payload) => Ok(payload),
            Self::String(_) => Err(RlpError::Expected("list")),
        }
    }
}

/// Header of an item whose payload is 56 bytes or longer: `width` bytes of big-endian length follow the prefix.
fn long_length(is_list: bool, width: u8, rest: &[u8]) -> Result<(bool, usize, usize), RlpError> {
    let width = usize::from(width);
    let digits = rest.get(..width).ok_or(RlpError::Short)?;
    if digits[0] == 0 {
        return Err(RlpError::Canonical);
    }
    if width > 4 {
        return Err(RlpError::Short);
    }
    let length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
    if length < 56 { Err(RlpError::Canonical) } else { Ok((is_list, 1 + width, length)) }
}

/// A big-endian number of at most `N` bytes without leading zeros, padded to `N` bytes.
///
/// # Errors
/// [`RlpError::Number`].
pub fn number<const N: usize>(bytes: &[u8]) -> Result<[u8; N], RlpError> {
    if bytes.len() > N || bytes.first() == Some(&0) {
        return Err(RlpError::Number(N));
    }
    let mut number = [0; N];
    number[N - bytes.len()..].copy_from_slice(bytes);
    Ok(number)
}

/// Encodes a string.
pub fn encode_string(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 5);
    write_string(bytes, &mut out);
    out
}

/// Encodes a list of items that are encoded already.
pub fn encode_list(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 5);
    write_header(0xc0, payload.len(), &mut out);
    out.extend_from_slice(payload);
    out
}

/// Appends a string's encoding.
pub fn write_string(bytes: &[u8], out: &mut Vec<u8>) {
    // A byte below 0x80 is its own encoding.
    if !matches!(bytes, [..=0x7f]) {
        write_header(0x80, bytes.len(), out);
    }
    out.extend_from_slice(bytes);
}

/// A number's bytes in the shortest form, as a string holds them: none for zero.
pub fn shortest(big_endian: &[u8]) -> &[u8] {
    let zeros = big_endian.iter().take_while(|byte| **byte == 0).count();
    &big_endian[zeros..]
}

fn write_header(base: u8, length: usize, out: &mut Vec<u8>) {
    if length < 56 {
        out.push(base + length as u8);
    } else {
        let digits = length.to_be_bytes();
        let digits = shortest(&digits);
        out.push(base + 55 + digits.len() as u8);
        out.extend_from_slice(digits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items() {
        assert_eq!(Item::only(&[0x80]), Ok(Item::String(&[])));
        assert_eq!(Item::only(&[0x7f]), Ok(Item::String(&[0x7f])));
        assert_eq!(Item::only(&[0x81, 0x80]), Ok(Item::String(&[0x80])));
        assert_eq!(Item::only(&[0xc2, 0x01, 0x80]), Ok(Item::List(&[0x01, 0x80])));
        let mut long = [7; 58];
        long[..2].copy_from_slice(&[0xb8, 56]);
        assert_eq!(Item::only(&long), Ok(Item::String(&[7; 56])));
    }

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 2, 55, 56, 255, 256, 70_000] {
            for byte in [0, 0x7f, 0x80] {
                let bytes = alloc::vec![byte; length];
                assert_eq!(
                    Item::only(&encode_string(&bytes)),
                    Ok(Item::String(&bytes)),
                    "{length} of {byte}"
                );
                assert_eq!(Item::only(&encode_list(&bytes)), Ok(Item::List(&bytes)), "{length} of {byte}");
            }
        }
        assert_eq!(shortest(&0u64.to_be_bytes()), [0u8; 0]);
        assert_eq!(shortest(&258u64.to_be_bytes()), [1, 2]);
    }

    #[test]
    fn refusals() {
        for (bytes, error) in [
            (&[][..], RlpError::Short),
            (&[0x82, 1], RlpError::Short),
            (&[0x80, 0], RlpError::Trailing),
            (&[0x81, 0x7f], RlpError::Canonical),
            (&[0xb8, 0], RlpError::Canonical),
            (&[0xb8, 1, 0xff], RlpError::Canonical),
            (&[0xb9, 0, 56], RlpError::Canonical),
            (&[0xf8], RlpError::Short),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], RlpError::Short),
        ] {
            assert_eq!(Item::only(bytes), Err(error), "{bytes:x?}");
        }
        assert_eq!(number::<8>(&[0]), Err(RlpError::Number(8)));
        assert_eq!(number::<8>(&[1; 9]), Err(RlpError::Number(8)));
        assert_eq!(number::<8>(&[1, 2]), Ok([0, 0, 0, 0, 0, 0, 1, 2]));
    }
}
