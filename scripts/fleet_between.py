"""Stands between a prover and its broker, hears what the prover says, and can let it die before a word of it is heard.

The broker's language is lines: `PUB SUBJECT [REPLY] BYTES` and a payload (`HPUB` has headers before it). Which step of a
stage a prover is at follows from the subject, as docs/fleet.md describes them."""

import asyncio
import json

# What a prover does with a message, in this order; each is said to the broker.
TAKEN, CHUNK, HEAD, MADE, NEXT, ACK = "taken", "chunk", "head", "made", "next", "ack"


def step(subject: str, payload: bytes) -> tuple[str, list[str]] | None:
    """The step that a publication is, and the words of what it is about."""
    words = subject.split(".")
    match words:
        case ["sxt", "made", "taken", _, _, stage, part, *_]:
            return TAKEN, [stage, part]
        case ["sxt", "made", *_]:
            return MADE, words[2:]
        case ["sxt", "parts" | "proofs", *key, "head"]:
            return HEAD, key
        case ["sxt", "parts" | "proofs", *key, "chunk", _, _]:
            return CHUNK, key
        case ["sxt", "job" | "done", *rest]:
            return NEXT, rest
        case ["$JS", "ACK", *_] if payload == b"+ACK":
            return ACK, []
    return None


class Between:
    """`hears(step, words)` is asked about each step before the broker hears it, and says whether it may."""

    def __init__(self, broker: int, hears):
        self.broker, self.hears, self.port = broker, hears, 0

    async def start(self) -> "Between":
        server = await asyncio.start_server(self.connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return self

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        try:
            answers, broker = await asyncio.open_connection("127.0.0.1", self.broker)
        except OSError:
            writer.close()
            return
        ways = [asyncio.create_task(way) for way in (self.said(reader, broker), answered(answers, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            writer.close()
            broker.close()

    async def said(self, reader: asyncio.StreamReader, broker: asyncio.StreamWriter):
        while line := await reader.readline():
            words = line.split()
            if words and words[0] in (b"PUB", b"HPUB"):
                rest = await reader.readexactly(int(words[-1]) + 2)
                payload = rest[int(words[-2]) if words[0] == b"HPUB" else 0 : -2]
                found = step(words[1].decode(), payload)
                if found and not self.hears(*found):
                    return
                line += rest
            broker.write(line)
            await broker.drain()


async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


async def ask(broker: int, subject: str, request: dict) -> dict:
    """One question to the broker, such as `$JS.API.STREAM.INFO.SXT_PROOFS`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", broker)
    body = json.dumps(request).encode() if request else b""
    writer.write(b'CONNECT {"verbose":false}\r\nSUB answer 1\r\n')
    writer.write(f"PUB {subject} answer {len(body)}\r\n".encode() + body + b"\r\n")
    while not (line := await reader.readline()).startswith(b"MSG "):
        if not line:
            raise ConnectionError("the broker has gone")
    answer = json.loads(await reader.readexactly(int(line.split()[-1])))
    writer.close()
    if "error" in answer:
        raise RuntimeError(f"{subject}: {answer['error']}")
    return answer
