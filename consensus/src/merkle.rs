//! SSZ Merkle branches and multiproofs (consensus-specs, ssz/merkle-proofs.md).
//!
//! A branch lists siblings from the leaf upwards, as the specification has it. A multiproof proves several leaves
//! at once: its hashes are the missing subtrees in the order a walk from left to right meets them, so neither
//! indices nor lengths have to be believed: they follow from the leaves' own positions.

use alloc::vec::Vec;

use crate::hash::{Root, hash_pair};

/// Why a branch or multiproof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MerkleError {
    /// The branch has another length than the leaf's depth.
    #[error("branch of {got} hashes where the depth is {expected}")]
    Depth {
        /// Hashes given.
        got: usize,
        /// Depth of the leaf.
        expected: usize,
    },
    /// A multiproof has fewer or more hashes than its leaves leave open.
    #[error("multiproof has too {0} hashes")]
    Length(&'static str),
    /// Leaves of a multiproof are not in strictly ascending order of their positions.
    #[error("multiproof leaves are not in ascending order")]
    Order,
    /// The proof leads to another root.
    #[error("proof leads to another root")]
    Root,
}

/// Checks that `leaf` stands at generalized index `gindex` under `root`.
///
/// # Errors
/// [`MerkleError::Depth`] unless the branch is exactly as long as the index is deep, [`MerkleError::Root`].
pub fn verify_branch(leaf: &Root, branch: &[Root], gindex: u64, root: &Root) -> Result<(), MerkleError> {
    let expected = gindex.ilog2() as usize;
    if branch.len() != expected {
        return Err(MerkleError::Depth { got: branch.len(), expected });
    }
    if branch_root(leaf, branch, gindex) == *root { Ok(()) } else { Err(MerkleError::Root) }
}

/// The root that a branch leads to, as long as it is.
pub(crate) fn branch_root(leaf: &Root, branch: &[Root], gindex: u64) -> Root {
    let mut node = *leaf;
    for (level, sibling) in branch.iter().enumerate() {
        node = if (gindex >> level) & 1 == 1 { hash_pair(sibling, &node) } else { hash_pair(&node, sibling) };
    }
    node
}

/// Checks a branch that may stand in a longer vector of a later fork, filled up with zeros in front
/// (`is_valid_normalized_merkle_branch`, altair/light-client/sync-protocol.md).
///
/// # Errors
/// [`MerkleError::Depth`] if it is shorter than the index is deep or the surplus is not zero, [`MerkleError::Root`].
pub fn verify_normalized_branch(
    leaf: &Root,
    branch: &[Root],
    gindex: u64,
    root: &Root,
) -> Result<(), MerkleError> {
    let expected = gindex.ilog2() as usize;
    let surplus = branch.len().saturating_sub(expected);
    let (filler, own) = branch.split_at(surplus);
    if filler.iter().any(|node| *node != [0; 32]) {
        return Err(MerkleError::Depth { got: branch.len(), expected });
    }
    verify_branch(leaf, own, gindex, root)
}

/// The branch of the leaf at `position`, from the leaf upwards, in the tree over `leaves`, a power of two of them.
pub(crate) fn build_branch(leaves: &[Root], position: usize) -> Vec<Root> {
    let mut level = leaves.to_vec();
    let mut position = position;
    let mut branch = Vec::new();
    while level.len() > 1 {
        branch.push(level[position ^ 1]);
        level = level.chunks_exact(2).map(|pair| hash_pair(&pair[0], &pair[1])).collect();
        position /= 2;
    }
    branch
}

/// The root of a tree of `depth` levels in which `leaves` stand at their positions and `proof` fills the rest.
///
/// Positions count from 0 at the left end of the lowest level and are strictly ascending.
///
/// # Errors
/// [`MerkleError::Order`] or [`MerkleError::Length`].
pub fn multiproof_root(depth: u32, leaves: &[(u64, Root)], proof: &[Root]) -> Result<Root, MerkleError> {
    let ascending = leaves.windows(2).all(|pair| pair[0].0 < pair[1].0);
    if !ascending || leaves.last().is_some_and(|(position, _)| position >> depth != 0) {
        return Err(MerkleError::Order);
    }
    let mut rest = proof.iter();
    let root = subtree_root(depth, leaves, &mut rest)?;
    if rest.len() != 0 { Err(MerkleError::Length("many")) } else { Ok(root) }
}

