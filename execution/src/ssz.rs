//! SSZ as far as an input to stateless validation needs it (consensus-specs, ssz/simple-serialize.md): read in place and
//! strictly (every offset where the fields before it end, not a byte left over), and merkleized.

use alloc::vec::Vec;

use alloy_primitives::hex;
use sextant_consensus::hash::{Root, hash_pair};

/// Why bytes are not the value that is due; `what` is the name of the field or list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SszError {
    /// The bytes end before the part of fixed size does.
    #[error("{what}: {wanted} bytes wanted, {left} left")]
    Short {
        /// What is read.
        what: &'static str,
        /// Bytes that it needs.
        wanted: usize,
        /// Bytes that there are.
        left: usize,
    },
    /// An offset does not point to where the value before it ends, or points outside.
    #[error("{what}: offset {got} where {expected} is due")]
    Offset {
        /// What is read.
        what: &'static str,
        /// The offset given.
        got: usize,
        /// The one place of a first offset; else the bound that it breaks.
        expected: usize,
    },
    /// A list is not a whole number of elements.
    #[error("{what}: {got} bytes are no list of elements of {size}")]
    Elements {
        /// What is read.
        what: &'static str,
        /// Bytes given.
        got: usize,
        /// Bytes of an element.
        size: usize,
    },
    /// A list is longer than its type allows.
    #[error("{what}: {got} elements where at most {limit} are allowed")]
    Limit {
        /// What is read.
        what: &'static str,
        /// Elements given.
        got: usize,
        /// Elements allowed.
        limit: usize,
    },
}

/// Bytes of an offset.
const OFFSET: usize = 4;

/// A field of a container: its name, and its size in bytes unless that varies.
pub type Field = (&'static str, Option<usize>);

/// The bytes of each field of a container that takes up all of `bytes`; at least one field must vary in size.
///
/// # Errors
/// [`SszError`] with the field's name.
pub fn container<'a, const N: usize>(
    bytes: &'a [u8],
    fields: &[Field; N],
) -> Result<[&'a [u8]; N], SszError> {
    let mut parts = [&[][..]; N];
    let mut rest = bytes;
    // The field of the last offset that was read, and where it points.
    let mut open: Option<(usize, usize)> = None;
    let fixed: usize = fields.iter().map(|(_, size)| size.unwrap_or(OFFSET)).sum();
    for (index, (what, size)) in fields.iter().enumerate() {
        let wanted = size.unwrap_or(OFFSET);
        let short = SszError::Short { what, wanted, left: rest.len() };
        let (head, tail) = rest.split_at_checked(wanted).ok_or(short)?;
        rest = tail;
        if size.is_some() {
            parts[index] = head;
            continue;
        }
        let start = offset(head);
        match open {
            None if start != fixed => return Err(SszError::Offset { what, got: start, expected: fixed }),
            None => {}
            Some((before, from)) => {
                let bound = SszError::Offset { what, got: start, expected: from };
                parts[before] = bytes.get(from..start).ok_or(bound)?;
            }
        }
        open = Some((index, start));
    }
    if let Some((last, from)) = open {
        let outside = SszError::Offset { what: fields[last].0, got: from, expected: bytes.len() };
        parts[last] = bytes.get(from..).ok_or(outside)?;
    }
    Ok(parts)
}

/// The items of a list of byte lists that takes up all of `bytes`: at most `limit` of at most `max` bytes each.
///
/// # Errors
/// [`SszError`] with the list's name.
pub fn byte_lists<'a>(
    what: &'static str,
    bytes: &'a [u8],
    limit: usize,
    max: usize,
) -> Result<Vec<&'a [u8]>, SszError> {
    let Some(first) = bytes.get(..OFFSET) else {
        let short = SszError::Short { what, wanted: OFFSET, left: bytes.len() };
        return if bytes.is_empty() { Ok(Vec::new()) } else { Err(short) };
    };
    let first = offset(first);
    let table = bytes.get(..first).ok_or(SszError::Offset { what, got: first, expected: bytes.len() })?;
    if first == 0 || !first.is_multiple_of(OFFSET) {
        return Err(SszError::Elements { what, got: first, size: OFFSET });
    }
    let count = first / OFFSET;
    if count > limit {
        return Err(SszError::Limit { what, got: count, limit });
    }
    let mut items = Vec::with_capacity(count);
    let mut start = first;
    let ends = table.chunks_exact(OFFSET).skip(1).map(offset).chain([bytes.len()]);
    for end in ends {
        let item = bytes.get(start..end).ok_or(SszError::Offset { what, got: end, expected: start })?;
        if item.len() > max {
            return Err(SszError::Limit { what, got: item.len(), limit: max });
        }
        items.push(item);
        start = end;
    }
    Ok(items)
}

