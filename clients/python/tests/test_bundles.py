"""A bundle: what is asked, what is refused before it is sent, and what no server is believed."""

import asyncio
import dataclasses
import unittest
from typing import Any

from sextant import BundlingError, ErrorCode, NotOfferedError, Program, ProofKind, ProofRecord, ServerError, WrongProofError
from sextant import messages as m
from sextant.frames import frame
from sextant.pinned import VK_HASHES

from .parts import BUNDLE, CHAINS, CHANGES, COMPRESSED, HANDOVER, INCLUSION, bundle_of, change_to, client_of, in_parts
from .support import connected


def sent(heard: list[Any]) -> list[bytes]:
    """The records of the first request among what was heard, with its parts."""
    request = heard[0].request
    data = request.records + b"".join(part.data for part in heard[1:] if isinstance(part, m.ClientPart))
    assert len(request.records) == m.PART and len(data) == m.PART + request.more
    records = []
    while data:
        length = int.from_bytes(data[:4], "little")
        records.append(data[4 : 4 + length])
        data = data[4 + length :]
    return records


class Bundles(unittest.IsolatedAsyncioTestCase):
    async def test_a_bundle_of_proofs_in_their_order(self) -> None:
        heard: list[Any] = []
        steps: list[m.Progress] = []

        def answers(request: m.Request) -> bytes:
            return frame(m.SERVER, m.ServerProgress(request.id, m.Bundling(1, 2))) + in_parts(request, BUNDLE)

        async with client_of(answers, heard) as client:
            proof = await client.bundle([HANDOVER, INCLUSION], COMPRESSED, deadline=9, on_progress=steps.append)
        asked = heard[0].request
        self.assertEqual((type(asked), asked.kind, asked.deadline_ms), (m.Bundle, COMPRESSED, 9_000))
        self.assertEqual((asked.program, asked.vk_hash), (3, VK_HASHES[Program.BUNDLE]))
        self.assertEqual(proof.record, BUNDLE)
        self.assertEqual([part.program for part in proof.statement.parts], [Program.COMMITTEE_CHANGE, Program.INCLUSION])
        self.assertEqual(steps, [m.Bundling(1, 2)])

    async def test_what_no_server_is_believed(self) -> None:
        other = dataclasses.replace(HANDOVER, public_values=HANDOVER.public_values[:-1] + b"\1")
        for wrong, words in (
            (bundle_of(INCLUSION, HANDOVER), "statement 0 of its bundle is INCLUSION 0x.*, COMMITTEE_CHANGE 0x.* is due"),
            (bundle_of(HANDOVER, INCLUSION, INCLUSION), "its bundle has 3 statements, 2 are due"),
            (bundle_of(HANDOVER), "its bundle has 1 statements, 2 are due"),
            (bundle_of(other, INCLUSION), "statement 0 of its bundle is COMMITTEE_CHANGE"),
            (bundle_of(HANDOVER, HANDOVER), "statement 1 of its bundle is COMMITTEE_CHANGE"),
            (bundle_of(HANDOVER, INCLUSION, chain_digest=bytes(32)), "its chain_digest is 0x00"),
            (CHAINS[0], "program 4, asked for 3"),
            (HANDOVER, "program 1, asked for 3"),
            (dataclasses.replace(BUNDLE, kind=ProofKind.GROTH16), "kind GROTH16, asked for COMPRESSED"),
            (dataclasses.replace(BUNDLE, vk_hash=bytes(32)), "another program than the pinned one"),
        ):
            async with client_of(lambda request, wrong=wrong: in_parts(request, wrong)) as client:  # type: ignore[misc]
                with self.assertRaisesRegex(WrongProofError, words):
                    await client.bundle([HANDOVER, INCLUSION], COMPRESSED)

    async def test_proofs_that_do_not_go_together_are_not_sent(self) -> None:
        heard: list[Any] = []
        cases: list[tuple[list[ProofRecord], int | None, str]] = [
            ([HANDOVER, dataclasses.replace(INCLUSION, kind=ProofKind.STARK)], 1, "proof 1: only a compressed .* kind STARK"),
            ([dataclasses.replace(HANDOVER, kind=ProofKind.GROTH16)], 0, "proof 0: only a compressed .* kind GROTH16"),
            ([HANDOVER, dataclasses.replace(INCLUSION, vk_hash=bytes(32))], 1, "proof 1: .* another program than the pinned"),
            ([HANDOVER, BUNDLE], 1, "proof 1: it is of the program BUNDLE, which is not bundled"),
            ([CHAINS[0]], 0, "proof 0: it is of the program CHAIN"),
            ([dataclasses.replace(HANDOVER, program=9)], 0, "proof 0: program 9 is not known"),
            ([HANDOVER, dataclasses.replace(HANDOVER, public_values=b"")], 1, "proof 1: public values end"),
            ([HANDOVER, change_to(CHAINS[0], chain_digest=bytes(32))], 1, "proof 1: it is about another chain than the first"),
            ([], None, "0 proofs: a bundle has 1 to 64"),
            ([HANDOVER] * 65, None, "65 proofs: a bundle has 1 to 64"),
        ]
        async with client_of(lambda _: b"", heard) as client:
            for proofs, index, words in cases:
                for asked in (client.bundle(proofs), client.submit_bundle(proofs), client.fetch_bundle(bytes(32), proofs)):
                    with self.assertRaisesRegex(BundlingError, words) as refused:
                        await asked
                    self.assertEqual(refused.exception.index, index)
        self.assertEqual(heard, [])

    async def test_a_server_that_does_not_know_how_is_not_asked(self) -> None:
        heard: list[Any] = []
        async with client_of(lambda _: b"", heard, ("wrap",)) as client:
            for asked, capability in (
                (client.bundle([HANDOVER]), "bundle"),
                (client.submit_bundle([HANDOVER]), "bundle"),
                (client.chain([CHANGES[0]]), "chain"),
                (client.submit_chain([CHANGES[0]]), "chain"),
            ):
                with self.assertRaisesRegex(NotOfferedError, "this server does not know how to") as refused:
                    await asked
                self.assertEqual(refused.exception.capability, capability)
        # One of a version that bundles, and extends no chains yet.
        async with client_of(lambda request: in_parts(request, BUNDLE), heard, ("bundle",)) as client:
            with self.assertRaises(NotOfferedError):
                await client.chain([CHANGES[0]])
            self.assertEqual(heard, [])
            await client.bundle([HANDOVER, INCLUSION], COMPRESSED)

    async def test_who_cancels_is_heard(self) -> None:
        heard: list[Any] = []
        async with client_of(lambda _: b"", heard) as client:
            asked = asyncio.create_task(client.bundle([HANDOVER, INCLUSION]))
            async with asyncio.timeout(10):
                while sum(len(part.data) for part in heard[1:]) < (heard[0].request.more if heard else 1):
                    await asyncio.sleep(0.01)
            asked.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await asked
            async with asyncio.timeout(10):
                while not isinstance(heard[-1], m.Cancel):
                    await asyncio.sleep(0.01)
        self.assertEqual(sent(heard), [HANDOVER.encode(), INCLUSION.encode()])


