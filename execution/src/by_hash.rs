//! Items of a witness by their Keccak-256: trie nodes and codes, which come as bare lists.

use alloc::vec::{IntoIter, Vec};
use core::hash::{Hash, Hasher};

use alloy_primitives::{B256, keccak256, map::HashMap};

/// Items that are looked up by their hash.
///
/// Hashing is most of what a witness costs in the zkVM, so an item is hashed once, in the order of the list, and none
/// before a look-up gets that far: of a list in the order of first use nothing is hashed in vain.
///
/// SOUNDNESS: nobody says what an item's hash is; it is computed here. What is found is the preimage of the hash that was
/// asked for, whatever else the list holds.
#[derive(Clone, Debug, Default)]
pub struct ByHash<'a> {
    hashed: HashMap<Digest, &'a [u8]>,
    rest: IntoIter<&'a [u8]>,
}

impl<'a> ByHash<'a> {
    /// Takes the items of a list.
    pub fn new(items: &[&'a [u8]]) -> Self {
        let hashed = HashMap::with_capacity_and_hasher(room(items), Default::default());
        Self { hashed, rest: Vec::from(items).into_iter() }
    }

    /// The item with this hash, if the list has it.
    pub fn get(&mut self, hash: &B256) -> Option<&'a [u8]> {
        let hash = Digest::from(hash);
        if let Some(item) = self.hashed.get(&hash) {
            return Some(item);
        }
        for item in self.rest.by_ref() {
            let own = Digest::of(item);
            self.hashed.insert(own, item);
            if own == hash {
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

/// How many items of a list to keep room for: as many as could have 32 bytes each, which almost all have. An empty one takes
/// four bytes of an input, and would take many times as much.
pub(crate) fn room(items: &[&[u8]]) -> usize {
    let bytes: usize = items.iter().map(|item| item.len()).sum();
    items.len().min(bytes / 32 + 1)
}

/// A Keccak-256 in words: bytes are compared one by one in the zkVM, and hashed as slowly.
#[derive(Clone, Copy, Debug)]
struct Digest([u64; 4]);

impl Digest {
    fn of(bytes: &[u8]) -> Self {
        /// Where words can be read.
        #[repr(align(8))]
        struct Aligned(B256);
        let hash = Aligned(keccak256(bytes));
        Self::from(&hash.0)
    }
}

impl From<&B256> for Digest {
    #[inline]
    fn from(hash: &B256) -> Self {
        let (words, _) = hash.as_chunks::<8>();
        Self(core::array::from_fn(|i| u64::from_ne_bytes(words[i])))
    }
}

impl PartialEq for Digest {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |differing, (one, other)| differing | one ^ other) == 0
    }
}

impl Eq for Digest {}

impl Hash for Digest {
    /// One word is enough of what is a hash already. The map adds a seed, so that nobody can choose who meets whom.
    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.0[0]);
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
    fn all_of_a_hash_is_compared() {
        let mut by_hash = ByHash::new(&[b"item"]);
        let hash = keccak256("item");
        for byte in 0..32 {
            let mut other = hash;
            other[byte] ^= 0x80;
            assert_eq!(by_hash.get(&other), None, "byte {byte}");
        }
        assert_eq!(by_hash.get(&hash), Some(&b"item"[..]));
    }

    #[test]
    fn room_is_kept_for_bytes_and_not_for_items() {
        let empty: Vec<&[u8]> = alloc::vec![&[]; 100_000];
        let mut by_hash = ByHash::new(&empty);
        assert!(by_hash.hashed.capacity() < 10);
        assert_eq!(by_hash.get(&B256::ZERO), None);
        assert_eq!((by_hash.hashed(), by_hash.get(&keccak256(""))), (1, Some(&b""[..])));
        assert!(by_hash.hashed.capacity() < 10);
        let whole: Vec<&[u8]> = alloc::vec![&[5; 32]; 1000];
        assert!(ByHash::new(&whole).hashed.capacity() >= 1000);
        // Short ones beside long ones find a place all the same.
        let items = [&[1; 40][..], &[2], &[3], &[4]];
        let mut by_hash = ByHash::new(&items);
        assert!(items.iter().all(|item| by_hash.get(&keccak256(item)) == Some(*item)));
    }

    #[test]
    fn an_item_given_twice_is_one() {
        let mut by_hash = ByHash::new(&[b"same", b"same"]);
        assert_eq!(by_hash.get(&B256::ZERO), None);
        assert_eq!(by_hash.hashed(), 1);
        assert_eq!(by_hash.get(&keccak256("same")), Some(&b"same"[..]));
    }
}
