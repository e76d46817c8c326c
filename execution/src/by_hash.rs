//! Items of a witness by their Keccak-256: trie nodes and codes, which come as bare lists.

use alloc::vec::{IntoIter, Vec};

use alloy_primitives::{B256, keccak256, map::B256Map};

/// Items that are looked up by their hash.
///
/// Hashing is most of what a witness costs in the zkVM, so an item is hashed once, in the order of the list, and none
/// before a look-up gets that far: of a list in the order of first use nothing is hashed in vain.
///
/// SOUNDNESS: nobody says what an item's hash is; it is computed here. What is found is the preimage of the hash that was
/// asked for, whatever else the list holds.
#[derive(Clone, Debug, Default)]
pub struct ByHash<'a> {
    hashed: B256Map<&'a [u8]>,
    rest: IntoIter<&'a [u8]>,
}

impl<'a> ByHash<'a> {
    /// Takes the items of a list.
    pub fn new(items: &[&'a [u8]]) -> Self {
        let hashed = B256Map::with_capacity_and_hasher(items.len(), Default::default());
        Self { hashed, rest: Vec::from(items).into_iter() }
    }

    /// The item with this hash, if the list has it.
    pub fn get(&mut self, hash: &B256) -> Option<&'a [u8]> {
        if let Some(item) = self.hashed.get(hash) {
            return Some(item);
        }
        for item in self.rest.by_ref() {
            let own = keccak256(item);
            self.hashed.insert(own, item);
            if own == *hash {
                return Some(item);
            }
        }
        None
    }

    /// How many items have been hashed so far.
    pub fn hashed(&self) -> usize {
        self.hashed.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_hashed_no_further_than_what_is_looked_up() {
        let items: [&[u8]; 4] = [b"one", b"two", b"", b"four"];
        let mut by_hash = ByHash::new(&items);
        assert_eq!(by_hash.hashed(), 0);
        assert_eq!(by_hash.get(&keccak256("two")), Some(&b"two"[..]));
        assert_eq!(by_hash.hashed(), 2);
        assert_eq!(by_hash.get(&keccak256("one")), Some(&b"one"[..]));
        assert_eq!(by_hash.hashed(), 2);
        assert_eq!(by_hash.get(&keccak256("three")), None);
        assert_eq!(by_hash.hashed(), 4);
        for item in items {
            assert_eq!(by_hash.get(&keccak256(item)), Some(item));
        }
    }

    #[test]
    fn an_item_given_twice_is_one() {
        let mut by_hash = ByHash::new(&[b"same", b"same"]);
        assert_eq!(by_hash.get(&B256::ZERO), None);
        assert_eq!(by_hash.hashed(), 1);
        assert_eq!(by_hash.get(&keccak256("same")), Some(&b"same"[..]));
    }
}
