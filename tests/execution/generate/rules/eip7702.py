"""EIP-7702: transactions that set the code of accounts which sign for it."""

from functools import partial

from ethereum.crypto.hash import keccak256
from ethereum_rlp import rlp
from ethereum_types.numeric import U8, U256, Uint

from asm import asm, logs_top, probe
from chain import CHAIN_ID, ETHER, HALF_N, SENDER, Case, Key

AUTHORITY, OTHER = Key(1), Key(2)
N = 2 * HALF_N + 1


def writer(fork) -> bytes:
    """Notes who it is, who has called it, and how often."""
    return asm(fork, "ADDRESS 1 SSTORE CALLER 2 SSTORE 3 SLOAD 1 ADD 3 SSTORE ADDRESS") + logs_top(fork)


def set_code(case: Case, *authorizations, to=AUTHORITY.address, **fields) -> Case:
    return case.send(bytes(to), kind="set_code", authorizations=authorizations, **fields)


def cases(fork):
    yield from delegations(fork)
    yield from authorizations(fork)
    yield from refused(fork)


def delegations(fork):
    case = Case(fork, "eip7702_delegation")
    target = case.contract(1, writer(fork))
    set_code(case, case.authorization(AUTHORITY, target))
    yield case.valid()
    without = [partial(fork.patched, set_delegation=lambda message: U256(0))]
    yield case.invalid("not_set", "after execution", without=without)
    case.send(AUTHORITY.address).send(AUTHORITY.address, value=5)
    case.name += "_and_calls"
    yield case.valid()

    existing = Case(fork, "eip7702_authority_that_exists")
    target = existing.contract(1, writer(fork))
    existing.account(AUTHORITY.address, balance=ETHER, nonce=3)
    set_code(existing, existing.authorization(AUTHORITY, target, nonce=3))
    yield existing.valid()
    unrefunded = [partial(fork.patched, PER_AUTH_BASE_COST=25_000)]
    yield existing.invalid("without_the_refund", "gas, and the header says", without=unrefunded)
    # It sends itself, with and without code to run on the way back to it.
    existing.nonces[bytes(AUTHORITY.address)] = 4
    existing.send(target, key=AUTHORITY).send(AUTHORITY.address, key=AUTHORITY)
    existing.name += "_and_sends"
    yield existing.valid()

    sender = Case(fork, "eip7702_sender_for_itself")
    target = sender.contract(1, writer(fork))
    set_code(sender, sender.authorization(SENDER, target, nonce=1), to=SENDER.address)
    sender.nonces[bytes(SENDER.address)] = 2
    sender.send(SENDER.address)
    yield sender.valid()
    stale = Case(fork, "eip7702_sender_with_its_nonce_before")
    target = stale.contract(1, writer(fork))
    yield set_code(stale, stale.authorization(SENDER, target, nonce=0), to=SENDER.address).valid()

    for name, to in (
        ("itself", AUTHORITY.address),
        ("a_precompile", bytes(19) + b"\x04"),
        ("nobody", b"\x44" * 20),
        ("another_account", OTHER.address),
    ):
        case = Case(fork, f"eip7702_delegation_to_{name}")
        case.account(OTHER.address, balance=1)
        set_code(case, case.authorization(AUTHORITY, to), data=b"\x01\x02")
        caller = case.contract(2, probe(fork, bytes(AUTHORITY.address), 50_000))
        case.send(caller, b"\x05\x06").send(AUTHORITY.address, value=1)
        yield case.valid()

    # Codes are followed once only: the second is run as what it is, and that is no instruction.
    chain = Case(fork, "eip7702_chain_of_delegations")
    target = chain.contract(1, writer(fork))
    set_code(chain, chain.authorization(AUTHORITY, OTHER.address), chain.authorization(OTHER, target))
    caller = chain.contract(2, probe(fork, bytes(AUTHORITY.address), 50_000))
    chain.send(caller).send(OTHER.address)
    yield chain.valid()
    ring = Case(fork, "eip7702_ring_of_delegations")
    set_code(ring, ring.authorization(AUTHORITY, OTHER.address), ring.authorization(OTHER, AUTHORITY.address))
    ring.send(ring.contract(2, probe(fork, bytes(OTHER.address), 50_000)))
    yield ring.valid()

    delegated = b"\xef\x01\x00"
    case = Case(fork, "eip7702_clearing")
    target = case.contract(1, writer(fork))
    case.account(AUTHORITY.address, nonce=1, code=delegated + target, storage={3: 7})
    set_code(case, case.authorization(AUTHORITY, bytes(20), nonce=1))
    case.send(AUTHORITY.address, value=3)
    yield case.valid()
    case = Case(fork, "eip7702_replacing")
    target, second = case.contract(1, writer(fork)), case.contract(2, asm(fork, "42 9 SSTORE STOP"))
    case.account(AUTHORITY.address, nonce=1, code=delegated + target, storage={3: 7})
    set_code(case, case.authorization(AUTHORITY, second, nonce=1))
    yield case.valid()

    # What others see of the code: 23 bytes; and what a call of it costs, cold and warm.
    case = Case(fork, "eip7702_code_seen")
    target = case.contract(1, asm(fork, "EXTCODESIZE 0 CODESIZE") + logs_top(fork))
    case.account(AUTHORITY.address, nonce=1, code=delegated + target)
    address = bytes(AUTHORITY.address)
    seen = asm(fork, address, "EXTCODESIZE 0 MSTORE", address, "EXTCODEHASH 32 MSTORE 32 0 64", address)
    seen += asm(fork, "EXTCODECOPY 96 0 LOG0 STOP")
    case.send(case.contract(2, seen))
    case.accounts[target]["code"] = asm(fork, "CODESIZE 0 MSTORE 32 0 RETURN")
    calls = probe(fork, address, 50_000)[:-1]
    case.send(case.contract(3, calls + calls)).send(AUTHORITY.address)
    warm = fork.transactions.Access(account=fork.types.Address(target), slots=())
    case.send(case.contract(4, calls + calls), access_list=(warm,))
    for number, kind in enumerate(("CALL", "CALLCODE", "DELEGATECALL")):
        value = "0" if kind != "DELEGATECALL" else ""
        code = asm(fork, f"0 0 0 0 {value}", address, f"50000 {kind} GAS 0 MSTORE 32 0 LOG0")
        case.send(case.contract(5 + number, code))
    yield case.valid()

    # A creation that would leave such a code does not.
    case = Case(fork, "eip7702_code_of_a_creation")
    init = asm(fork, (delegated + b"\x11" * 20), "72 SHL 0 MSTORE 23 0 RETURN")
    yield case.send(None, init, gas=300_000).valid()


