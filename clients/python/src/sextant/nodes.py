"""Fetches what statements are made of from nodes: the beacon API and the execution client's JSON-RPC.

Nodes are not trusted: what they answer is proven, or refused.
"""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from . import statements
from .chain import Chain
from .errors import StatementError
from .messages import StatementInput

MAX_ANSWER = 64 << 20
MAX_UPDATES = 128


async def committee_change(
    chain: Chain, beacon_url: str, checkpoint: str, to: int | None = None, timeout: float = 20
) -> StatementInput:
    """The handovers from the checkpoint's committee up to the one of period `to`, by default as far as is final.

    `checkpoint` is the root of a beacon block that you trust, `0x` and 64 digits. Raises :class:`StatementError`.
    """
    beacon = _Node(beacon_url, timeout)
    bootstrap = await beacon.bootstrap(checkpoint)
    first = chain.period(int(bootstrap["header"]["beacon"]["slot"]))
    if to is None:
        finality = (await beacon.get("/eth/v1/beacon/light_client/finality_update"))["data"]
        to = chain.period(int(finality["finalized_header"]["beacon"]["slot"])) + 1
    updates = await beacon.updates(first, to - first)
    return statements.committee_change(chain, bootstrap, updates, checkpoint)


async def inclusion(
    chain: Chain,
    beacon_url: str,
    rpc_url: str,
    checkpoint: str,
    accounts: Mapping[str, Sequence[int]],
    timeout: float = 20,
) -> StatementInput:
    """Accounts by address, each with slots, in the latest finalized state. Raises :class:`StatementError`.

    `checkpoint` is the root of a beacon block that you trust; where its period is over, the proof begins with the handovers
    since then.
    """
    beacon, rpc = _Node(beacon_url, timeout), _Node(rpc_url, timeout)
    bootstrap = await beacon.bootstrap(checkpoint)
    finality = (await beacon.get("/eth/v1/beacon/light_client/finality_update"))["data"]
    first = chain.period(int(bootstrap["header"]["beacon"]["slot"]))
    signer = chain.period(int(finality["signature_slot"]))
    updates = await beacon.updates(first, signer - first)
    try:
        block = hex(int(finality["finalized_header"]["execution"]["block_number"]))
    except KeyError:
        raise StatementError("the finalized header names no execution block number: before Capella, or since Gloas") from None
    asked = [[address, [hex(slot) for slot in slots], block] for address, slots in accounts.items()]
    proofs = [await rpc.call("eth_getProof", parameters) for parameters in asked]
    return statements.inclusion(chain, bootstrap, finality, proofs, updates, checkpoint)


class _Node:
    def __init__(self, url: str, timeout: float) -> None:
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise StatementError(f"{url}: not an http(s) URL")
        self.url, self.timeout = url.rstrip("/"), timeout

    async def get(self, path: str) -> Any:
        """The JSON behind a path."""
        return await self._answer(urllib.request.Request(self.url + path, headers={"accept": "application/json"}))

    async def call(self, method: str, parameters: list[Any]) -> Any:
        """The result of a JSON-RPC call."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})
        answer = await self._answer(request)
        if "result" not in answer or answer["result"] is None:
            raise StatementError(f"{self.url}: {method}: {answer.get('error', 'no result')}")
        return answer["result"]

    async def bootstrap(self, checkpoint: str) -> Any:
        """The bootstrap of a trusted block."""
        statements.hex_bytes(checkpoint, 32)
        return (await self.get(f"/eth/v1/beacon/light_client/bootstrap/{checkpoint}"))["data"]

    async def updates(self, first: int, count: int) -> list[Any]:
        """The best updates of so many periods; what a node sends beyond is left out."""
        updates: list[Any] = []
        while len(updates) < count:
            due = min(count - len(updates), MAX_UPDATES)
            start = first + len(updates)
            path = f"/eth/v1/beacon/light_client/updates?start_period={start}&count={due}"
            found = [one["data"] for one in await self.get(path)][:due]
            if not found:
                raise StatementError(f"{self.url}: no update of period {start}")
            updates += found
        return updates

    async def _answer(self, request: urllib.request.Request) -> Any:
        def read() -> Any:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                body = response.read(MAX_ANSWER + 1)
            if len(body) > MAX_ANSWER:
                raise StatementError(f"{self.url}: an answer of over {MAX_ANSWER} bytes")
            return json.loads(body)

        try:
            return await asyncio.to_thread(read)
        except urllib.error.HTTPError as error:
            raise StatementError(f"{request.full_url}: status {error.code}: {error.read(200)!r}") from None
        except (OSError, ValueError) as error:
            raise StatementError(f"{request.full_url}: {error}") from None
