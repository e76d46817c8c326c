//! Proofs in a Merkle-Patricia trie (Ethereum yellow paper, appendix D; EIP-1186), present and absent alike.
//!
//! Keys are of two kinds. Keccak-256 digests, always 64 nibbles: that is the state trie and every storage trie. And
//! indices in RLP, of 2 to 10 nibbles: a block's transactions and receipts. No key of a kind begins another, which lets the
//! walk refuse shapes that such a trie cannot have (a value in a branch, a digest's leaf that ends early). A proof is
//! complete: each node is reached through the hash in the one before, nodes may not be left over, and a key counts
//! as absent only where a branch slot is empty or a leaf or extension leads elsewhere.

use crate::hash::{Root, keccak256};
use crate::rlp::{Item, RlpError, shortest};

/// Root of a trie without entries: Keccak-256 of the empty string's RLP.
pub const EMPTY_ROOT: Root = [
    0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45, 0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b,
    0x48, 0xe0, 0x1b, 0x99, 0x6c, 0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21,
];

/// Why a trie proof is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrieError {
    /// The walk needs a node that the proof does not have.
    #[error("the proof ends early: a node is missing at nibble {0}")]
    Missing(usize),
    /// The walk has ended, the proof has not.
    #[error("nodes are left over after the end of the path")]
    Surplus,
    /// A node's hash is not the one its parent (or the root) names.
    #[error("the node at nibble {0} is not the one that its parent names")]
    Hash(usize),
    /// A node is not canonical RLP.
    #[error("node at nibble {nibble}: {error}")]
    Rlp {
        /// Depth of the node in nibbles.
        nibble: usize,
        /// What is wrong with it.
        error: RlpError,
    },
    /// A node has a shape that this trie cannot hold.
    #[error("node at nibble {nibble}: {what}")]
    Shape {
        /// Depth of the node in nibbles.
        nibble: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// A node of a proof with its Keccak-256, which is computed once however many proofs share the node.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// The node's RLP.
    pub rlp: &'a [u8],
    /// `keccak256(rlp)`.
    pub hash: Root,
}

impl<'a> Node<'a> {
    /// Hashes a node.
    pub fn new(rlp: &'a [u8]) -> Self {
        Self { rlp, hash: keccak256(rlp) }
    }
}

/// Where the walk goes on.
enum Next<'a> {
    Hashed(Root),
    /// A node under 32 bytes stands inside its parent.
    Inline(&'a [u8]),
    Value(&'a [u8]),
    Absent,
}

/// The value under a hashed `key` in the trie with this root; `None` if the proof shows that there is none.
///
/// # Errors
/// [`TrieError`] unless the proof consists of exactly the nodes on the key's path.
pub fn lookup<'a>(
    root: &Root,
    key: &Root,
    proof: impl IntoIterator<Item = Node<'a>>,
) -> Result<Option<&'a [u8]>, TrieError> {
    walk(root, Key::Digest(key), proof)
}

/// The value at `index` in the trie of a block's transactions or receipts; `None` if the proof shows that there is none.
///
/// # Errors
/// [`TrieError`] unless the proof consists of exactly the nodes on the index's path.
pub fn lookup_index<'a>(
    root: &Root,
    index: u32,
    proof: impl IntoIterator<Item = Node<'a>>,
) -> Result<Option<&'a [u8]>, TrieError> {
    let key = IndexKey::new(index);
    walk(root, Key::Index(key.as_bytes()), proof)
}

/// A key of the transactions and receipts tries: the index in RLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexKey {
    bytes: [u8; 5],
    length: u8,
}

impl IndexKey {
    /// The key of an index.
    pub fn new(index: u32) -> Self {
        let mut bytes = [0; 5];
        let digits = index.to_be_bytes();
        let digits = shortest(&digits);
        let length = match digits {
            [small @ ..=0x7f] => {
                bytes[0] = *small;
                1
            }
            _ => {
                bytes[0] = 0x80 + digits.len() as u8;
                bytes[1..=digits.len()].copy_from_slice(digits);
                1 + digits.len() as u8
            }
        };
        Self { bytes, length }
    }

    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// How many nibbles it has.
    pub(crate) fn nibbles(&self) -> usize {
        2 * usize::from(self.length)
    }

    /// One of its nibbles, from 0.
    pub(crate) fn nibble(&self, at: usize) -> u8 {
        nibble_of(&self.bytes, at)
    }
}

/// Where a walk goes, and among keys of which kind.
#[derive(Clone, Copy)]
enum Key<'a> {
    Digest(&'a Root),
    Index(&'a [u8]),
}

impl Key<'_> {
    const fn bytes(&self) -> &[u8] {
        match self {
            Self::Digest(digest) => *digest,
            Self::Index(bytes) => bytes,
        }
    }

    /// Whether `end` nibbles are too many, or too few, for any key of the kind, where this one's end tells.
    const fn is_end(&self, end: usize) -> bool {
        match self {
            Self::Digest(_) => end == 64,
            // Keys of other lengths lie beside this one.
            Self::Index(_) => true,
        }
    }

    /// Whether an extension may lead to `end` nibbles and go on from there.
    const fn goes_on(&self, end: usize) -> bool {
        match self {
            Self::Digest(_) => end < 64,
            Self::Index(_) => end < 10,
        }
    }
}

