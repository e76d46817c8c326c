"""What tests share: recorded data, a real server whose workers prove nothing, and a node that answers what was recorded."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import os
import stat
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from sextant import MAINNET, Client, StatementInput, statements

REPOSITORY = Path(__file__).resolve().parents[3]
DATA = REPOSITORY / "tests" / "data"
VECTORS = REPOSITORY / "protocol" / "vectors"
CHECKPOINT_1150 = (
    "0x"
    + statements.header(
        json.loads((DATA / "mainnet-deneb" / "bootstrap-9425184.json").read_text())["data"]["header"]["beacon"]
    ).root.hex()
)


def recorded(name: str) -> Any:
    """A recorded answer of a mainnet node."""
    return json.loads((DATA / "mainnet-deneb" / name).read_text())


def committee_change(handovers: int = 1) -> StatementInput:
    """One real handover, or two."""
    updates = [recorded(name)["data"] for name in ("update-9420873.json", "update-9430576.json")]
    return statements.committee_change(MAINNET, recorded("bootstrap-9425184.json")["data"], updates[:handovers])


def inclusion() -> StatementInput:
    """One real contract with one slot."""
    names = ("inclusion-bootstrap.json", "inclusion-finality-update-9567542.json")
    bootstrap, finality = (recorded(name)["data"] for name in names)
    return statements.inclusion(MAINNET, bootstrap, finality, [recorded("inclusion-eth-get-proof.json")["result"]])


def vector(name: str) -> bytes:
    """The bytes of `protocol/vectors/NAME.hex`."""
    lines = (VECTORS / f"{name}.hex").read_text().splitlines()
    return bytes.fromhex("".join(line.split(";")[0] for line in lines))


def program(name: str) -> Path:
    """A program of the workspace, which `make test` builds first."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sextant" / "target"
    path = Path(os.environ.get("CARGO_TARGET_DIR", cache)) / "release" / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built: cargo build --release --workspace")
    return path


@contextlib.asynccontextmanager
async def server(*arguments: str, prove_ms: int = 50, proof_bytes: int = 100) -> AsyncIterator[int]:
    """A real server on a free port, which this yields; its workers answer right public values, and no proofs."""
    with tempfile.TemporaryDirectory() as folder:
        worker = Path(folder, "worker")
        worker.write_text(f"#!/bin/sh\nexec {program('scripted-worker')} {prove_ms} 1 {proof_bytes}\n")
        worker.chmod(worker.stat().st_mode | stat.S_IXUSR)
        process = await asyncio.create_subprocess_exec(
            *[program("proof-server"), "serve", "--listen", "127.0.0.1:0", "--worker-program", worker, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert process.stdout is not None
            async with asyncio.timeout(30):
                while not (line := (await process.stdout.readline()).decode()).startswith("listening on "):
                    assert line, "the server has ended"
            yield int(line.strip().rpartition(":")[2])
        finally:
            process.kill()
            await process.wait()


@contextlib.asynccontextmanager
async def connected(*arguments: str, **options: int) -> AsyncIterator[Client]:
    """A client of such a server."""
    async with server(*arguments, **options) as port, await Client.connect(port=port) as client:
        yield client


@contextlib.contextmanager
def node(answers: dict[str, Any]) -> Iterator[str]:
    """A node on a free port, which this yields as URL: answers by path, and JSON-RPC results by method."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(answers.get(self.path))

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.answer({"jsonrpc": "2.0", "id": request["id"], "result": answers.get(request["method"])})

        def answer(self, content: Any) -> None:
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_port}"
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()
