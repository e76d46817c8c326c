//! The hint tape: field elements one after the other, read in place.

use alloc::vec::Vec;

use super::field::Fp;
use super::fp2::Fp2;
use crate::bls::BlsError;

/// Bytes of one field element on the tape.
const ELEMENT: usize = 48;

/// The elements of a hint tape, borrowed where the bytes allow it.
#[derive(Debug)]
pub enum Elements<'a> {
    /// The caller's bytes, seen as elements.
    Borrowed(&'a [Fp]),
    /// A copy, where the bytes are not aligned.
    Owned(Vec<Fp>),
}

impl<'a> Elements<'a> {
    /// Splits `bytes` into elements; whether they are canonical is checked as each is read.
    ///
    /// # Errors
    /// [`BlsError::Hint`] when the length is not a multiple of an element's.
    pub fn new(bytes: &'a [u8]) -> Result<Self, BlsError> {
        if !bytes.len().is_multiple_of(ELEMENT) {
            return Err(BlsError::Hint("tape length"));
        }
        #[cfg(target_endian = "little")]
        {
            // SAFETY: `Fp` is six words in C layout, and every bit pattern is a value of them; `align_to`
            // minds alignment. Code that relies on canonical limbs gets elements from `Tape` only.
            let (head, elements, tail) = unsafe { bytes.align_to::<Fp>() };
            if head.is_empty() && tail.is_empty() {
                return Ok(Self::Borrowed(elements));
            }
        }
        let mut elements = Vec::with_capacity(bytes.len() / ELEMENT);
        for chunk in bytes.chunks_exact(ELEMENT) {
            let mut limbs = [0; 6];
            for (limb, word) in limbs.iter_mut().zip(chunk.chunks_exact(8)) {
                let mut buffer = [0; 8];
                buffer.copy_from_slice(word);
                *limb = u64::from_le_bytes(buffer);
            }
            elements.push(Fp(limbs));
        }
        Ok(Self::Owned(elements))
    }

    /// The elements.
    pub fn as_slice(&self) -> &[Fp] {
        match self {
            Self::Borrowed(elements) => elements,
            Self::Owned(elements) => elements,
        }
    }
}

/// A reader of hints. SOUNDNESS: all it promises is that an element is canonical; who reads one checks it.
#[derive(Debug)]
pub struct Tape<'a> {
    rest: &'a [Fp],
}

impl<'a> Tape<'a> {
    /// A reader of `elements`.
    pub fn new(elements: &'a [Fp]) -> Self {
        Self { rest: elements }
    }

    /// How many elements are left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next element.
    #[inline(always)]
    pub fn fp(&mut self, what: &'static str) -> Result<&'a Fp, BlsError> {
        let (first, rest) = self.rest.split_first().ok_or(BlsError::Hint(what))?;
        self.rest = rest;
        if first.is_canonical() { Ok(first) } else { Err(BlsError::Hint(what)) }
    }

    /// The next two elements, real part first.
    #[inline(always)]
    pub fn fp2(&mut self, what: &'static str) -> Result<&'a Fp2, BlsError> {
        let (pair, rest) = self.rest.split_first_chunk::<2>().ok_or(BlsError::Hint(what))?;
        self.rest = rest;
        if pair[0].is_canonical() && pair[1].is_canonical() {
            // SAFETY: `Fp2` is two `Fp` in C layout.
            Ok(unsafe { &*pair.as_ptr().cast::<Fp2>() })
        } else {
            Err(BlsError::Hint(what))
        }
    }

    /// The next `N` elements.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<&'a [Fp; N], BlsError> {
        let (elements, rest) = self.rest.split_first_chunk::<N>().ok_or(BlsError::Hint(what))?;
        self.rest = rest;
        if elements.iter().all(Fp::is_canonical) { Ok(elements) } else { Err(BlsError::Hint(what)) }
    }
}
