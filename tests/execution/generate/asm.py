"""A small assembler, and the contracts that cases call."""

# What not every fork of the specification has a name for.
NAMELESS = {"CLZ": b"\x1e", "INVALID": b"\xfe"}


def push(value: int | bytes) -> bytes:
    if isinstance(value, int):
        value = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([0x5F + len(value)]) + value


def asm(fork, *items) -> bytes:
    """Bytes of a program: words are names of opcodes, numbers and bytes are pushed."""
    code = b""
    for item in items:
        if isinstance(item, str):
            for word in item.split():
                if word.isdigit():
                    code += push(int(word))
                elif word in NAMELESS:
                    code += NAMELESS[word]
                else:
                    code += bytes([getattr(fork.instructions.Ops, word).value])
        else:
            code += push(item)
    return code


def logs_top(fork) -> bytes:
    """Logs the word on top of the stack."""
    return asm(fork, "0 MSTORE 32 0 LOG0")


def probe(fork, target: bytes, gas: int) -> bytes:
    """Calls `target` with the call data and so much gas; logs success, gas that it took, and what it returned."""
    return asm(
        fork,
        "CALLDATASIZE 0 0 CALLDATACOPY GAS 0 0 CALLDATASIZE 0",
        target,
        gas,
        "STATICCALL GAS DUP3 SUB 32 MSTORE 0 MSTORE RETURNDATASIZE 0 64 RETURNDATACOPY",
        "RETURNDATASIZE 64 ADD 0 LOG0 STOP",
    )


def on_word(fork, operation: str) -> bytes:
    """Applies an operation to the first word of the call data; logs the result and the gas of it."""
    return asm(
        fork,
        "0 CALLDATALOAD GAS SWAP1",
        operation,
        "GAS SWAP1 0 MSTORE SWAP1 SUB 32 MSTORE 64 0 LOG0 STOP",
    )
