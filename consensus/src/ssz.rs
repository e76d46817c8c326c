//! Decoding the light-client objects from SSZ (consensus-specs, ssz/simple-serialize.md), strictly: every offset where
//! the fields before it end, every length right, not a byte left over. Errors name the field.
//!
//! Only what these objects are made of is here: containers, vectors and one list of bytes. Lengths of committees and
//! branches, and the shape of headers, follow from the preset and the fork of the data.

mod containers;
mod header;
mod response;

use alloc::vec::Vec;
use core::fmt;

pub use response::{UpdateChunk, split_updates};

use crate::chain::{ChainConfig, Fork};
use crate::hash::Root;

/// Why bytes are not the object expected: what went wrong, and in which field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SszError {
    /// Field names from the innermost outwards.
    path: Vec<&'static str>,
    /// What is wrong there.
    pub reason: SszReason,
}

/// What is wrong with an SSZ field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SszReason {
    /// The bytes end before the fixed-size part does.
    #[error("{wanted} bytes wanted, {left} left")]
    Short {
        /// Bytes the field needs.
        wanted: usize,
        /// Bytes there are.
        left: usize,
    },
    /// Bytes follow the end of a value of fixed size.
    #[error("{0} bytes left over")]
    Trailing(usize),
    /// An offset does not point to where the value before it ends, or points outside.
    #[error("offset {got} where {expected} is due")]
    Offset {
        /// The offset given.
        got: usize,
        /// The first offset's one place, or the end of what it may point into.
        expected: usize,
    },
    /// A list is longer than its type allows.
    #[error("{got} bytes where at most {limit} are allowed")]
    Limit {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// There was no such object in that fork.
    #[error("fork {0} has no light-client data")]
    Fork(Fork),
}

impl SszError {
    fn new(reason: SszReason) -> Self {
        Self { path: Vec::new(), reason }
    }

    /// The same error, seen from the container that holds `field`.
    fn within(mut self, field: &'static str) -> Self {
        self.path.push(field);
        self
    }
}

impl fmt::Display for SszError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ssz")?;
        for field in self.path.iter().rev() {
            write!(f, ".{field}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl core::error::Error for SszError {}

/// Decodes an object whose fork nobody names: the fork is the one whose `decode` succeeds and to which the slot in the
/// object belongs.
///
/// # Errors
/// The [`SszError`] of the newest scheduled fork, if none fits.
pub fn of_any_fork<T>(
    chain: &ChainConfig,
    bytes: &[u8],
    decode: impl Fn(Fork, usize, &[u8]) -> Result<T, SszError>,
    slot: impl Fn(&T) -> u64,
) -> Result<(Fork, T), SszError> {
    let mut newest = SszError::new(SszReason::Fork(Fork::Phase0));
    for fork in Fork::ALL {
        match decode(fork, chain.size(), bytes) {
            Ok(object) if chain.fork_at(slot(&object)) == Ok(fork) => return Ok((fork, object)),
            Err(error) if chain.schedules(fork) => newest = error,
            _ => {}
        }
    }
    Err(newest)
}

/// What the shape of an object depends on.
#[derive(Clone, Copy, Debug)]
struct Shape {
    fork: Fork,
    committee_size: usize,
}

impl Shape {
    fn new(fork: Fork, committee_size: usize) -> Result<Self, SszError> {
        if fork == Fork::Phase0 {
            return Err(SszError::new(SszReason::Fork(fork)));
        }
        Ok(Self { fork, committee_size })
    }
}

/// A field of a container: its name, and its size unless that varies.
type Field = (&'static str, Option<usize>);

/// The bytes of each field of a container that takes up all of `bytes`.
fn split<const N: usize>(bytes: &[u8], fields: [Field; N]) -> Result<[&[u8]; N], SszError> {
    const OFFSET: usize = 4;
    let mut parts = [&[][..]; N];
    let mut rest = bytes;
    let mut offsets = Vec::new();
    for (index, (name, size)) in fields.into_iter().enumerate() {
        let wanted = size.unwrap_or(OFFSET);
        let (head, tail) = rest
            .split_at_checked(wanted)
            .ok_or_else(|| SszError::new(SszReason::Short { wanted, left: rest.len() }).within(name))?;
        match size {
            Some(_) => parts[index] = head,
            None => offsets.push((index, u32::from_le_bytes(array(head)) as usize)),
        }
        rest = tail;
    }
    let Some((first, offset)) = offsets.first() else {
        return if rest.is_empty() { Ok(parts) } else { Err(SszError::new(SszReason::Trailing(rest.len()))) };
    };
    let fixed = bytes.len() - rest.len();
    if *offset != fixed {
        let wrong = SszError::new(SszReason::Offset { got: *offset, expected: fixed });
        return Err(wrong.within(fields[*first].0));
    }
    let ends = offsets.iter().skip(1).copied().chain([(N, bytes.len())]);
    for ((index, start), (next, end)) in offsets.iter().zip(ends) {
        parts[*index] = bytes.get(*start..end).ok_or_else(|| {
            // The later of the two points outside, or back.
            let name = fields.get(next).map_or(fields[*index].0, |field| field.0);
            let (got, expected) = if next < N { (end, *start) } else { (*start, bytes.len()) };
            SszError::new(SszReason::Offset { got, expected }).within(name)
        })?;
    }
    Ok(parts)
}

/// A value of exactly `N` bytes, which [`split`] or a caller's own check has cut to size.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

/// A value of `N` bytes that takes up all of `bytes`.
fn exact(bytes: &[u8], wanted: usize) -> Result<&[u8], SszError> {
    match bytes.len() {
        left if left < wanted => Err(SszError::new(SszReason::Short { wanted, left })),
        left if left > wanted => Err(SszError::new(SszReason::Trailing(left - wanted))),
        _ => Ok(bytes),
    }
}

fn uint64(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(array(bytes))
}

/// A branch, cut to a multiple of 32 bytes by its caller.
fn roots(bytes: &[u8]) -> Vec<Root> {
    bytes.chunks_exact(32).map(array).collect()
}

/// Bytes of the branch to a generalized index.
fn branch_size(gindex: u64) -> usize {
    gindex.ilog2() as usize * 32
}
