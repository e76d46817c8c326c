//! Codes as revm runs them: padded, with a table of where they may jump to.
//!
//! revm would copy a code once to own it and once to pad it, and make the table in a loop that takes more. In the zkVM, where
//! memory costs most when it is first touched, that was a tenth of a block.

use alloc::vec::Vec;

use alloy_primitives::Bytes;
use revm::bytecode::bitvec::{order::Lsb0, vec::BitVec};
use revm::bytecode::eip7702::EIP7702_MAGIC_BYTES;
use revm::bytecode::opcode::{JUMPDEST, PUSH0, PUSH1, PUSH32};
use revm::bytecode::{Bytecode, JumpTable};

/// Zeros behind a code: what the longest PUSH may still read, and a STOP behind it.
const PADDING: usize = 33;

/// A contract's code. revm does not ask which fork it is before it follows a delegation (EIP-7702): before Prague there are
/// none, and what looks like one is code.
pub(super) fn bytecode(code: &[u8], has_delegations: bool) -> Bytecode {
    if code.is_empty() {
        return Bytecode::new();
    }
    // What begins like a delegation and is none (EIP-7702) is code like any other.
    if has_delegations
        && code.starts_with(EIP7702_MAGIC_BYTES)
        && let Ok(delegation) = Bytecode::new_eip7702_raw(Bytes::copy_from_slice(code))
    {
        return delegation;
    }
    let table = JumpTable::new(BitVec::<u8, Lsb0>::from_vec(destinations(code)));
    // SAFETY: an instruction within the code reads 32 bytes behind itself at most, and what follows the last one is a STOP.
    unsafe { Bytecode::new_analyzed(padded(code), code.len(), table) }
}

/// The code with zeros behind it. It lies as the code does in its word, so that it is copied by words.
fn padded(code: &[u8]) -> Bytes {
    const WORD: usize = size_of::<usize>();
    let mut bytes: Vec<u8> = Vec::with_capacity(WORD + code.len() + PADDING);
    let skipped = code.as_ptr().addr().wrapping_sub(bytes.as_ptr().addr()) % WORD;
    bytes.resize(skipped, 0);
    bytes.extend_from_slice(code);
    bytes.resize(skipped + code.len() + PADDING, 0);
    Bytes::from(bytes).slice(skipped..)
}

/// A bit for each byte of a code, the lowest first: whether it is a JUMPDEST, and not what a PUSH pushes.
fn destinations(code: &[u8]) -> Vec<u8> {
    let mut table = alloc::vec![0; code.len().div_ceil(8)];
    let mut at = 0;
    while let Some(opcode) = code.get(at) {
        // One comparison for most instructions: PUSH1 to PUSH32 come soon after JUMPDEST.
        let beyond = usize::from(*opcode).wrapping_sub(usize::from(JUMPDEST));
        if beyond <= usize::from(PUSH32 - JUMPDEST) {
            if *opcode >= PUSH1 {
                at += usize::from(*opcode - PUSH0);
            } else if *opcode == JUMPDEST {
                table[at / 8] |= 1 << (at % 8);
            }
        }
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use proptest::prelude::*;
    use revm::bytecode::opcode::STOP;

    use super::*;

    /// As revm makes it.
    fn check(code: &[u8]) {
        let bytes = Bytes::copy_from_slice(code);
        let expected =
            Bytecode::new_raw_checked(bytes.clone()).unwrap_or_else(|_| Bytecode::new_legacy(bytes));
        let got = bytecode(code, true);
        assert_eq!(got.original_byte_slice(), code);
        assert_eq!(got.kind(), expected.kind());
        assert_eq!(got.is_eip7702(), expected.is_eip7702());
        assert_eq!(got.eip7702_address(), expected.eip7702_address());
        let tables = [&got, &expected].map(Bytecode::legacy_jump_table);
        if let [Some(got), Some(expected)] = tables {
            for at in 0..code.len() + 64 {
                assert_eq!(got.is_valid(at), expected.is_valid(at), "{at} of {code:x?}");
            }
        }
        if expected.is_legacy() {
            // At least what revm has behind it, and nothing else.
            assert!(got.bytes_slice().len() >= expected.bytes_slice().len());
            assert!(got.bytes_slice()[code.len()..].iter().all(|byte| *byte == STOP));
        }
    }

    #[test]
    fn codes_of_every_end() {
        check(&[]);
        for opcode in 0..=u8::MAX {
            for before in 0..10 {
                check(&[&vec![JUMPDEST; before], &[opcode][..]].concat());
                check(&[&vec![STOP; before], &[opcode, JUMPDEST][..]].concat());
                check(&[&[opcode], &vec![JUMPDEST; 40][..]].concat());
            }
        }
    }

    #[test]
    fn delegations() {
        let delegation = [&[0xef, 0x01, 0x00][..], &[JUMPDEST; 20]].concat();
        check(&delegation);
        assert!(bytecode(&delegation, true).is_eip7702());
        let code = bytecode(&delegation, false);
        assert!(code.is_legacy() && code.original_byte_slice() == delegation);
        for length in 0..delegation.len() {
            check(&delegation[..length]);
        }
        check(&[&delegation[..], &[0]].concat());
        check(&[&[0xef, 0x01, 0x01][..], &[JUMPDEST; 20]].concat());
    }

    proptest! {
        #[test]
        fn codes_of_any_bytes(
            code in prop::collection::vec(prop_oneof![any::<u8>(), 0x5a..0x80u8, Just(JUMPDEST)], 0..200),
            skipped in 0..9usize,
        ) {
            check(&code[skipped.min(code.len())..]);
        }
    }
}
