//! `hash_tree_root` of bytes by their type.

use sextant_consensus::hash::{Root, hash_pair};

use super::Type;
use crate::case::Failure;

impl Type {
    /// Bytes of a value; `None` if that varies.
    fn size(&self) -> Option<usize> {
        match self {
            Self::Uint(size) | Self::Bytes(size) => Some(*size),
            Self::Bitvector(bits) => Some(bits.div_ceil(8)),
            Self::Vector(element, length) => Some(element.size()? * length),
            Self::Container(fields) | Self::ProgressiveContainer(fields) => {
                fields.iter().map(Self::size).sum::<Option<usize>>()
            }
            Self::ByteList(_)
            | Self::List(..)
            | Self::ProgressiveList(_)
            | Self::Bitlist(_)
            | Self::ProgressiveBitlist => None,
        }
    }

    /// `hash_tree_root` of the value that takes up all of `bytes`.
    ///
    /// # Errors
    /// If the bytes are no value of the type.
    pub fn root(&self, bytes: &[u8]) -> Result<Root, Failure> {
        if self.size().is_some_and(|size| size != bytes.len()) {
            return Err(format!("{} bytes where the type has {:?}", bytes.len(), self.size()));
        }
        Ok(match self {
            Self::Uint(_) | Self::Bytes(_) | Self::Bitvector(_) => {
                let chunks = pack(bytes);
                merkleize(&chunks, chunks.len())
            }
            Self::ByteList(limit) => mix_in(merkleize(&pack(bytes), limit.div_ceil(32)), bytes.len()),
            Self::Vector(element, length) => {
                let (chunks, count) = element.chunks(bytes)?;
                if count != *length {
                    return Err(format!("{count} elements where the vector has {length}"));
                }
                merkleize(&chunks, chunks.len())
            }
            Self::List(element, limit) => {
                let (chunks, count) = element.chunks(bytes)?;
                let limit =
                    if let Self::Uint(size) = **element { (limit * size).div_ceil(32) } else { *limit };
                mix_in(merkleize(&chunks, limit), count)
            }
            Self::ProgressiveList(element) => {
                let (chunks, count) = element.chunks(bytes)?;
                mix_in(merkleize_progressive(&chunks, 1), count)
            }
            Self::Bitlist(limit) => {
                let (bits, count) = unsentinel(bytes)?;
                mix_in(merkleize(&pack(&bits), limit.div_ceil(256)), count)
            }
            Self::ProgressiveBitlist => {
                let (bits, count) = unsentinel(bytes)?;
                mix_in(merkleize_progressive(&pack(&bits), 1), count)
            }
            Self::Container(fields) => {
                let roots = roots(fields.iter(), bytes)?;
                merkleize(&roots, roots.len())
            }
            Self::ProgressiveContainer(fields) => {
                let roots = roots(fields.iter(), bytes)?;
                // `mix_in_active_fields`: all of them are in use.
                let mut active = [0; 32];
                (0..roots.len()).for_each(|field| active[field / 8] |= 1 << (field % 8));
                hash_pair(&merkleize_progressive(&roots, 1), &active)
            }
        })
    }

    /// The chunks of a row of elements, and how many elements there are.
    fn chunks(&self, bytes: &[u8]) -> Result<(Vec<Root>, usize), Failure> {
        match (self, self.size()) {
            (Self::Uint(size), _) if bytes.len().is_multiple_of(*size) => {
                Ok((pack(bytes), bytes.len() / size))
            }
            (_, Some(size)) if bytes.len().is_multiple_of(size) => {
                let roots: Vec<Root> =
                    bytes.chunks_exact(size).map(|element| self.root(element)).collect::<Result<_, _>>()?;
                let count = roots.len();
                Ok((roots, count))
            }
            (_, Some(size)) => Err(format!("{} bytes are no elements of {size}", bytes.len())),
            (_, None) if bytes.is_empty() => Ok((Vec::new(), 0)),
            (_, None) => {
                let first = offset(bytes, 0)?;
                let count = first / 4;
                let roots = roots(std::iter::repeat_n(self, count), bytes)?;
                Ok((roots, count))
            }
        }
    }
}

fn offset(bytes: &[u8], at: usize) -> Result<usize, Failure> {
    let bytes =
        bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).ok_or("bytes end in an offset")?;
    Ok(u32::from_le_bytes(bytes) as usize)
}

/// Roots of values that stand one after another, those of varying size behind offsets.
fn roots<'a>(types: impl Iterator<Item = &'a Type> + Clone, bytes: &[u8]) -> Result<Vec<Root>, Failure> {
    let fixed: usize = types.clone().map(|kind| kind.size().unwrap_or(4)).sum();
    let mut starts = Vec::new();
    let mut at = 0;
    for kind in types.clone() {
        if kind.size().is_none() {
            starts.push(offset(bytes, at)?);
        }
        at += kind.size().unwrap_or(4);
    }
    if starts.first().is_some_and(|start| *start != fixed) || (starts.is_empty() && fixed != bytes.len()) {
        return Err(format!("fixed part of {fixed} bytes, offsets from {:?}", starts.first()));
    }
    starts.push(bytes.len());
    let mut varying = starts.windows(2).map(|pair| pair[0]..pair[1]);
    let mut at = 0;
    types
        .map(|kind| {
            let range = match kind.size() {
                Some(size) => at..at + size,
                None => varying.next().ok_or("offsets run out")?,
            };
            at += kind.size().unwrap_or(4);
            kind.root(bytes.get(range).ok_or("an offset leads outside")?)
        })
        .collect()
}

/// Bytes as chunks, the last filled up with zeros.
fn pack(bytes: &[u8]) -> Vec<Root> {
    bytes
        .chunks(32)
        .map(|part| {
            let mut chunk = [0; 32];
            chunk[..part.len()].copy_from_slice(part);
            chunk
        })
        .collect()
}

/// A bit list's bits without the one that marks its end.
fn unsentinel(bytes: &[u8]) -> Result<(Vec<u8>, usize), Failure> {
    let last = *bytes.last().filter(|last| **last != 0).ok_or("a bit list without an end")?;
    let top = last.ilog2() as usize;
    let count = (bytes.len() - 1) * 8 + top;
    let mut bits = bytes.to_vec();
    bits[bytes.len() - 1] ^= 1 << top;
    bits.truncate(count.div_ceil(8));
    Ok((bits, count))
}

/// Root over chunks, filled up with zeros to the power of two above `limit`.
fn merkleize(chunks: &[Root], limit: usize) -> Root {
    let depth = limit.max(1).next_power_of_two().ilog2();
    let mut level = chunks.to_vec();
    let mut zero = [0; 32];
    for _ in 0..depth {
        if level.len() % 2 == 1 {
            level.push(zero);
        }
        level = level.chunks_exact(2).map(|pair| hash_pair(&pair[0], &pair[1])).collect();
        zero = hash_pair(&zero, &zero);
    }
    level.first().copied().unwrap_or(zero)
}

/// Root over chunks in subtrees of 1, 4, 16 ... leaves, each further to the right (EIP-7916).
fn merkleize_progressive(chunks: &[Root], leaves: usize) -> Root {
    if chunks.is_empty() {
        return [0; 32];
    }
    let (here, rest) = chunks.split_at(leaves.min(chunks.len()));
    hash_pair(&merkleize(here, leaves), &merkleize_progressive(rest, leaves * 4))
}

fn mix_in(root: Root, length: usize) -> Root {
    let mut chunk = [0; 32];
    chunk[..8].copy_from_slice(&(length as u64).to_le_bytes());
    hash_pair(&root, &chunk)
}