/// The elements of a list of at most `limit` elements of `N` bytes each that takes up all of `bytes`.
///
/// # Errors
/// [`SszError`] with the list's name.
pub fn elements<'a, const N: usize>(
    what: &'static str,
    bytes: &'a [u8],
    limit: usize,
) -> Result<&'a [[u8; N]], SszError> {
    let (elements, rest) = bytes.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(SszError::Elements { what, got: bytes.len(), size: N });
    }
    if elements.len() > limit {
        return Err(SszError::Limit { what, got: elements.len(), limit });
    }
    Ok(elements)
}

/// A field of `N` bytes, which [`container`] has cut to size.
///
/// # Panics
/// If it has not: a mistake in the code that names the sizes, not in the bytes.
pub(crate) fn array<const N: usize>(field: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(field);
    array
}

/// A `uint64`, cut to size.
pub(crate) fn uint64(field: &[u8]) -> u64 {
    u64::from_le_bytes(array(field))
}

fn offset(bytes: &[u8]) -> usize {
    u32::from_le_bytes(array(bytes)) as usize
}

/// Root of the tree of `depth` levels over `leaves`, filled up with zeros. There must not be more than fit.
pub fn merkleize(leaves: Vec<Root>, depth: usize) -> Root {
    merkleize_from(leaves, 0, depth)
}

/// Root of a container or vector of chunks.
pub fn container_root(leaves: &[Root]) -> Root {
    merkleize(leaves.to_vec(), leaves.len().next_power_of_two().ilog2() as usize)
}

/// Root of a list whose elements have the roots `leaves`, where at most `1 << depth` are allowed.
pub fn list_root(leaves: Vec<Root>, depth: usize) -> Root {
    let length = u64_root(leaves.len() as u64);
    hash_pair(&merkleize(leaves, depth), &length)
}

/// Root of a list of at most `32 << depth` bytes.
pub fn byte_list_root(bytes: &[u8], depth: usize) -> Root {
    hash_pair(&bytes_root(bytes, depth), &u64_root(bytes.len() as u64))
}

/// Root of a vector of bytes, in a tree of `depth` levels.
pub fn bytes_root(bytes: &[u8], depth: usize) -> Root {
    let (chunks, rest) = bytes.as_chunks::<32>();
    if depth == 0 || chunks.is_empty() {
        let leaf = chunks.first().copied().unwrap_or_else(|| padded(rest));
        return merkleize(if bytes.is_empty() { Vec::new() } else { alloc::vec![leaf] }, depth);
    }
    // The lowest level is hashed from where the bytes lie.
    let (pairs, odd) = chunks.as_chunks::<2>();
    let mut level = Vec::with_capacity(pairs.len() + 2);
    level.extend(pairs.iter().map(|[left, right]| hash_pair(left, right)));
    match (odd, rest) {
        ([], []) => {}
        ([], rest) => level.push(hash_pair(&padded(rest), &ZERO_HASHES[0])),
        // With nothing left over this is a chunk of zeros.
        ([last, ..], rest) => level.push(hash_pair(last, &padded(rest))),
    }
    merkleize_from(level, 1, depth)
}

