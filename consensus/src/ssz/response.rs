//! The answer to `/eth/v1/beacon/light_client/updates` in SSZ: updates one after another, each behind its length and
//! the fork digest of its data (beacon APIs, `getLightClientUpdatesByRange`; altair/light-client/p2p-interface.md).

use alloc::vec::Vec;

use super::{SszError, SszReason, array};

/// One update of an answer, still encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateChunk<'a> {
    /// Names the fork of the data. Some nodes compute it wrongly on custom networks: the attested header's slot, at
    /// the beginning of the data's header, says the same.
    pub fork_digest: [u8; 4],
    /// The update's SSZ.
    pub ssz: &'a [u8],
}

/// Parts an answer that takes up all of `bytes` into its updates.
///
/// # Errors
/// [`SszError`] names the length that does not fit.
pub fn split_updates(bytes: &[u8]) -> Result<Vec<UpdateChunk<'_>>, SszError> {
    let mut chunks = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let short = |wanted, left, field| SszError::new(SszReason::Short { wanted, left }).within(field);
        let (length, tail) =
            rest.split_first_chunk::<8>().ok_or_else(|| short(8, rest.len(), "response_chunk_len"))?;
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (chunk, tail) =
            tail.split_at_checked(length).ok_or_else(|| short(length, tail.len(), "payload"))?;
        let (digest, ssz) = chunk.split_at_checked(4).ok_or_else(|| short(4, chunk.len(), "fork_digest"))?;
        chunks.push(UpdateChunk { fork_digest: array(digest), ssz });
        rest = tail;
    }
    Ok(chunks)
}
