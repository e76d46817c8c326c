"""The client against a real server."""

import asyncio
import dataclasses
import subprocess
import tempfile
import unittest
from pathlib import Path

from sextant import (
    Client,
    ConnectionLostError,
    ErrorCode,
    InputTooLargeError,
    MalformedError,
    Program,
    ProofKind,
    ServerError,
    StatementInput,
    flat,
    public_values,
)
from sextant import messages as m
from sextant.inputs import CommitteeChangeInput

from .support import committee_change, connected, inclusion, program, server


class AgainstAServer(unittest.IsolatedAsyncioTestCase):
    async def test_both_statements(self) -> None:
        steps: list[m.Progress] = []
        async with connected() as client:
            await client.ping()
            info = await client.info()
            self.assertEqual(sorted(one.program for one in info.programs), [1, 2, 3, 4])
            change, included = await asyncio.gather(
                client.prove(committee_change(2), on_progress=steps.append), client.prove(inclusion())
            )
            assert isinstance(change.statement, public_values.CommitteeChange)
            self.assertEqual([one.period for one in change.statement.learned], [1151, 1152])
            assert isinstance(included.statement, public_values.Inclusion)
            self.assertEqual(included.statement.accounts[0].nonce, 346165)
            await client.verify(change.record)
            with self.assertRaises(ServerError) as refused:
                await client.verify(dataclasses.replace(change.record, public_values=included.record.public_values))
            self.assertEqual(refused.exception.code, ErrorCode.INVALID_PROOF)
        self.assertTrue(steps)
        self.assertTrue(all(step is not None for step in steps))

    async def test_large_proofs_come_and_go_in_parts(self) -> None:
        async with connected(proof_bytes=700_000) as client:
            proof = await client.prove(committee_change())
            self.assertGreater(len(proof.record.proof), 2 * m.PART)
            await client.verify(proof.record)
            client.max_record = 600_000
            with self.assertRaisesRegex(MalformedError, "a proof of 70"):
                await client.prove(committee_change())
            await client.ping()

    async def test_a_false_statement_is_refused(self) -> None:
        asked = flat.decode(CommitteeChangeInput, committee_change().data)
        asked.handovers[0].next_committee_root = bytes(32)
        false = StatementInput(Program.COMMITTEE_CHANGE, flat.encode(asked))
        async with connected() as client:
            with self.assertRaises(ServerError) as refused:
                await client.prove(false)
            self.assertEqual(refused.exception.code, ErrorCode.INVALID_STATEMENT)
            with self.assertRaises(MalformedError):
                await client.prove(StatementInput(1, b"no input"))

    async def test_a_job_outlives_its_connection(self) -> None:
        async with server(prove_ms=300) as port:
            async with await Client.connect(port=port) as client:
                submitted = await client.submit(committee_change())
            async with await Client.connect(port=port) as client:
                proof = await client.fetch(submitted.job, committee_change())
                self.assertEqual(proof.job, submitted.job)
                with self.assertRaises(ServerError) as unknown:
                    await client.fetch(bytes(32), committee_change())
                self.assertEqual(unknown.exception.code, ErrorCode.UNKNOWN_JOB)

    async def test_a_job_is_withdrawn(self) -> None:
        async with connected(prove_ms=60_000) as client:
            submitted = await client.submit(committee_change())
            await client.withdraw(submitted.job)
            with self.assertRaises(ServerError) as gone:
                await client.fetch(submitted.job, committee_change())
            self.assertIn(gone.exception.code, (ErrorCode.CANCELLED, ErrorCode.UNKNOWN_JOB))

    async def test_a_cancelled_task_cancels_its_request(self) -> None:
        async with connected(prove_ms=60_000) as client:
            asked = asyncio.create_task(client.prove(committee_change()))
            while not (await client.info()).programs[0].running:
                await asyncio.sleep(0.05)
            asked.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await asked
            async with asyncio.timeout(10):
                while (await client.info()).programs[0].running:
                    await asyncio.sleep(0.05)

    async def test_a_deadline_ends_it(self) -> None:
        async with connected(prove_ms=60_000) as client:
            with self.assertRaises(ServerError) as late:
                await client.prove(committee_change(), deadline=0.5)
            self.assertEqual(late.exception.code, ErrorCode.DEADLINE_EXCEEDED)

    async def test_a_kind_that_is_not_made_here(self) -> None:
        async with connected("--kinds", "stark") as client:
            with self.assertRaises(ServerError) as refused:
                await client.prove(committee_change(), ProofKind.GROTH16)
            self.assertEqual(refused.exception.code, ErrorCode.UNSUPPORTED)

    async def test_what_is_larger_than_the_server_takes_is_not_sent(self) -> None:
        one, two = committee_change(), committee_change(2)
        limit = -(-len(one.data) // 1024)
        async with connected("--max-input-kib", str(limit)) as client:
            asked = client._connection.request
            sent: list[object] = []

            def request(request: object, rest: bytes = b"") -> object:
                sent.append(request)
                return asked(request, rest)

            client._connection.request = request  # type: ignore[method-assign,assignment]
            await client.prove(one)
            for too_large in (client.prove(two), client.submit(two)):
                with self.assertRaisesRegex(InputTooLargeError, f"has {len(two.data)} bytes, .* takes {limit * 1024}"):
                    await too_large
            self.assertEqual([type(one) for one in sent], [m.Info, m.Prove])

    async def test_tokens(self) -> None:
        made = subprocess.run([program("proof-server"), "new-token", "alice"], capture_output=True, text=True, check=True)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "tokens.toml")
            file.write_text(made.stderr)
            token = made.stdout.strip()
            async with server("--token-file", str(file)) as port:
                with self.assertRaises(ServerError) as refused:
                    await Client.connect(port=port)
                self.assertEqual(refused.exception.code, ErrorCode.UNAUTHORIZED)
                async with await Client.connect(port=port, token=token) as client:
                    await client.prove(committee_change())
        with self.assertRaisesRegex(ValueError, "without TLS"):
            await Client.connect("192.0.2.1", token=token)

    async def test_where_no_server_is(self) -> None:
        with self.assertRaisesRegex(ConnectionLostError, "127.0.0.1:1"):
            await Client.connect(port=1)

    async def test_a_server_that_goes_away(self) -> None:
        async with server(prove_ms=60_000) as port:
            client = await Client.connect(port=port)
            asked = asyncio.create_task(client.prove(committee_change()))
            await client.ping()
        with self.assertRaises(ConnectionLostError):
            await asked
        with self.assertRaises(ConnectionLostError):
            await client.ping()
        await client.close()