fn subtree_root(
    height: u32,
    leaves: &[(u64, Root)],
    rest: &mut core::slice::Iter<'_, Root>,
) -> Result<Root, MerkleError> {
    match (leaves, height) {
        ([], _) => rest.next().copied().ok_or(MerkleError::Length("few")),
        ([(_, leaf), ..], 0) => Ok(*leaf),
        _ => {
            let (left, right) = split(leaves, height);
            let left = subtree_root(height - 1, left, rest)?;
            let right = subtree_root(height - 1, right, rest)?;
            Ok(hash_pair(&left, &right))
        }
    }
}

/// Positions, ascending, each with what stands there.
type Leaves<'a, T> = &'a [(u64, T)];

/// Parts ascending leaves of a subtree of `height` levels into those of its two children.
fn split<T>(leaves: Leaves<'_, T>, height: u32) -> (Leaves<'_, T>, Leaves<'_, T>) {
    let middle = leaves.partition_point(|(position, _)| (position >> (height - 1)) & 1 == 0);
    leaves.split_at(middle)
}

/// The proof for [`multiproof_root`] of the leaves at `positions` (ascending) in the tree over `all` leaves,
/// a power of two of them.
pub fn build_multiproof(all: &[Root], positions: &[u64]) -> Vec<Root> {
    let marked: Vec<_> = positions.iter().map(|position| (*position, ())).collect();
    let mut proof = Vec::new();
    fill(all, &marked, &mut proof);
    proof
}

fn fill(all: &[Root], marked: &[(u64, ())], proof: &mut Vec<Root>) {
    if marked.is_empty() {
        proof.push(merkle_root(all));
    } else if all.len() > 1 {
        let (left, right) = split(marked, all.len().ilog2());
        let (left_leaves, right_leaves) = all.split_at(all.len() / 2);
        fill(left_leaves, left, proof);
        fill(right_leaves, right, proof);
    }
}

/// Root of the tree over `leaves`, a power of two of them.
pub fn merkle_root(leaves: &[Root]) -> Root {
    match leaves {
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len() / 2);
            hash_pair(&merkle_root(left), &merkle_root(right))
        }
    }
}

/// Root of a container: its field roots padded with zeros to a power of two.
pub fn container_root(fields: &[Root]) -> Root {
    let mut leaves = fields.to_vec();
    leaves.resize(fields.len().next_power_of_two(), [0; 32]);
    merkle_root(&leaves)
}

/// Root of a `uint64`.
pub fn u64_root(value: u64) -> Root {
    let mut root = [0; 32];
    root[..8].copy_from_slice(&value.to_le_bytes());
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn tree(depth: u32) -> Vec<Root> {
        (0..1u64 << depth).map(u64_root).collect()
    }

    #[test]
    fn every_set_of_leaves_of_a_small_tree() {
        let all = tree(3);
        let root = merkle_root(&all);
        for set in 0..1u64 << 8 {
            let positions: Vec<u64> = (0..8).filter(|bit| set >> bit & 1 == 1).collect();
            let proof = build_multiproof(&all, &positions);
            let leaves: Vec<_> = positions.iter().map(|&p| (p, all[p as usize])).collect();
            assert_eq!(multiproof_root(3, &leaves, &proof), Ok(root), "{set:#b}");
            let longer = [proof.clone(), vec![[0; 32]]].concat();
            assert_eq!(multiproof_root(3, &leaves, &longer), Err(MerkleError::Length("many")));
            if let Some((_, shorter)) = proof.split_last() {
                assert_eq!(multiproof_root(3, &leaves, shorter), Err(MerkleError::Length("few")));
            }
        }
    }

    #[test]
    fn multiproof_refuses_repeated_unsorted_and_outside_positions() {
        let leaf = [1; 32];
        for positions in [[1, 1], [2, 1], [1, 4]] {
            let leaves = positions.map(|position| (position, leaf));
            assert_eq!(multiproof_root(2, &leaves, &[leaf; 2]), Err(MerkleError::Order));
        }
    }

    #[test]
    fn branches_have_one_length_and_one_root() {
        let all = tree(3);
        let root = merkle_root(&all);
        for (position, leaf) in all.iter().enumerate() {
            let gindex = 8 + position as u64;
            let sibling = |from: usize, to: usize| merkle_root(&all[from..to]);
            let half = (position ^ 4) & 4;
            let quarter = (position ^ 2) & 6;
            let branch = [all[position ^ 1], sibling(quarter, quarter + 2), sibling(half, half + 4)];
            assert_eq!(verify_branch(leaf, &branch, gindex, &root), Ok(()));
            assert_eq!(verify_branch(leaf, &branch, gindex ^ 1, &root), Err(MerkleError::Root));
            assert_eq!(
                verify_branch(leaf, &branch[..2], gindex, &root),
                Err(MerkleError::Depth { got: 2, expected: 3 })
            );
        }
    }
}
