//! An execution block's header as its hash covers it: the fields that statements read, in RLP.

use crate::codec::record;
use crate::hash::Root;
use crate::rlp::{Item, RlpError, number};

/// The fields of an execution block's header that statements read; the rest is looked through.
///
/// SOUNDNESS: reading checks no hash. Whoever reads has compared it with one that is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutionHeader<'a> {
    /// Hash of the block before.
    pub parent_hash: Root,
    /// Root of the account trie after the block.
    pub state_root: Root,
    /// Root of the trie of its transactions.
    pub transactions_root: Root,
    /// Root of the trie of its receipts.
    pub receipts_root: Root,
    /// Its number.
    pub number: u64,
    /// Unix time in seconds.
    pub timestamp: u64,
    /// 256 bytes, but that is for [`Self::logs_bloom`] to say.
    bloom: &'a [u8],
}

record! {
    /// The block that facts are about.
    #[derive(Copy, Default)]
    pub struct Block {
        /// Its number.
        pub number: u64,
        /// Its hash.
        pub hash: Root,
        /// Root of the account trie after it.
        pub state_root: Root,
        /// Root of the trie of its receipts. Zero: not proven, as no header was read.
        pub receipts_root: Root,
        /// Unix time in seconds. Zero: not proven, as no header was read.
        pub timestamp: u64,
    }
}

/// Why bytes are not a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Not canonical RLP.
    #[error("{0}")]
    Rlp(#[from] RlpError),
    /// Too few fields, or one of the wrong length.
    #[error("malformed {0}")]
    Field(&'static str),
}

/// Fields of an execution block header up to `nonce`, which every one has (yellow paper, 4.3). Forks append more.
const FIELDS: usize = 15;

impl<'a> ExecutionHeader<'a> {
    /// Reads a header: canonical RLP of 15 fields or more.
    ///
    /// # Errors
    /// [`HeaderError`].
    pub fn read(rlp: &'a [u8]) -> Result<Self, HeaderError> {
        let mut rest = Item::only(rlp)?.list()?;
        let mut fields = [&[][..]; FIELDS];
        let mut count = 0;
        while !rest.is_empty() {
            let (item, _, tail) = Item::take(rest)?;
            if let Some(field) = fields.get_mut(count) {
                *field = item.string()?;
            }
            (rest, count) = (tail, count + 1);
        }
        if count < FIELDS {
            return Err(HeaderError::Field("list of fields"));
        }
        let root = |at: usize, what| fields[at].try_into().map_err(|_| HeaderError::Field(what));
        Ok(Self {
            parent_hash: root(0, "parent hash")?,
            state_root: root(3, "state root")?,
            transactions_root: root(4, "transactions root")?,
            receipts_root: root(5, "receipts root")?,
            bloom: fields[6],
            number: u64::from_be_bytes(number(fields[8])?),
            timestamp: u64::from_be_bytes(number(fields[11])?),
        })
    }

    /// The filter over addresses and topics of all logs of the block.
    ///
    /// # Errors
    /// [`HeaderError::Field`] unless it has 256 bytes.
    pub fn logs_bloom(&self) -> Result<&'a [u8; 256], HeaderError> {
        self.bloom.try_into().map_err(|_| HeaderError::Field("logs bloom"))
    }

    /// The block with this header.
    pub fn block(&self, hash: Root) -> Block {
        Block {
            number: self.number,
            hash,
            state_root: self.state_root,
            receipts_root: self.receipts_root,
            timestamp: self.timestamp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rlp::{encode_list, encode_string};
    use alloc::vec::Vec;

    /// A header of `fields` fields: a root of `root` bytes where one is due, the number 300, else empty strings.
    fn header(fields: usize, root: usize) -> Vec<u8> {
        let field = |at: usize| match at {
            0 | 4 | 5 => encode_string(&[at as u8 + 1; 32]),
            3 => encode_string(&alloc::vec![7; root]),
            8 => encode_string(&[1, 44]),
            _ => encode_string(&[]),
        };
        encode_list(&(0..fields).flat_map(field).collect::<Vec<_>>())
    }

    #[test]
    fn headers() {
        for fields in [15, 21] {
            let rlp = header(fields, 32);
            let read = ExecutionHeader::read(&rlp).unwrap();
            assert_eq!((read.number, read.timestamp), (300, 0));
            assert_eq!([read.parent_hash, read.state_root], [[1; 32], [7; 32]]);
            assert_eq!([read.transactions_root, read.receipts_root], [[5; 32], [6; 32]]);
            assert_eq!(read.logs_bloom(), Err(HeaderError::Field("logs bloom")));
        }
        assert_eq!(ExecutionHeader::read(&header(14, 32)), Err(HeaderError::Field("list of fields")));
        assert_eq!(ExecutionHeader::read(&header(15, 31)), Err(HeaderError::Field("state root")));
        let trailing = [&header(15, 32)[..], &[0x80]].concat();
        assert_eq!(ExecutionHeader::read(&trailing), Err(RlpError::Trailing.into()));
        let mut long_number = header(15, 32);
        let at = long_number.len() - 9;
        assert_eq!(long_number[at..at + 3], [0x82, 1, 44]);
        long_number[at + 1] = 0;
        assert_eq!(ExecutionHeader::read(&long_number), Err(RlpError::Number(8).into()));
    }
}
