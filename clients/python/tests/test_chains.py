"""A chain of committees: what is asked, what is refused before it is sent, and what no server is believed."""

import contextlib
import dataclasses
import unittest
from typing import Any

from sextant import BundlingError, MalformedError, Program, ProofKind, ProofRecord, WrongProofError, public_values
from sextant import messages as m
from sextant.pinned import VK_HASHES

from .parts import BUNDLE, CHAINS, CHANGES, COMPRESSED, HANDOVER, INCLUSION, bundle_of, change_to, client_of, in_parts, words


class Chains(unittest.IsolatedAsyncioTestCase):
    async def test_a_chain_begins_and_is_extended(self) -> None:
        for changes, predecessor, due in (
            (CHANGES[:1], None, CHAINS[0]),
            (CHANGES[1:], CHAINS[0], CHAINS[1]),
            (CHANGES, None, CHAINS[1]),
        ):
            heard: list[Any] = []
            async with client_of(lambda request, due=due: in_parts(request, due), heard) as client:  # type: ignore[misc]
                proof = await client.chain(changes, predecessor)
            self.assertEqual(proof.record, due)
            self.assertEqual((proof.statement.head.signer_period, proof.statement.newest), (1347, due.statement.newest))  # type: ignore[union-attr]
            asked = heard[0].request
            self.assertEqual((type(asked), asked.kind, asked.program), (m.Bundle, COMPRESSED, 4))
            self.assertEqual(asked.vk_hash, VK_HASHES[Program.CHAIN])
            first = CHAINS[0] if predecessor else CHANGES[0]
            self.assertEqual(asked.records[4:1000], first.encode()[:996])

    async def test_what_no_server_is_believed(self) -> None:
        values = CHAINS[1].public_values
        # Each word but the offsets, the version and the program: anchor, participation, header, block, key, newest.
        for at in (32 * word + 31 for word in (3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16)):
            changed = dataclasses.replace(CHAINS[1], public_values=values[:at] + bytes([values[at] ^ 1]) + values[at + 1 :])
            await self.refused(changed, "a proof of another statement: its .* is due")
        await self.refused(CHAINS[0], "another statement: its .* is due")
        await self.refused(bundle_of(HANDOVER), "program 3, asked for 4")
        await self.refused(CHANGES[1], "program 1, asked for 4")

    async def refused(self, record: ProofRecord, words: str) -> None:
        """Asks a server that answers this for the chain in its second state."""
        async with client_of(lambda request: in_parts(request, record)) as client:
            with self.assertRaisesRegex(WrongProofError, words):
                await client.chain([CHANGES[1]], CHAINS[0])

    async def test_proofs_that_do_not_follow_are_not_sent(self) -> None:
        heard: list[Any] = []
        first, second = CHANGES
        other_root = change_to(CHAINS[1], CHAINS[0], signer_committee_root=bytes(32))
        foreign = dataclasses.replace(
            CHAINS[0], public_values=CHAINS[0].public_values.replace(VK_HASHES[Program.CHAIN], bytes(32))
        )
        cases: list[tuple[list[ProofRecord], ProofRecord | None, int | None, str]] = [
            ([second, first], None, 1, "proof 1: it begins in period 1347, the newest committee so far is that of 1349"),
            ([first, first], None, 1, "begins in period 1347, .* 1348"),
            ([first], CHAINS[0], 0, "proof 0: it begins in period 1347"),
            ([other_root], CHAINS[0], 0, "another committee than the newest so far"),
            ([change_to(CHAINS[1], CHAINS[0], chain_digest=bytes(32))], CHAINS[0], 0, "another chain than what is before it"),
            ([change_to(CHAINS[0], learned=[])], None, 0, "teaches no committee"),
            ([INCLUSION], None, 0, "of the program INCLUSION: a chain is extended by committee changes"),
            ([CHAINS[0], second], None, 0, "of the program CHAIN: a chain is extended by committee changes"),
            ([first, dataclasses.replace(second, kind=ProofKind.STARK)], None, 1, "proof 1: only a compressed"),
            ([second], dataclasses.replace(CHAINS[0], kind=ProofKind.GROTH16), None, "chain so far: only a compressed"),
            ([second], first, None, "the chain so far is none, but of the program COMMITTEE_CHANGE"),
            ([second], foreign, None, "the chain so far is by another program"),
            ([], CHAINS[0], None, "0 committee changes: a chain is extended by 1 to 64"),
            ([first] * 65, None, None, "65 committee changes"),
        ]
        async with client_of(lambda _: b"", heard) as client:
            for changes, predecessor, index, words in cases:
                for asked in (client.chain(changes, predecessor), client.submit_chain(changes, predecessor)):
                    with self.assertRaisesRegex(BundlingError, words) as refused:
                        await asked
                    self.assertEqual(refused.exception.index, index)
        self.assertEqual(heard, [])

    def test_only_the_one_encoding_is_read(self) -> None:
        """A changed byte is another value or refused: never the same statement."""
        for record in (BUNDLE, CHAINS[0]):
            whole = record.public_values
            for at in range(len(whole)):
                changed = whole[:at] + bytes([whole[at] ^ 0x80]) + whole[at + 1 :]
                with contextlib.suppress(MalformedError):
                    self.assertNotEqual(public_values.decode(record.program, changed), record.statement)
            for wrong in (whole[:-32], whole + bytes(32), b""):
                with self.assertRaises(MalformedError):
                    public_values.decode(record.program, wrong)
        two = CHAINS[0].public_values
        two = two[: 32 * 14] + words(2) + two[32 * 15 :] + two[32 * 15 :]
        with self.assertRaisesRegex(MalformedError, "a list of 2, of one is due"):
            public_values.decode(Program.CHAIN, two)
