"""Frames on a byte stream: section 1 of docs/protocol.md."""

from __future__ import annotations

import asyncio

from .errors import ConnectionLostError, MalformedError
from .wire import Tagged


def frame(side: Tagged, message: object) -> bytes:
    """A message in its frame."""
    body = side.write(message)
    return len(body).to_bytes(4, "big") + body


async def read_body(reader: asyncio.StreamReader, limit: int) -> bytes:
    """The next frame's body.

    Raises :class:`ConnectionLostError` at the end of the stream, and :class:`MalformedError` for a frame of over `limit` bytes.
    """
    try:
        length = int.from_bytes(await reader.readexactly(4), "big")
        if length > limit:
            raise MalformedError(f"a frame of {length} bytes, over {limit}: is this a Sextant server, and with TLS as asked?")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise ConnectionLostError(f"the server has closed the connection: {error}") from None
