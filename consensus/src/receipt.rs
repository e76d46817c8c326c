//! Transactions and receipts as their tries hold them: envelopes of EIP-2718, and the logs in a receipt.

use crate::bloom::Bloom;
use crate::hash::Root;
use crate::rlp::{Item, RlpError, number};

/// The newest transaction type that is known (EIP-7702). 1 to 3 are those of EIP-2930, EIP-1559 and EIP-4844.
pub const NEWEST_TYPE: u8 = 4;

/// Why an envelope or what is in it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// No bytes at all.
    #[error("an empty envelope")]
    Empty,
    /// An envelope of a type that this version does not know.
    #[error("transaction type {0} is not known: types 1 to 4 and legacy transactions are")]
    UnknownType(u8),
    /// Before Byzantium a receipt held the state root after its transaction, and no status.
    #[error("a receipt from before Byzantium: it has a state root for a status")]
    PreByzantium,
    /// Not canonical RLP.
    #[error("receipt: {0}")]
    Rlp(#[from] RlpError),
    /// A field of the wrong length or value.
    #[error("receipt: malformed {0}")]
    Field(&'static str),
    /// The receipt has fewer logs.
    #[error("no log {position}: the receipt has {count}")]
    NoLog {
        /// Position asked for, from 0.
        position: u32,
        /// Logs in the receipt.
        count: u32,
    },
}

/// Takes the type off an envelope: 0 is a legacy one, which has none.
///
/// # Errors
/// [`ReceiptError::UnknownType`], or that there are no bytes.
pub fn open_envelope(bytes: &[u8]) -> Result<(u8, &[u8]), ReceiptError> {
    match bytes {
        [] => Err(ReceiptError::Empty),
        // A list: no envelope, but the legacy payload itself.
        [0xc0..=0xff, ..] => Ok((0, bytes)),
        [known @ 1..=NEWEST_TYPE, payload @ ..] => Ok((*known, payload)),
        [unknown, ..] => Err(ReceiptError::UnknownType(*unknown)),
    }
}

/// A receipt's status and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt<'a> {
    /// Whether the transaction succeeded.
    pub succeeded: bool,
    /// The logs, encoded: see [`Self::logs`].
    logs: &'a [u8],
}

/// A log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptLog<'a> {
    /// Who emitted it.
    pub address: &'a [u8; 20],
    /// The topics, encoded: see [`Self::topics`].
    topics: &'a [u8],
    /// Its data.
    pub data: &'a [u8],
}

impl<'a> Receipt<'a> {
    /// Reads a receipt as the trie holds it: an envelope of status, gas used so far, filter and logs.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, ReceiptError> {
        let (_, payload) = open_envelope(bytes)?;
        let fields = Item::only(payload)?.list()?;
        let (status, _, fields) = Item::take(fields)?;
        let (gas_used, _, fields) = Item::take(fields)?;
        let (bloom, _, fields) = Item::take(fields)?;
        let logs = Item::only(fields)?.list()?;
        let succeeded = match status.string()? {
            [] => false,
            [1] => true,
            root if root.len() == 32 => return Err(ReceiptError::PreByzantium),
            _ => return Err(ReceiptError::Field("status")),
        };
        number::<8>(gas_used.string()?)?;
        if bloom.string()?.len() != Bloom::BYTES {
            return Err(ReceiptError::Field("logs bloom"));
        }
        Ok(Self { succeeded, logs })
    }

    /// Its logs, in order.
    pub fn logs(&self) -> impl Iterator<Item = Result<ReceiptLog<'a>, ReceiptError>> + use<'a> {
        items(self.logs).map(|item| ReceiptLog::read(item?))
    }

    /// The logs at these positions, which ascend.
    pub fn logs_at<'p>(
        &self,
        positions: &'p [u32],
    ) -> impl Iterator<Item = Result<ReceiptLog<'a>, ReceiptError>> + use<'a, 'p> {
        let mut left = items(self.logs);
        let mut count = 0;
        positions.iter().map(move |position| {
            let position = *position;
            loop {
                let item = left.next().ok_or(ReceiptError::NoLog { position, count })??;
                count += 1;
                if count > position {
                    return ReceiptLog::read(item);
                }
            }
        })
    }
}

impl<'a> ReceiptLog<'a> {
    fn read(item: Item<'a>) -> Result<Self, ReceiptError> {
        let (address, _, fields) = Item::take(item.list()?)?;
        let (topics, _, fields) = Item::take(fields)?;
        let data = Item::only(fields)?.string()?;
        let address = address.string()?.try_into().map_err(|_| ReceiptError::Field("address of a log"))?;
        Ok(Self { address, topics: topics.list()?, data })
    }

    /// Its topics, in order.
    pub fn topics(&self) -> impl Iterator<Item = Result<&'a Root, ReceiptError>> + use<'a> {
        items(self.topics)
            .map(|item| item?.string()?.try_into().map_err(|_| ReceiptError::Field("topic of a log")))
    }

    /// Whether it is a log of `address` whose first topics are `topics`.
    ///
    /// # Errors
    /// [`ReceiptError`] for topics that are none.
    pub fn matches(&self, address: &[u8; 20], topics: &[Root]) -> Result<bool, ReceiptError> {
        if self.address != address {
            return Ok(false);
        }
        let mut own = self.topics();
        for wanted in topics {
            match own.next() {
                Some(topic) if topic? == wanted => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// The items of a list's payload.
fn items(mut payload: &[u8]) -> impl Iterator<Item = Result<Item<'_>, RlpError>> {
    core::iter::from_fn(move || {
        if payload.is_empty() {
            return None;
        }
        let taken = Item::take(payload);
        // Behind an error there is nothing more to read.
        payload = taken.map_or(&[][..], |(_, _, rest)| rest);
        Some(taken.map(|(item, _, _)| item))
    })
}