/// Root of the tree of `depth` levels whose nodes at `level`, counted from the leaves, are `nodes` and zeros.
fn merkleize_from(mut nodes: Vec<Root>, level: usize, depth: usize) -> Root {
    debug_assert!(nodes.len() <= 1 << (depth - level), "{} nodes at level {level} of {depth}", nodes.len());
    for zero in &ZERO_HASHES[level..depth] {
        // Below nothing but zeros there is nothing to do.
        if nodes.is_empty() {
            break;
        }
        if nodes.len() % 2 == 1 {
            nodes.push(*zero);
        }
        for i in 0..nodes.len() / 2 {
            nodes[i] = hash_pair(&nodes[2 * i], &nodes[2 * i + 1]);
        }
        nodes.truncate(nodes.len() / 2);
    }
    nodes.first().copied().unwrap_or(ZERO_HASHES[depth])
}

/// Root of a `uint64`.
pub fn u64_root(value: u64) -> Root {
    padded(&value.to_le_bytes())
}

/// A chunk with `bytes` (at most 32) at its front: root of a short vector of bytes.
pub fn padded(bytes: &[u8]) -> Root {
    let mut chunk = [0; 32];
    chunk[..bytes.len()].copy_from_slice(bytes);
    chunk
}

/// Roots of trees over zeros, by their depth: the deepest list here is a transaction, of up to `32 << 25` bytes. Computing
/// them anew for every block would cost the guest 4 % of it.
static ZERO_HASHES: [Root; 26] = [
    hex!("0000000000000000000000000000000000000000000000000000000000000000"),
    hex!("f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"),
    hex!("db56114e00fdd4c1f85c892bf35ac9a89289aaecb1ebd0a96cde606a748b5d71"),
    hex!("c78009fdf07fc56a11f122370658a353aaa542ed63e44c4bc15ff4cd105ab33c"),
    hex!("536d98837f2dd165a55d5eeae91485954472d56f246df256bf3cae19352a123c"),
    hex!("9efde052aa15429fae05bad4d0b1d7c64da64d03d7a1854a588c2cb8430c0d30"),
    hex!("d88ddfeed400a8755596b21942c1497e114c302e6118290f91e6772976041fa1"),
    hex!("87eb0ddba57e35f6d286673802a4af5975e22506c7cf4c64bb6be5ee11527f2c"),
    hex!("26846476fd5fc54a5d43385167c95144f2643f533cc85bb9d16b782f8d7db193"),
    hex!("506d86582d252405b840018792cad2bf1259f1ef5aa5f887e13cb2f0094f51e1"),
    hex!("ffff0ad7e659772f9534c195c815efc4014ef1e1daed4404c06385d11192e92b"),
    hex!("6cf04127db05441cd833107a52be852868890e4317e6a02ab47683aa75964220"),
    hex!("b7d05f875f140027ef5118a2247bbb84ce8f2f0f1123623085daf7960c329f5f"),
    hex!("df6af5f5bbdb6be9ef8aa618e4bf8073960867171e29676f8b284dea6a08a85e"),
    hex!("b58d900f5e182e3c50ef74969ea16c7726c549757cc23523c369587da7293784"),
    hex!("d49a7502ffcfb0340b1d7885688500ca308161a7f96b62df9d083b71fcc8f2bb"),
    hex!("8fe6b1689256c0d385f42f5bbe2027a22c1996e110ba97c171d3e5948de92beb"),
    hex!("8d0d63c39ebade8509e0ae3c9c3876fb5fa112be18f905ecacfecb92057603ab"),
    hex!("95eec8b2e541cad4e91de38385f2e046619f54496c2382cb6cacd5b98c26f5a4"),
    hex!("f893e908917775b62bff23294dbbe3a1cd8e6cc1c35b4801887b646a6f81f17f"),
    hex!("cddba7b592e3133393c16194fac7431abf2f5485ed711db282183c819e08ebaa"),
    hex!("8a8d7fe3af8caa085a7639a832001457dfb9128a8061142ad0335629ff23ff9c"),
    hex!("feb3c337d7a51a6fbf00b9e34c52e1c9195c969bd4e7a0bfd51d5c5bed9c1167"),
    hex!("e71f0aa83cc32edfbefa9f4d3e0174ca85182eec9f3a09f6a6c0df6377a510d7"),
    hex!("31206fa80a50bb6abe29085058f16212212a60eec8f049fecb92d8c8e0a84bc0"),
    hex!("21352bfecbeddde993839f614c3dac0a3ee37543f9b412b16199dc158e23b544"),
];

#[cfg(test)]
mod tests;
