"""EIP-7939: CLZ, which counts leading zeros, from Osaka on."""

from functools import partial

from asm import asm, on_word
from chain import Case

WORDS = (0, 1, 2, 3, 0xFF, 2**64 - 1, 2**64, 2**128 + 1, 2**254, 2**255 - 1, 2**255, 2**256 - 1)


def cases(fork):
    case = Case(fork, "eip7939_words")
    contract = case.contract(1, on_word(fork, "CLZ"))
    for word in WORDS:
        case.send(contract, word.to_bytes(32, "big"), gas=50_000)
    yield case.valid()
    empty = Case(fork, "eip7939_empty_stack")
    empty.send(empty.contract(1, asm(fork, "CLZ")), gas=50_000)
    yield empty.valid()
    if fork.is_osaka:

        def missing(evm):
            raise fork.module("vm.exceptions").InvalidOpcode(0x1E)

        yield case.invalid("not_there", "after execution", without=[partial(fork.opcode, "CLZ", missing)])
