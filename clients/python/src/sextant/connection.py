"""One connection: the greeting, and requests that run side by side (section 3 of docs/protocol.md)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import ssl
from collections.abc import AsyncIterator
from typing import Any

from . import messages as m
from .errors import ConnectionLostError, MalformedError, ServerError, SextantError
from .frames import frame, read_body

AGENT = "sextant-python/0.1.0"


def failure(error: m.ServerFailure) -> ServerError:
    """The exception of an error on the wire."""
    return ServerError(error.code, error.message, error.retry_after_ms / 1000)


class Connection:
    """A greeted connection. Made by :meth:`open`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._ids = itertools.count(1)
        self._open: dict[int, asyncio.Queue[Any]] = {}
        self._sending = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._lost: SextantError | None = None
        self.capabilities: list[str] = []

    @classmethod
    async def open(cls, host: str, port: int, tls: ssl.SSLContext | None, token: str, timeout: float) -> Connection:
        """Connects and greets within `timeout` seconds.

        Raises :class:`ServerError` where the server refuses, and :class:`ConnectionLostError` where there is none.
        """
        try:
            async with asyncio.timeout(timeout):
                reader, writer = await asyncio.open_connection(host, port, ssl=tls, server_hostname=host if tls else None)
                connection = cls(reader, writer)
                try:
                    await connection._greet(token)
                except BaseException:
                    writer.close()
                    raise
        except TimeoutError:
            raise ConnectionLostError(f"{host}:{port}: no greeting within {timeout} s") from None
        except OSError as error:
            raise ConnectionLostError(f"{host}:{port}: {error}") from None
        connection._task = asyncio.create_task(connection._listen())
        return connection

    async def _greet(self, token: str) -> None:
        self._writer.write(frame(m.CLIENT, m.Hello(agent=AGENT)) + frame(m.CLIENT, m.Introduction(token=token)))
        with contextlib.suppress(ConnectionError):  # then the refusal is read
            await self._writer.drain()
        answer = m.decode(m.SERVER, await read_body(self._reader, m.MAX_HANDSHAKE_FRAME))
        if isinstance(answer, m.Refused):
            raise failure(answer)
        if not isinstance(answer, m.Welcome):
            raise MalformedError("the server answers something else than a welcome")
        if answer.version != m.VERSION:
            raise MalformedError(f"the server wants to speak version {answer.version}, which was not offered")
        self.capabilities = answer.capabilities

    async def _listen(self) -> None:
        try:
            while True:
                message = m.decode(m.SERVER, await read_body(self._reader, m.MAX_FRAME))
                if isinstance(message, m.Refused):
                    raise failure(message)
                if isinstance(message, m.ServerProgress | m.Answer | m.ServerPart):
                    waiting = self._open.get(message.id)
                    if waiting is not None:
                        waiting.put_nowait(message)
        except SextantError as error:
            self._lost = error
        finally:
            self._lost = self._lost or ConnectionLostError("the connection was closed")
            for waiting in self._open.values():
                waiting.put_nowait(self._lost)

    async def request(self, request: object, rest: bytes = b"") -> AsyncIterator[Any]:
        """Sends a request, with the bytes of it that go in parts, and yields what comes for it, until it is left.

        Whoever leaves before the answer is there whole cancels it.
        """
        if self._lost is not None:
            raise self._lost
        number = next(self._ids)
        incoming = self._open[number] = asyncio.Queue()
        sending = asyncio.create_task(self._send(number, request, rest))
        # Bytes that are still due; nobody knows how many before the answer.
        due: int | None = None
        try:
            while True:
                message = await incoming.get()
                if isinstance(message, SextantError):
                    raise message
                if isinstance(message, m.Answer):
                    due = getattr(message.result, "more", 0)
                elif isinstance(message, m.ServerPart) and due is not None:
                    due -= len(message.data)
                yield message
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sending
            del self._open[number]
            if due != 0 and self._lost is None:
                with contextlib.suppress(ConnectionError, OSError):
                    self._writer.write(frame(m.CLIENT, m.Cancel(number)))

    async def _send(self, number: int, request: object, rest: bytes) -> None:
        await self._write(m.Request(number, request))
        first = _first_part(request)
        for offset in range(0, len(rest), m.PART):
            await self._write(m.ClientPart(number, first + offset, rest[offset : offset + m.PART]))

    async def _write(self, message: object) -> None:
        # One frame at a time, so that large requests and small ones take turns.
        async with self._sending:
            self._writer.write(frame(m.CLIENT, message))
            await self._writer.drain()

    async def close(self) -> None:
        """Ends the connection. Requests that are open are given up."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._writer.close()
        with contextlib.suppress(ConnectionError, OSError):
            await self._writer.wait_closed()


def _first_part(request: object) -> int:
    """Bytes that the request itself carries of what its parts continue."""
    if isinstance(request, m.Prove | m.Submit):
        return len(request.input.data)
    if isinstance(request, m.Bundle | m.SubmitBundle):
        return len(request.records)
    return len(getattr(request, "record", b""))