/// The value under `key`, by exactly the nodes on its path.
fn walk<'a>(
    root: &Root,
    key: Key<'_>,
    proof: impl IntoIterator<Item = Node<'a>>,
) -> Result<Option<&'a [u8]>, TrieError> {
    let mut proof = proof.into_iter();
    let mut nibble = 0;
    let mut next = if *root == EMPTY_ROOT { Next::Absent } else { Next::Hashed(*root) };
    let found = loop {
        let rlp = match next {
            Next::Absent => break None,
            Next::Value(value) => break Some(value),
            Next::Inline(rlp) => rlp,
            Next::Hashed(hash) => {
                let node = proof.next().ok_or(TrieError::Missing(nibble))?;
                if node.hash != hash {
                    return Err(TrieError::Hash(nibble));
                }
                node.rlp
            }
        };
        next = step(rlp, &key, &mut nibble)?;
    };
    if proof.next().is_some() { Err(TrieError::Surplus) } else { Ok(found) }
}

/// Reads one node and takes the path of `key` through it.
fn step<'a>(rlp: &'a [u8], key: &Key<'_>, nibble: &mut usize) -> Result<Next<'a>, TrieError> {
    let at = *nibble;
    let shape = |what| TrieError::Shape { nibble: at, what };
    let malformed = |error| TrieError::Rlp { nibble: at, error };

    let payload = Item::only(rlp).and_then(Item::list).map_err(malformed)?;
    // A node has 2 or 17 items: the first two tell which, together with what is left.
    let (first, first_rlp, rest) = Item::take(payload).map_err(malformed)?;
    let (second, second_rlp, rest) = Item::take(rest).map_err(malformed)?;
    if rest.is_empty() {
        let path =
            HexPrefix::parse(first.string().map_err(malformed)?).ok_or_else(|| shape("malformed path"))?;
        let matched = path.matches(key.bytes(), at);
        return match (path.is_leaf, matched) {
            (true, _) if !key.is_end(at + path.len()) => {
                Err(shape("a leaf that does not end at the key's length"))
            }
            (true, true) if at + path.len() == 2 * key.bytes().len() => {
                Ok(Next::Value(second.string().map_err(malformed)?))
            }
            (false, _) if path.len() == 0 || !key.goes_on(at + path.len()) => {
                Err(shape("an extension of impossible length"))
            }
            (false, true) => {
                *nibble += path.len();
                match child(second, second_rlp).ok_or_else(|| shape("malformed child"))? {
                    Next::Absent => Err(shape("an extension that leads nowhere")),
                    next => Ok(next),
                }
            }
            _ => Ok(Next::Absent),
        };
    }

    if at >= 2 * key.bytes().len() {
        return Err(shape("a branch below the key's last nibble"));
    }
    let wanted = nibble_of(key.bytes(), at);
    let mut chosen = match wanted {
        0 => Some((first, first_rlp)),
        1 => Some((second, second_rlp)),
        _ => None,
    };
    let mut rest = rest;
    for position in 2..16 {
        let (item, item_rlp, tail) = Item::take(rest).map_err(malformed)?;
        if position == wanted {
            chosen = Some((item, item_rlp));
        }
        rest = tail;
    }
    if Item::only(rest).map_err(malformed)? != Item::String(&[]) {
        return Err(shape("a branch with a value, where no key begins another"));
    }
    let (item, item_rlp) = chosen.ok_or_else(|| shape("a branch without its slots"))?;
    *nibble += 1;
    child(item, item_rlp).ok_or_else(|| shape("malformed child"))
}

/// What a branch slot or an extension holds; `None` if it is neither empty, nor a hash, nor a short node.
fn child<'a>(item: Item<'a>, rlp: &'a [u8]) -> Option<Next<'a>> {
    match item {
        Item::String([]) => Some(Next::Absent),
        Item::String(hash) => Some(Next::Hashed(hash.try_into().ok()?)),
        // Anything of 32 bytes or more must stand by its hash.
        Item::List(_) => (rlp.len() < 32).then_some(Next::Inline(rlp)),
    }
}

const fn nibble_of(bytes: &[u8], index: usize) -> u8 {
    let byte = bytes[index / 2];
    if index.is_multiple_of(2) { byte >> 4 } else { byte & 0xf }
}

/// A path in hex-prefix encoding (yellow paper, appendix C).
struct HexPrefix<'a> {
    bytes: &'a [u8],
    /// Nibbles to skip: two if the path is even, one if odd.
    skip: usize,
    is_leaf: bool,
}

impl<'a> HexPrefix<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let (is_leaf, skip) = match first {
            0x00 => (false, 2),
            0x10..=0x1f => (false, 1),
            0x20 => (true, 2),
            0x30..=0x3f => (true, 1),
            _ => return None,
        };
        Some(Self { bytes, skip, is_leaf })
    }

    fn len(&self) -> usize {
        self.bytes.len() * 2 - self.skip
    }

    /// Whether `key` goes on with this path from nibble `at`.
    fn matches(&self, key: &[u8], at: usize) -> bool {
        at + self.len() <= 2 * key.len()
            && (0..self.len()).all(|i| nibble_of(self.bytes, self.skip + i) == nibble_of(key, at + i))
    }
}
