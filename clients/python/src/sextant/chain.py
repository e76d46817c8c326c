"""Which chain: genesis, preset and fork schedule, and what follows from a slot."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass

from .errors import StatementError
from .flat import HASH, U64, Fixed, Struct, encode, part
from .wire import Array

FAR_FUTURE_EPOCH = 2**64 - 1


class Fork(enum.IntEnum):
    """Forks of the consensus layer, oldest first."""

    PHASE0 = 0
    ALTAIR = 1
    BELLATRIX = 2
    CAPELLA = 3
    DENEB = 4
    ELECTRA = 5
    FULU = 6
    GLOAS = 7

    @property
    def current_sync_committee_gindex(self) -> int:
        """`CURRENT_SYNC_COMMITTEE_GINDEX` in the beacon state."""
        return 2945 if self == Fork.GLOAS else 86 if self >= Fork.ELECTRA else 54


@dataclass(frozen=True)
class ScheduledFork:
    """When a fork begins, and its version of four bytes."""

    epoch: int = part(U64)
    version: bytes = part(Array(4))


@dataclass(frozen=True)
class Chain:
    """A chain's configuration."""

    genesis_validators_root: bytes = part(HASH)
    slots_per_epoch: int = part(U64)
    epochs_per_period: int = part(U64)
    committee_size: int = part(U64)
    forks: list[ScheduledFork] = part(Fixed(Struct(ScheduledFork), len(Fork)))

    @property
    def digest(self) -> bytes:
        """SHA-256 of the configuration: what a proof names its chain by."""
        return hashlib.sha256(encode(self)).digest()

    def period(self, slot: int) -> int:
        """`compute_sync_committee_period_at_slot`."""
        return slot // (self.slots_per_epoch * self.epochs_per_period)

    def fork_at(self, slot: int) -> Fork:
        """The fork of a slot. Raises :class:`StatementError` before sync committees."""
        fork = max(f for f in Fork if self.forks[f].epoch <= slot // self.slots_per_epoch)
        if fork == Fork.PHASE0:
            raise StatementError(f"slot {slot} lies before Altair: there was no sync committee")
        return fork


def _network(genesis: str, epochs: list[int], version: int, step: int) -> Chain:
    forks = [ScheduledFork(epoch, (version + step * i).to_bytes(4, "big")) for i, epoch in enumerate(epochs)]
    return Chain(bytes.fromhex(genesis), 32, 256, 512, forks)


# Sources: eth-clients/mainnet, eth-clients/sepolia, eth-clients/hoodi, metadata/config.yaml.
MAINNET = _network(
    "4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95",
    [0, 74240, 144896, 194048, 269568, 364032, 411392, FAR_FUTURE_EPOCH],
    0x00000000,
    0x01000000,
)
SEPOLIA = _network(
    "d8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078",
    [0, 50, 100, 56832, 132608, 222464, 272640, 353024],
    0x9000006F,
    0x00000001,
)
SEPOLIA.forks[0] = ScheduledFork(0, bytes.fromhex("90000069"))
HOODI = _network(
    "212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f",
    [0, 0, 0, 0, 0, 2048, 50688, 132352],
    0x10000910,
    0x10000000,
)
NETWORKS = {"mainnet": MAINNET, "sepolia": SEPOLIA, "hoodi": HOODI}