def authorizations(fork):
    """One that holds beside one that does not, which is passed over."""

    def passed_over(name, make, **account):
        case = Case(fork, f"eip7702_authorization_{name}")
        target = case.contract(1, writer(fork))
        if account:
            case.account(AUTHORITY.address, **account)
        return set_code(case, make(case, target), case.authorization(OTHER, target), to=OTHER.address).valid()

    own = {"key": AUTHORITY}

    def auth(**fields):
        return lambda case, target: case.authorization(to=target, **own, **fields)

    yield passed_over("for_any_chain", auth(chain_id=0))
    yield passed_over("for_another_chain", auth(chain_id=1))
    yield passed_over("for_a_chain_above_64_bits", auth(chain_id=2**64 + CHAIN_ID))
    yield passed_over("with_the_next_nonce", auth(nonce=1))
    yield passed_over("with_an_old_nonce", auth(nonce=1), nonce=2, balance=1)
    yield passed_over("with_the_last_nonce", auth(nonce=2**64 - 1), nonce=2**64 - 1, balance=1)
    yield passed_over("with_the_nonce_before_the_last", auth(nonce=2**64 - 2), nonce=2**64 - 2, balance=1)
    yield passed_over("of_a_contract", auth(nonce=1), nonce=1, code=b"\x00")
    yield passed_over("of_a_code_like_a_delegation", auth(nonce=1), nonce=1, code=b"\xef\x01\x00" + bytes(21))
    yield passed_over("with_parity_2", auth(y_parity=U8(2)))
    yield passed_over("with_parity_27", auth(y_parity=U8(27)))
    yield passed_over("with_parity_255", auth(y_parity=U8(255)))
    for name, value in (("zero", 0), ("n", N), ("above_n", N + 1), ("greatest", 2**256 - 1)):
        yield passed_over(f"with_r_{name}", auth(r=U256(value)))
        yield passed_over(f"with_s_{name}", auth(s=U256(value)))
    # r is no point's: the curve has none at 5.
    yield passed_over("with_r_of_no_point", auth(r=U256(5)))

    def upper(case, target):
        low = case.authorization(AUTHORITY, target)
        other = {"y_parity": U8(1 - int(low.y_parity)), "s": U256(N - int(low.s))}
        return case.authorization(AUTHORITY, target, **other)

    yield passed_over("with_the_upper_s", upper)

    def another(case, target):
        return case.authorization(AUTHORITY, target, nonce=0, r=case.authorization(OTHER, target).r)

    yield passed_over("signed_by_somebody", another)

    # Several of one account: the last that holds counts, and each that holds moves the nonce on.
    case = Case(fork, "eip7702_authorizations_of_one_account")
    first, second = case.contract(1, writer(fork)), case.contract(2, asm(fork, "42 9 SSTORE STOP"))
    sign = partial(case.authorization, AUTHORITY)
    set_code(case, sign(first), sign(second), sign(second, nonce=1), sign(first, nonce=1), sign(first, nonce=7))
    yield case.valid()
    # They stay where the call fails, and all gas is gone.
    case = Case(fork, "eip7702_call_that_fails")
    target = case.contract(1, asm(fork, "INVALID"))
    yield set_code(case, case.authorization(AUTHORITY, target)).valid()
    case = Case(fork, "eip7702_gas")
    target = case.contract(1, b"\x00")
    set_code(case, *[case.authorization(AUTHORITY, target)] * 3, to=target, gas=21_000 + 3 * 25_000)
    yield case.valid()


