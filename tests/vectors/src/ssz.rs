//! SSZ by description: the root of any object from its bytes and its type. Slow and plain, an oracle for tests; the
//! types of whole states and block bodies are in [`schema`].

mod root;
pub mod schema;

/// An SSZ type (ssz/simple-serialize.md; progressive ones: EIP-7916 and EIP-7495).
#[derive(Clone, Debug)]
pub enum Type {
    /// An unsigned number, or a boolean, of so many bytes.
    Uint(usize),
    /// So many bytes.
    Bytes(usize),
    /// Bytes, at most so many.
    ByteList(usize),
    /// So many elements.
    Vector(Box<Type>, usize),
    /// Elements, at most so many.
    List(Box<Type>, usize),
    /// Elements without limit.
    ProgressiveList(Box<Type>),
    /// So many bits.
    Bitvector(usize),
    /// Bits, at most so many.
    Bitlist(usize),
    /// Bits without limit.
    ProgressiveBitlist,
    /// Fields.
    Container(Vec<Type>),
    /// Fields of a container that may grow.
    ProgressiveContainer(Vec<Type>),
}
