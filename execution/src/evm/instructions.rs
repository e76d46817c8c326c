//! Instructions of the EVM that revm has in a form that is costly in the zkVM: here they do the same in another way.

use alloy_primitives::U256;
use revm::bytecode::opcode::SWAP1;
use revm::context_interface::Host;
use revm::handler::instructions::EthInstructions;
use revm::interpreter::{
    Instruction, InstructionContext, InstructionExecResult, InstructionResult, interpreter::EthInterpreter,
};

/// Gas of a SWAP (yellow paper, appendix G: very low).
const SWAP_GAS: u16 = 3;

/// Puts them in place of revm's.
pub(super) fn install<H: Host>(instructions: &mut EthInstructions<EthInterpreter, H>) {
    macro_rules! swaps {
        ($($n:literal)*) => {
            $(instructions.insert_instruction(SWAP1 + $n - 1, Instruction::new(swap::<$n, H>), SWAP_GAS);)*
        };
    }
    swaps!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
}

/// SWAP1 to SWAP16: the top of the stack, and the word `N` below it. revm's goes by bytes on a machine without unaligned
/// access, which made it the costliest instruction of a block.
#[expect(clippy::manual_swap, reason = "what `mem::swap` compiles to goes by bytes there")]
fn swap<const N: usize, H: Host>(
    context: InstructionContext<'_, H, EthInterpreter>,
) -> InstructionExecResult {
    let words = context.interpreter.stack.data_mut();
    let Some(place) = words.len().checked_sub(N + 1) else { return Err(InstructionResult::StackUnderflow) };
    if let [other, .., top] = &mut words[place..] {
        let word: U256 = *top;
        *top = *other;
        *other = word;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use revm::interpreter::{Interpreter, host::DummyHost};

    use super::*;

    fn after<const N: usize>(depth: usize) -> (InstructionExecResult, Vec<U256>) {
        let mut interpreter = Interpreter::<EthInterpreter>::default();
        interpreter.stack.data_mut().extend((0..depth).map(U256::from));
        let mut host = DummyHost::default();
        let context = InstructionContext { interpreter: &mut interpreter, host: &mut host };
        let result = swap::<N, DummyHost>(context);
        (result, interpreter.stack.into_data())
    }

    #[test]
    fn swaps_exchange_two_words_and_need_both() {
        fn check<const N: usize>() {
            for depth in 0..=N {
                let untouched = (0..depth).map(U256::from).collect();
                assert_eq!(after::<N>(depth), (Err(InstructionResult::StackUnderflow), untouched));
            }
            for depth in N + 1..20 {
                let mut expected: Vec<U256> = (0..depth).map(U256::from).collect();
                expected.swap(depth - 1, depth - 1 - N);
                assert_eq!(after::<N>(depth), (Ok(()), expected));
            }
        }
        check::<1>();
        check::<2>();
        check::<9>();
        check::<16>();
    }

    #[test]
    fn every_swap_is_in_its_place_at_the_price_that_revm_has() {
        use revm::primitives::hardfork::SpecId;
        for spec in [SpecId::CANCUN, SpecId::PRAGUE, SpecId::OSAKA] {
            let theirs = EthInstructions::<EthInterpreter, DummyHost>::new_mainnet_with_spec(spec);
            let mut ours = theirs.clone();
            install(&mut ours);
            assert_eq!(ours.gas_table(), theirs.gas_table());
            for n in 1..=16 {
                let mut interpreter = Interpreter::<EthInterpreter>::default();
                interpreter.stack.data_mut().extend((0..17).map(U256::from));
                let mut host = DummyHost::default();
                let context = InstructionContext { interpreter: &mut interpreter, host: &mut host };
                let opcode = usize::from(SWAP1) + n - 1;
                assert_eq!(ours.instruction_table()[opcode].execute(context), Ok(()));
                assert_eq!(interpreter.stack.data()[16 - n], U256::from(16), "SWAP{n}");
            }
        }
    }
}
