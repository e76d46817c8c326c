"""A server is believed nothing that can be seen without a verifier."""

import asyncio
import contextlib
import dataclasses
import hashlib
import unittest
from collections.abc import AsyncIterator, Callable

from sextant import Client, MalformedError, ProofKind, ProofRecord, SextantError, StatementInput, WrongProofError
from sextant import messages as m
from sextant.errors import ConnectionLostError
from sextant.frames import frame, read_body

from .support import committee_change, connected, inclusion

Answering = Callable[[m.Request], bytes]


@contextlib.asynccontextmanager
async def liar(answering: Answering, welcome: bytes | None = None, heard: list[object] | None = None) -> AsyncIterator[int]:
    """A server that greets, and answers each request with these bytes; what it has heard it tells.

    Asked about itself it says nothing.
    """

    serving: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        with contextlib.suppress(ConnectionLostError, ConnectionError):
            for _ in range(2):
                await read_body(reader, m.MAX_FRAME)
            writer.write(frame(m.SERVER, m.Welcome(m.VERSION)) if welcome is None else welcome)
            while True:
                message = m.decode(m.CLIENT, await read_body(reader, m.MAX_FRAME))
                if isinstance(message, m.Request) and isinstance(message.request, m.Info):
                    writer.write(frame(m.SERVER, m.Answer(message.id, m.ServerInfo())))
                    continue
                if heard is not None:
                    heard.append(message)
                if isinstance(message, m.Request):
                    writer.write(answering(message))
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]
    # A client that has gone may have left much to read.
    for task in serving:
        if task is not None:
            await task


async def honest(statement: StatementInput) -> ProofRecord:
    """A proof as an honest server answers it."""
    async with connected() as client:
        return (await client.prove(statement)).record


def answer(request: m.Request, data: bytes, **changes: object) -> bytes:
    """A proof's answer, changed."""
    content = m.ProofAnswer(bytes(32), hashlib.sha256(data).digest(), data)
    return frame(m.SERVER, m.Answer(request.id, dataclasses.replace(content, **changes)))  # type: ignore[arg-type]


class Lies(unittest.IsolatedAsyncioTestCase):
    async def refused(self, answering: Answering, error: type[SextantError], words: str) -> None:
        """Asks such a server for a committee change, which must end like this."""
        async with liar(answering) as port, await Client.connect(port=port) as client:
            with self.assertRaisesRegex(error, words):
                async with asyncio.timeout(10):
                    await client.prove(committee_change())

    async def test_a_proof_of_something_else(self) -> None:
        record = await honest(committee_change())
        others = [await honest(committee_change(2)), await honest(inclusion())]
        values = record.public_values
        for wrong, words in (
            (others[0], "another statement: its .* is due"),
            (others[1], "program 2, asked for 1"),
            (dataclasses.replace(record, kind=ProofKind.COMPRESSED), "kind COMPRESSED, asked for STARK"),
            (dataclasses.replace(record, vk_hash=bytes(32)), "another program"),
            (dataclasses.replace(record, development_circuits=True), "circuits for tests"),
            # Each word of what is proven that follows from the question.
            *(
                (dataclasses.replace(record, public_values=values[:at] + b"\x01" + values[at + 1 :]), "")
                for at in (32 * word + 31 for word in (3, 4, 5, 6, 7, 8, 10, 14, 15))
                if values[at] != 1
            ),
        ):
            data = wrong.encode()
            await self.refused(lambda request, data=data: answer(request, data), WrongProofError, words)  # type: ignore[misc]

    async def test_a_proof_that_arrives_damaged(self) -> None:
        data = (await honest(committee_change())).encode()
        huge, long = 1 << 40, m.PART
        for answering, words in (
            (lambda request: answer(request, data, sha256=bytes(32)), "its hash is another one"),
            (lambda request: answer(request, data, more=huge), "a proof of 1099511"),
            (lambda request: answer(request, data, offset=5), "without its beginning"),
            (lambda request: answer(request, data[:9], more=9) + frame(m.SERVER, m.ServerPart(request.id, 8, data)), "part"),
            (lambda request: frame(m.SERVER, m.ServerPart(request.id, 0, data)), "part"),
            (lambda request: frame(m.SERVER, m.Answer(request.id, m.Pong())), "Pong, ProofAnswer is due"),
            (lambda request: (m.MAX_FRAME + 1).to_bytes(4, "big"), "a frame of 327681 bytes"),
            (lambda request: (4).to_bytes(4, "big") + b"\x03\x00\x01\x00", "bytes wanted"),
            (lambda request: bytes(4), "empty message"),
            (lambda request: answer(request, b"no record" + bytes(long - 9)), "proof record"),
        ):
            await self.refused(answering, MalformedError, words)

    async def test_who_does_not_want_the_rest_of_a_proof_says_so(self) -> None:
        heard: list[object] = []

        def answering(request: m.Request) -> bytes:
            return answer(request, b"its beginning", more=1 << 30)

        async with liar(answering, heard=heard) as port, await Client.connect(port=port) as client:
            with self.assertRaises(MalformedError):
                await client.prove(committee_change())
            async with asyncio.timeout(10):
                while len(heard) < 2:
                    await asyncio.sleep(0.01)
        self.assertEqual([type(message) for message in heard], [m.Request, m.Cancel])

    async def test_answers_to_nobody_are_ignored(self) -> None:
        record = await honest(committee_change())

        def answering(request: m.Request) -> bytes:
            return answer(m.Request(request.id + 7, None), b"for another") + answer(request, record.encode())

        async with liar(answering) as port, await Client.connect(port=port) as client:
            self.assertEqual((await client.prove(committee_change())).record, record)

    async def test_a_greeting_that_is_none(self) -> None:
        for welcome, words in (
            (frame(m.SERVER, m.Welcome(4)), "version 4, which was not offered"),
            (frame(m.SERVER, m.Answer(1, m.Pong())), "something else than a welcome"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is this a Sextant server"),
        ):
            async with liar(lambda _: b"", welcome) as port:
                with self.assertRaisesRegex(MalformedError, words):
                    await Client.connect(port=port)
        async with liar(lambda _: b"", b"") as port:
            with self.assertRaisesRegex(ConnectionLostError, "no greeting within"):
                await Client.connect(port=port, timeout=0.3)