def refused(fork):
    """Transactions that may not be in a block."""
    case = Case(fork, "eip7702_list")
    set_code(case)
    yield case.invalid("empty", "empty authorization list", executed=[])

    short = Case(fork, "eip7702_gas")
    target = short.contract(1, b"\x00")
    set_code(short, *[short.authorization(AUTHORITY, target)] * 3, to=target, gas=21_000 + 3 * 25_000 - 1)
    cheap = [partial(fork.patched, PER_EMPTY_ACCOUNT_COST=24_999)]
    yield short.invalid("below_the_authorizations", "call gas cost", without=cheap)

    # Without a target there is no such transaction, nor with numbers that have no room, in any encoding.
    def malformed(name, change):
        case = Case(fork, f"eip7702_{name}")
        target = case.contract(1, b"\x00")
        set_code(case, case.authorization(AUTHORITY, target), to=target)
        case.transactions = [rewritten(case.transactions[0], change)]
        return case.invalid("refused", "payload: transaction 0", executed=[])

    yield malformed("creation", lambda fields: fields.__setitem__(5, b""))
    for name, place, value in (
        ("authorization_for_a_chain_above_256_bits", 0, b"\x01" + bytes(32)),
        ("authorization_to_19_bytes", 1, bytes(19)),
        ("authorization_with_a_nonce_above_64_bits", 2, b"\x01" + bytes(8)),
        ("authorization_with_a_parity_above_8_bits", 3, b"\x01\x00"),
        ("authorization_with_a_padded_r", 4, b"\x00\x01"),
        ("authorization_with_s_above_256_bits", 5, b"\x01" + bytes(32)),
    ):
        yield malformed(name, lambda fields, p=place, v=value: fields[9][0].__setitem__(p, v))

    # Other code than a delegation, and no such account sends (EIP-3607).
    for name, code in (("of_23_others", b"\xef\x01\x01" + bytes(20)), ("of_24_bytes", b"\xef\x01\x00" + bytes(21))):
        coded = Case(fork, f"eip7702_sender_with_code_{name}")
        coded.accounts[bytes(SENDER.address)]["code"] = code
        coded.send(b"\x11" * 20)
        yield coded.invalid(
            "refused",
            "senders with deployed code",
            without=[partial(fork.patched, is_valid_delegation=lambda code: len(code) in (23, 24))],
        )
    sends = Case(fork, "eip7702_sender_with_a_delegation")
    sends.accounts[bytes(SENDER.address)]["code"] = b"\xef\x01\x00" + bytes(19) + b"\x44"
    yield sends.send(b"\x11" * 20).valid()

    priced = Case(fork, "eip7702_fee")
    target = priced.contract(1, b"\x00")
    set_code(priced, priced.authorization(AUTHORITY, target), max_fee_per_gas=999, max_priority_fee_per_gas=0)
    yield priced.invalid("below_the_base_fee", "less than basefee", executed=[])


def rewritten(transaction: bytes, change) -> bytes:
    """With other fields, and a signature under them."""
    fields = _lists(rlp.decode(transaction[1:]))[:-3]
    change(fields)
    parity, r, s = SENDER.sign(keccak256(b"\x04" + rlp.encode(fields)))
    return b"\x04" + rlp.encode((*fields, Uint(parity), Uint(r), Uint(s)))


def _lists(item):
    return item if isinstance(item, bytes) else [_lists(part) for part in item]