class Jobs(unittest.IsolatedAsyncioTestCase):
    async def test_what_was_submitted_is_fetched_and_must_be_what_was_asked_for(self) -> None:
        heard: list[Any] = []
        job = b"\x77" * 32

        def answers(request: m.Request) -> bytes:
            if isinstance(request.request, m.SubmitBundle):
                return frame(m.SERVER, m.Answer(request.id, m.Submitted(job, 3_600)))
            return in_parts(request, BUNDLE if sum(isinstance(one, m.Request) for one in heard) < 4 else CHAINS[1])

        async with client_of(answers, heard) as client:
            parts = [HANDOVER, INCLUSION]
            submitted = await client.submit_bundle(parts, COMPRESSED, deadline=60)
            self.assertEqual(submitted, m.Submitted(job, 3_600))
            self.assertEqual((await client.fetch_bundle(job, parts, COMPRESSED)).record, BUNDLE)
            with self.assertRaisesRegex(WrongProofError, "statement 0 of its bundle"):
                await client.fetch_bundle(job, parts[::-1], COMPRESSED)
            await client.submit_chain(CHANGES[1:], CHAINS[0])
            self.assertEqual((await client.fetch_chain(job, CHANGES[1:], CHAINS[0])).record, CHAINS[1])
            with self.assertRaisesRegex(WrongProofError, "its finalized_slot is"):
                await client.fetch_chain(job, CHANGES[:1])
        asked = [one.request for one in heard if isinstance(one, m.Request)]
        self.assertEqual([type(one) for one in asked], [m.SubmitBundle, m.Fetch, m.Fetch, m.SubmitBundle, m.Fetch, m.Fetch])
        self.assertEqual((asked[0].deadline_ms, asked[0].program, asked[3].program), (60_000, 3, 4))

    async def test_a_bundle_becomes_a_snark(self) -> None:
        snark = dataclasses.replace(BUNDLE, kind=ProofKind.GROTH16, proof=b"snark")

        def answers(request: m.Request) -> bytes:
            return in_parts(request, snark if isinstance(request.request, m.Wrap) else BUNDLE)

        async with client_of(answers) as client:
            bundle = await client.bundle([HANDOVER, INCLUSION], COMPRESSED)
            self.assertEqual((await client.wrap(bundle)).statement, bundle.statement)


class AgainstAServer(unittest.IsolatedAsyncioTestCase):
    async def test_it_reads_all_proofs_and_names_the_one_that_does_not_hold(self) -> None:
        """Its workers take what they have made alone, and make nothing of which a bundle could be."""
        async with connected() as client:
            for asked in (
                client.bundle([HANDOVER, INCLUSION], COMPRESSED),
                client.submit_bundle([HANDOVER, INCLUSION], COMPRESSED),
                client.chain(CHANGES[1:], CHAINS[0]),
                client.submit_chain(CHANGES[1:], CHAINS[0]),
            ):
                with self.assertRaisesRegex(ServerError, "proof 0: no script has made it") as refused:
                    await asked
                self.assertEqual(refused.exception.code, ErrorCode.INVALID_PROOF)
            with self.assertRaises(ServerError) as refused:
                await client.bundle([HANDOVER], ProofKind.STARK)
            self.assertEqual(refused.exception.code, ErrorCode.UNSUPPORTED)
